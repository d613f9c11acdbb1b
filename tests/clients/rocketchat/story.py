"""The published Python client of Rocket.Chat, unchanged: it logs in, looks around, posts, reads, and sets webhooks up.
Runs beside a server."""

import json
import os
import time
import urllib.request

from rocketchat_API.APIExceptions.RocketExceptions import RocketApiException, RocketAuthenticationException
from rocketchat_API.rocketchat import RocketChat

SERVER, TOKEN = os.environ["SERVER_URL"], os.environ["TOKEN"]


def native(method, path, body):
    """Calls what is not the product's."""
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    request = urllib.request.Request(SERVER + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def refused(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except RocketApiException as error:
        return error.args
    raise AssertionError(f"{call.__name__} was not refused")


def logging_in():
    """There are no passwords: a token takes the place of one."""
    rocket = RocketChat("ada", TOKEN, server_url=SERVER)
    me = rocket.me()
    assert (me["username"], me["success"], "admin" in me["roles"]) == ("ada", True, True), me
    assert rocket.headers["X-User-Id"] == me["_id"] and rocket.headers["X-Auth-Token"] == TOKEN
    for name, password in (("ada", "wrong"), ("bob", TOKEN)):
        try:
            RocketChat(name, password, server_url=SERVER)
        except RocketAuthenticationException:
            continue
        raise AssertionError(f"{name} was logged in")
    again = RocketChat(auth_token=TOKEN, user_id=me["_id"], server_url=SERVER)
    assert again.me() == me
    return rocket


def channels_and_messages(rocket, general, secret):
    assert [one["_id"] for one in rocket.channels_list()] == [general]
    assert [one["_id"] for one in rocket.groups_list()] == [secret]
    assert rocket.channels_info(channel="general")["channel"]["t"] == "c"
    assert rocket.groups_info(room_id=secret)["group"]["name"] == "secret"
    assert "error-room-not-found" in str(refused(rocket.channels_info, room_id=secret))

    posted = rocket.chat_post_message("hello", channel="#general", alias="Ada")
    assert (posted["success"], posted["channel"], posted["message"]["msg"]) == (True, general, "hello"), posted
    for number in range(3):
        rocket.chat_post_message(f"number {number}", room_id=general)
    texts = [message["msg"] for message in rocket.channels_history(general, count=2)]
    assert texts == ["number 2", "number 1", "number 0", "hello"], texts
    page = rocket.call_api_get("channels.messages", roomId=general, count=1, offset=3)
    [first] = page["messages"]
    assert (first["_id"], first["alias"], first["u"]["username"]) == (posted["message"]["_id"], "Ada", "ada"), first
    assert (page["total"], page["count"], page["offset"]) == (4, 1, 3), page

    rocket.chat_post_message("psst", room_id=secret)
    assert [message["msg"] for message in rocket.groups_history(secret)] == ["psst"]
    assert "invalid-channel" in str(refused(rocket.chat_post_message, "hello", channel="#nowhere"))


def changed_channels(rocket, user):
    for kind, member in (("channels", "channel"), ("groups", "group")):
        def call(name, *arguments, **more):
            return getattr(rocket, f"{kind}_{name}")(*arguments, **more)

        room = call("create", f"{kind}-new", members=["ada"])[member]["_id"]
        assert [one["username"] for one in call("members", room)] == ["ada"]
        assert call("rename", room, f"{kind}-other")[member]["name"] == f"{kind}-other"
        assert call("archive", room)["success"] and call("unarchive", room)["success"]
        assert call("kick", room, user)["success"] and list(call("members", room)) == []
        assert call("invite", room, user)[member]["_id"] == room
        assert call("delete", room)["success"]
        assert "error-room-not-found" in str(refused(call, "info", room))


def webhooks(rocket, general):
    made = rocket.integrations_create("webhook-incoming", "CI", True, "ada", "#general", False)["integration"]
    assert rocket.integrations_get(made["_id"])["integration"]["name"] == "CI"
    assert [one["_id"] for one in rocket.integrations_list()] == [made["_id"]]
    hook = f"/hooks/{made['_id']}/{made['token']}"
    assert native("POST", hook, {"text": "built"})["success"] is True
    until = time.monotonic() + 20
    while (newest := next(iter(rocket.channels_history(general))))["msg"] != "built":
        assert time.monotonic() < until, newest
        time.sleep(0.05)
    rocket.integrations_remove("webhook-incoming", made["_id"])
    assert list(rocket.integrations_list()) == []


general = native("POST", "/v1/channels", {"name": "general"})["id"]
secret = native("POST", "/v1/channels", {"name": "secret", "private": True})["id"]
rocket = logging_in()
channels_and_messages(rocket, general, secret)
changed_channels(rocket, rocket.headers["X-User-Id"])
webhooks(rocket, general)
print("rocketchat_API: done")
