"""The story of an organisation that connects Slack and sends an event, told with the generated Python clients."""

import os
import time
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
from tieline_linkbreakers_client import AuthenticatedClient as SlackClient
from tieline_linkbreakers_client.api.slack_integrations import (
    complete_slack_o_auth,
    get_slack_integration,
    get_slack_o_auth_url,
    update_slack_integration,
)
from tieline_linkbreakers_client.models import (
    CompleteSlackOAuthRequest,
    ErrorResponse,
    GetSlackOAuthUrlResponse,
    SlackIntegrationResponse,
    UpdateSlackIntegrationRequest,
)
from tieline_native_client import AuthenticatedClient
from tieline_native_client.api.deliveries import get_delivery, list_deliveries
from tieline_native_client.api.events import send_event
from tieline_native_client.models import AcceptedEvent, CreateEvent, CreateEventAttributes, DeliveryDetail, DeliveryState, DeliveryList, Problem

SERVER, STANDIN, TOKEN = os.environ["SERVER_URL"], os.environ["STANDIN_URL"], os.environ["TOKEN"]


def main() -> None:
    slack = SlackClient(base_url=SERVER, token=TOKEN)
    native = AuthenticatedClient(base_url=SERVER, token=TOKEN)

    # A request without a valid token is refused in the dialect's own type.
    refused = get_slack_integration.sync(client=SlackClient(base_url=SERVER, token="wrong"))
    assert isinstance(refused, ErrorResponse) and refused.error.code_type == "UNAUTHENTICATED", refused

    # Allow is pressed in the stand-in's Slack.
    asked = get_slack_o_auth_url.sync(client=slack)
    assert isinstance(asked, GetSlackOAuthUrlResponse), asked
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked.oauth_url).query).items()}
    order = {name: query[name] for name in ("client_id", "redirect_uri", "state", "scope")}
    allowed = httpx.post(f"{STANDIN}/control/slack/authorize", json={**order, "team": "T0STANDIN"})
    code = str(allowed.raise_for_status().json()["code"])
    body = CompleteSlackOAuthRequest(code=code, state=query["state"])
    connected = complete_slack_o_auth.sync(client=slack, body=body)
    assert isinstance(connected, SlackIntegrationResponse), connected
    chosen = update_slack_integration.sync(client=slack, body=UpdateSlackIntegrationRequest(slack_channel_id="C0ALERTS"))
    assert isinstance(chosen, SlackIntegrationResponse), chosen
    assert chosen.slack_integration.slack_channel_id == "C0ALERTS", chosen

    # An event is delivered.
    attributes = CreateEventAttributes.from_dict({"linkId": "0199c1de-0000-7000-8000-000000000001", "stepKind": "KIND_INTERACTION"})
    event = CreateEvent(type_="workflow.step.completed", attributes=attributes)
    accepted = send_event.sync(client=native, body=event)
    assert isinstance(accepted, AcceptedEvent), accepted
    until = time.monotonic() + 20
    while True:
        page = list_deliveries.sync(client=native)
        assert isinstance(page, DeliveryList), page
        found = [one for one in page.data if one.event_id == accepted.id and one.state == DeliveryState.DELIVERED]
        if found:
            break
        assert time.monotonic() < until, f"the event was not delivered: {page}"
        time.sleep(0.05)
    detail = get_delivery.sync(found[0].id, client=native)
    assert isinstance(detail, DeliveryDetail) and detail.event_id == accepted.id, detail

    # Errors are values with a type of their own.
    missing = get_delivery.sync(UUID("0199c1de-0000-7000-8000-00000000dead"), client=native)
    assert isinstance(missing, Problem) and (missing.status, missing.code) == (404, "not_found"), missing
    print("sdk: python: the story holds")


if __name__ == "__main__":
    main()
