"""The published Python SDK of Linkbreakers, unchanged, through its seven operations. Runs beside a server."""

import json
import os
import time
import urllib.request
from urllib.parse import parse_qs, urlsplit

import linkbreakers
from linkbreakers.exceptions import ApiException

SERVER, STANDIN, TOKEN = os.environ["SERVER_URL"], os.environ["STANDIN_URL"], os.environ["TOKEN"]
LINK = "0199c1de-0000-7000-8000-000000000001"


def post(url, body, headers=None):
    """Calls what is not the product's: the stand-in's controls, and the intake of events."""
    sent = {"content-type": "application/json", **(headers or {})}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), sent), timeout=20) as answer:
        return json.load(answer)


def sdk(token, api=linkbreakers.SlackIntegrationsApi):
    return api(linkbreakers.ApiClient(linkbreakers.Configuration(host=SERVER, access_token=token)))


def refused(call, *arguments):
    """The error of a call, as the SDK's own model of errors reads it."""
    try:
        call(*arguments)
    except ApiException as error:
        said = linkbreakers.ErrorResponse.from_json(error.body)
        assert said.code == error.status, error
        return said
    raise AssertionError(f"{call.__name__} was not refused")


def connect(slack):
    """Allow is pressed in the stand-in's Slack."""
    url = slack.slack_integrations_service_get_o_auth_url().oauth_url
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    order = {name: query[name] for name in ("client_id", "redirect_uri", "state", "scope")}
    code = post(f"{STANDIN}/control/slack/authorize", {**order, "team": "T0STANDIN"})["code"]
    request = linkbreakers.CompleteSlackOAuthRequest(code=code, state=query["state"])
    return slack.slack_integrations_service_complete_o_auth(request).slack_integration


def the_seven_operations(slack):
    assert slack.slack_integrations_service_get().slack_integration is None, "nothing is connected at first"
    made = connect(slack)
    assert made.status == linkbreakers.SlackIntegrationStatus.SLACK_INTEGRATION_STATUS_ACTIVE, made
    assert (int(made.success_count), int(made.failure_count)) == (0, 0), made
    assert (made.slack_team_id, made.slack_channel_id, made.triggers, made.last_sent_at) == ("T0STANDIN", "", [], None), made

    channels = slack.slack_integrations_service_list_channels().channels
    alerts = next(channel for channel in channels if channel.id == "C0ALERTS")
    assert alerts.is_member and not alerts.is_private, alerts
    change = linkbreakers.UpdateSlackIntegrationRequest(
        slack_channel_id=alerts.id, slack_channel_name=alerts.name, triggers=["KIND_EXIT"], link_id=LINK
    )
    chosen = slack.slack_integrations_service_update(change).slack_integration
    assert (chosen.slack_channel_name, chosen.triggers, chosen.link_id) == ("alerts", ["KIND_EXIT"], LINK), chosen
    assert slack.slack_integrations_service_test({}).success is True

    step = {"type": "workflow.step.completed", "attributes": {"linkId": LINK, "stepKind": "KIND_EXIT"}}
    post(f"{SERVER}/v1/events", step, {"authorization": f"Bearer {TOKEN}"})
    until = time.monotonic() + 20
    while int((found := slack.slack_integrations_service_get().slack_integration).success_count) != 1:
        assert time.monotonic() < until, f"the step was not notified: {found}"
        time.sleep(0.05)
    assert found.last_sent_at >= made.created_at, found

    slack.slack_integrations_service_delete()
    assert slack.slack_integrations_service_get().slack_integration is None


def the_errors(slack):
    error = refused(sdk("wrong").slack_integrations_service_get)
    assert (error.code, error.code_type) == (401, "UNAUTHENTICATED"), error
    error = refused(slack.slack_integrations_service_delete)
    assert (error.code, error.code_type) == (404, "NOT_FOUND") and "Slack" in error.message, error
    request = linkbreakers.CompleteSlackOAuthRequest(code="c", state="")
    error = refused(slack.slack_integrations_service_complete_o_auth, request)
    assert (error.code, [detail["field"] for detail in error.details]) == (400, ["/state"]), error


def the_webhooks_of_the_product(webhooks):
    """They are not served: their path is Telex's, and no call to it does anything without a channel's key."""
    id = "0199c1de-0000-7000-8000-00000000dead"
    create = linkbreakers.CreateWebhookRequest(name="audit", endpoint_url="https://audit.example/")
    for call, arguments, expected in [
        (webhooks.webhooks_service_list, (), 404),
        (webhooks.webhooks_service_create, (create,), 404),
        (webhooks.webhooks_service_get, (id,), 401),
        (webhooks.webhooks_service_delete, (id,), 405),
    ]:
        try:
            call(*arguments)
        except ApiException as error:
            assert error.status == expected, (call.__name__, error)
        else:
            raise AssertionError(f"{call.__name__} was not refused")


slack = sdk(TOKEN)
the_seven_operations(slack)
the_errors(slack)
the_webhooks_of_the_product(sdk(TOKEN, linkbreakers.WebhooksApi))
print(f"linkbreakers {linkbreakers.__version__}: done")
