"""An agent that is also an OAuth integration, as the product describes both: it is given a key when it is installed, answers
messages of its channel by that key, and keeps the credentials of its OAuth flow in its settings by the key of that flow."""

import json
import os
import threading
import urllib.request

from example import members, say, serve

SERVER = os.environ["SERVER_URL"]
agent = {}


def descriptor(base):
    return {
        "data": {
            "date": {"created_at": "2025-04-12", "updated_at": "2025-04-12"},
            "descriptions": {
                "app_name": "Calendar Agent",
                "app_description": "Answers questions about meetings",
                "app_logo": f"{base}/logo.png",
                "app_url": base,
                "background_color": "#fff",
            },
            "is_active": True,
            "integration_type": "output",
            "integration_category": "AI & Machine Learning",
            "key_features": ["answers when it is mentioned"],
            "bot": True,
            "bot_details": {"name": "Calendar", "avatar_url": f"{base}/logo.png", "description": "Knows your meetings"},
            "listening_mode": ["mentions"],
            "author": "Tieline",
            "website": base,
            "settings": [{"label": "calendar-token", "type": "text", "required": False, "default": ""}],
            "target_url": f"{base}/message",
            "auth_callback": f"{base}/auth-callback",
            "is_oauth": True,
            "auth_initiate_url": f"{base}/oauth?provider=calendar",
        }
    }


def post(path, key, body):
    headers = {"content-type": "application/json", "X-Telex-API-Key": key}
    request = urllib.request.Request(SERVER + path, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.status


def installed(body):
    agent.update(members(body, ("org_id", "api_key")))
    say(f"installed: {agent['api_key'][:4]}")
    return 200, {"status": "success"}


def reply(message):
    [token] = [setting["default"] for setting in message["settings"] if setting["label"] == "calendar-token"]
    body = {
        "channel_id": message["channel_id"],
        "thread_id": message.get("thread_id"),
        "org_id": agent["org_id"],
        "message": f"Your next meeting is at nine ({token or 'no calendar'}).",
        "reply": "thread_id" in message,
        "username": "Calendar",
    }
    path = f"/api/v1/return/{message['channel_id']}"
    say(f"replied: {post(path, agent['api_key'], body)}")


def message(body):
    threading.Thread(target=reply, args=(members(body, ("channel_id", "message", "settings")) | body,)).start()
    return 202, {"status": "success"}


def oauth(query):
    """The page to which a member is sent. An upstream would ask for consent here; then its credential is kept."""
    path = f"/organisations/{query['org_id']}/integrations/{query['integration_id']}/settings"
    setting = {"form_field_label": "calendar-token", "form_field_value": "c4lendar"}
    say(f"connected: {query['provider']}: {post(path, query['api_key'], setting)}")
    return 200, {"status": "success"}


serve({"/integration.json": descriptor}, {"/auth-callback": installed, "/message": message}, {"/oauth": oauth})
