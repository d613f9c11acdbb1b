"""For each document, what is true in a world: the values of parameters by path, and of one operation the body or others.

Where an operation takes something away, it gets a thing of its own, so that the others still find theirs.
"""

from world import parameters


class Examples:
    """Examples for one document."""

    def __init__(self):
        # The beginning of a path, and the values of the parameters in it.
        self.paths = {}
        # An operation, and the values of its parameters; `body` is its body.
        self.operations = {}


def native(world):
    found = Examples()
    home = f"/v1/organisations/{world.organisation}"
    number = world.connect_github()
    world.connect_slack()
    grace = world.post(f"{home}/members", {"username": f"grace-{world.tag}"})["userId"]
    henry = world.post(f"{home}/members", {"username": f"henry-{world.tag}"})["userId"]
    world.call("PUT", f"/v1/channels/{world.channel}/members/{henry}")
    one, other = world.custom("one"), world.custom("other")
    for integration in (one, other):
        world.call("PUT", f"/v1/channels/{world.channel}/apps/{integration}", {})
    for name in ("installed", "callable", "more", "lost"):
        world.register(name, "1.0.0")
    world.interface("asked")
    versions = {one["name"]: one["id"] for one in world.get(f"/v1/registry/versions?search={world.tag}")["data"]}
    installed = world.post("/v1/apps", {"registryVersion": {"id": versions[f"acme/{world.tag}-installed"]}})["id"]
    called_app = world.post("/v1/apps", {"registryVersion": {"id": versions[f"acme/{world.tag}-callable"]}})["id"]
    more = versions[f"acme/{world.tag}-more"]
    registry_key = world.post(f"/v1/registry/versions/{more}/api-keys", {})["id"]
    # Webhooks name their channel, and another one is renamed.
    hooks = world.make_channel(f"{world.tag}-hooks")
    hook = {"name": "Builds", "channels": [f"#{world.tag}-hooks"]}
    incoming = [world.post("/v1/incoming-webhooks", hook)["id"] for _ in range(2)]
    called = {**hook, "event": "sendMessage", "urls": [f"{world.far.base}/called"], "token": "t0ken-of-the-far-end"}
    outgoing = [world.post("/v1/outgoing-webhooks", called)["id"] for _ in range(3)]
    said = {"type": "message.posted", "channelId": hooks, "data": {"message": "hello"}}
    world.post("/v1/events", said)
    run = world.until(f"/v1/outgoing-webhooks/{outgoing[0]}/runs", lambda page: page["data"])[0]["id"]
    subscription = {
        "types": ["github.*"],
        "rule": {"github": {"repositories": ["acme/web"], "events": ["pulls"]}},
        "destination": {"kind": "slack", "address": "C0ALERTS"},
    }
    world.post("/v1/routes", subscription)
    step = {
        "type": "workflow.step.completed",
        "attributes": {
            "stepKind": "KIND_EXIT",
            "stepAction": "FORM_SUBMIT",
            "linkId": "0199c1de-0000-7000-8000-000000000001",
        },
    }
    event = world.post("/v1/events", step)["id"]
    delivery = world.until(
        f"/v1/deliveries?eventId={event}", lambda page: [one for one in page["data"] if one["state"] == "delivered"]
    )[0]["id"]
    destination = next(one["id"] for one in world.get("/v1/destinations")["data"] if one["kind"] == "slack")
    route = {"types": ["order.*"], "destinationId": destination}
    routes = [world.post("/v1/routes", route)["id"] for _ in range(2)]
    webhook = {"kind": "webhook", "url": f"{world.far.base}/events"}
    names = (f"{world.tag}-{name}" for name in ("kept", "gone"))
    endpoint, gone = (world.post("/v1/destinations", {**webhook, "name": name})["id"] for name in names)
    order = {"event": "issues", "installation": number, "repository": "web", "title": "It is slow"}
    sent = world.post(f"{world.standin}/control/github/send", order)
    for workflow in ("deploy", "release"):
        world.call("PUT", f"/v1/workflows/{world.tag}-{workflow}", {"name": "Deploy"})
    token = world.post("/v1/tokens", {"name": "contract"})["token"]["id"]
    connections = {one["provider"]: one["id"] for one in world.get("/v1/connections")["data"]}
    channel = {"id": world.channel, "appId": one}
    found.paths = {
        "/v1/organisations/{id}": {"id": world.organisation, "user_id": grace},
        "/v1/tokens/{id}": {"id": token},
        "/v1/channels/{id}": channel,
        "/v1/apps/{id}": {"id": one},
        "/v1/incoming-webhooks/{id}": {"id": incoming[0]},
        "/v1/outgoing-webhooks/{id}": {"id": outgoing[0], "runId": run},
        "/v1/registry/interfaces/{id}": {"id": world.get("/v1/registry/interfaces")["data"][0]["id"]},
        "/v1/registry/versions/{id}": {"id": versions[f"acme/{world.tag}-more"]},
        "/v1/operator/registry-versions/{id}": {"id": versions[f"acme/{world.tag}-more"]},
        "/v1/events/{id}": {"id": event},
        "/v1/deliveries/{id}": {"id": delivery},
        "/v1/connections/{id}": {"id": connections["slack"]},
        "/v1/destinations/{id}": {"id": destination},
        "/v1/routes/{id}": {"id": routes[0]},
        "/v1/github/deliveries": {"deliveryId": sent["deliveryId"]},
        "/v1/workflows/{id}": {"id": f"{world.tag}-deploy"},
    }
    found.operations = {
        "createOrganisation": {"body": {"slug": f"{world.tag}-globex", "name": "Globex"}},
        "createSession": {"body": {"token": world.token}},
        "createPortalSession": {"body": {"pages": ["home"], "theme": "dark"}},
        "putFrameAncestors": {"body": {"origins": ["https://app.example.com"]}},
        "createChannel": {"body": {"name": f"{world.tag}-made"}},
        "addMember": {"body": {"username": f"joan-{world.tag}"}},
        "addChannelMember": {"user_id": grace},
        "removeChannelMember": {"user_id": henry},
        "deleteChannel": {"id": world.make_channel(f"{world.tag}-gone")},
        "deleteChannelApp": {"appId": other},
        "createApp": {"body": {"registryVersion": {"id": versions[f"acme/{world.tag}-more"]}}},
        "updateApp": {"body": {"name": "Changed"}},
        "callAppAction": {"id": called_app, "name": "send", "body": {"input": {"text": "hello"}}},
        "deleteApp": {"id": installed},
        "putAppSettings": {"body": {"settings": {"room": "#two"}}},
        "putChannelApp": {"body": {"settings": {"room": "#three"}}},
        "createIncomingWebhook": {"body": hook},
        "updateIncomingWebhook": {"body": {"enabled": False}},
        "deleteIncomingWebhook": {"id": incoming[1]},
        "createOutgoingWebhook": {"body": called},
        "updateOutgoingWebhook": {"body": {"name": "Changed"}},
        "deleteOutgoingWebhook": {"id": outgoing[1]},
        "deleteOutgoingWebhookRuns": {"id": outgoing[2]},
        "createRegistryVersion": {"body": {"name": f"acme/{world.tag}-made", "version": "1.0.0"}},
        "validateRegistryVersion": {"body": {"name": f"acme/{world.tag}-made", "version": "2.0.0"}},
        "updateRegistryVersion": {"body": {"title": "Changed"}},
        "validateRegistryVersionUpdate": {"body": {"title": "Changed"}},
        "reviewRegistryVersion": {"body": {"verificationStatus": "approved"}},
        "createRegistryApiKey": {"body": {"note": "build server"}},
        "deleteRegistryApiKey": {"id": registry_key},
        "deleteRegistryVersion": {"id": versions[f"acme/{world.tag}-lost"]},
        "replayFailedDeliveries": {"body": {"destinationId": destination}},
        "createConnection": {"body": {"provider": "slack"}},
        "updateConnection": {"body": {"paused": False}},
        "listConnectionRepositories": {"id": connections["github"]},
        "createDestination": {"body": webhook},
        "updateDestination": {"body": {"retrySchedule": [60]}},
        "deleteDestination": {"id": gone},
        "testDestination": {"id": endpoint},
        "getDestinationSecret": {"id": endpoint},
        "rotateDestinationSecret": {"id": endpoint},
        "createRoute": {"body": route},
        "testRoute": {"body": {"route": subscription, "eventId": event}},
        "updateRoute": {"body": {"enabled": True}},
        "deleteRoute": {"id": routes[1]},
        "deleteWorkflow": {"id": f"{world.tag}-release"},
        "lintDescriptor": {"body": {"url": f"{world.far.base}/descriptor"}},
        "completeGithubInstall": world.begin_github()[1],
        "completeSlackOAuthInBrowser": world.allowed_slack(),
    }
    return found


def linkbreakers(world):
    found = Examples()
    world.connect_slack()
    found.operations = {
        "updateSlackIntegration": {"body": {"slackChannelId": "C0ALERTS"}},
        "completeSlackOAuth": {"body": world.allowed_slack()},
    }
    return found


def boomerang(world):
    found = Examples()
    number = world.connect_github()
    _, location = world.ask("GET", "/api/v2/integration/slack/install?team=acme")
    link = {"ref": str(number), "team": "acme"}
    found.operations = {
        "listIntegrations": {"team": "acme"},
        "getGithubInstallation": {"team": "acme"},
        "linkGithubInstallation": {"body": link},
        "unlinkGithubInstallation": {"body": link},
        "installSlack": {"team": "acme"},
        "completeSlackInstall": world.allow_slack(location),
    }
    return found


def telex(world):
    found = Examples()
    home = f"/organisations/{world.organisation}/integrations"
    one, gone = world.custom("one"), world.custom("gone")
    world.integration_key = parameters(world.post(f"/v1/apps/{one}/authorisation", {})["url"])["api_key"]
    made = world.post(home, {"name": "made", "json_url": f"{world.far.base}/descriptor/{world.tag}/made"})["data"]["id"]
    lost = world.post(home, {"name": "lost", "json_url": f"{world.far.base}/descriptor/{world.tag}/lost"})["data"]["id"]
    world.call("PUT", f"/v1/channels/{world.channel}/apps/{one}", {})
    world.forget_slack()
    settings = f"{home}/{one}/channels/{world.channel}/settings"
    for label in ("kept", "gone"):
        world.post(settings, {"form_field_label": label, "form_field_value": "one"})
    ids = {setting["form_field_label"]: setting for setting in world.get(settings)["data"]}
    ids = {label: setting.get("id") or setting.get("setting_id") for label, setting in ids.items()}
    world.post(f"{home}/{one}/settings", {"form_field_label": "known", "form_field_value": "one"})
    entry = {"setting_entry": {"field_name": "known", "value": "two"}}
    world.call("PUT", f"{home}/custom/{one}/settings", entry)
    found.paths = {
        "/organisations": {"integrationId": one, "integration_id": one, "setting_id": ids["kept"]},
    }
    posted = {"event_name": "site_down", "message": "it does not answer", "status": "error", "username": "monitor"}
    found.operations = {
        "createIntegration": {"body": {"name": "new", "json_url": f"{world.far.base}/descriptor/{world.tag}/new"}},
        "updateIntegration": {"integrationId": made, "body": {"name": "changed"}},
        "deleteIntegration": {"integrationId": lost},
        "createCustomIntegration": {"body": {"json_url": f"{world.far.base}/descriptor/{world.tag}/posted"}},
        "updateCustomIntegration": {"body": {"json_url": f"{world.far.base}/descriptor/{world.tag}/one"}},
        "deleteCustomIntegration": {"integrationId": gone},
        "updateIntegrationSetting": {"body": {"form_field_label": "known", "form_field_value": "three"}},
        "updateChannelSetting": {"body": {"form_field_value": "three"}},
        "deleteChannelSetting": {"setting_id": ids["gone"]},
        "putCustomSetting": {"body": entry},
        "getCustomSetting": {"field_name": "known"},
        "exchangeSlackToken": {"body": {"oauth_code": world.allowed_slack()["code"]}},
        "receiveChannelMessageByLink": posted,
        "receiveChannelWebhookByLink": posted,
    }
    return found


def rocketchat(world):
    found = Examples()
    kept, lost = world.hook(), world.hook(name="Lost")
    outgoing = {"type": "webhook-outgoing", "event": "sendMessage", "urls": [f"{world.far.base}/hook"]}
    listening = world.hook(**outgoing)
    say = {"type": "message.posted", "channelId": world.channel, "data": {"message": "hello"}}
    world.post("/v1/events", say)
    history = f"/api/v1/integrations.history?id={listening['_id']}"
    run = world.until(history, lambda page: page["history"])[0]["_id"]
    incoming = {
        "type": "webhook-incoming",
        "username": "ada",
        "channel": f"#{world.tag}",
        "scriptEnabled": False,
        "name": "Builds",
        "enabled": True,
    }
    group = world.post("/v1/channels", {"name": f"{world.tag}-group", "private": True})["id"]
    members = f"/v1/organisations/{world.organisation}/members"
    bob = world.post(members, {"username": f"{world.tag}-bob"})["userId"]
    for kind, room in (("PublicChannel", world.channel), ("PrivateGroup", group)):
        for operation in (f"get{kind}", f"list{kind}Messages", f"get{kind}History", f"list{kind}Members"):
            found.operations[operation] = {"roomId": room}
        private = kind == "PrivateGroup"

        def fresh(name, tag=f"{world.tag}-{kind.lower()}", private=private):
            return world.post("/v1/channels", {"name": f"{tag}-{name}", "private": private})["id"]

        found.operations[f"create{kind}"] = {"body": {"name": f"{world.tag}-{kind.lower()}-new"}}
        for operation in ("archive", "unarchive", "delete"):
            found.operations[f"{operation}{kind}"] = {"body": {"roomId": fresh(operation)}}
        renamed = {"roomId": fresh("former"), "name": f"{world.tag}-{kind.lower()}-renamed"}
        found.operations[f"rename{kind}"] = {"body": renamed}
        crowded = fresh("crowded")
        world.call("PUT", f"/v1/channels/{crowded}/members/{bob}")
        found.operations[f"inviteTo{kind}"] = {"body": {"roomId": crowded, "userId": bob}}
        found.operations[f"kickFrom{kind}"] = {"body": {"roomId": crowded, "userId": bob}}
    found.paths = {"/hooks": {"integrationId": kept["_id"], "userId": world.user, "token": kept["token"]}}
    found.operations |= {
        "createWebhookIntegration": {"body": incoming},
        "getWebhookIntegration": {"integrationId": kept["_id"]},
        "updateWebhookIntegration": {"body": {**incoming, "integrationId": kept["_id"]}},
        "removeWebhookIntegration": {"body": {"type": "webhook-incoming", "integrationId": lost["_id"]}},
        "listWebhookHistory": {"id": listening["_id"]},
        "clearWebhookHistory": {"body": {"integrationId": world.hook(**outgoing, name="Cleared")["_id"]}},
        "replayOutgoingWebhook": {"body": {"integrationId": listening["_id"], "historyId": run}},
        "logIn": {"body": {"user": "ada", "password": world.token}},
        "postChatMessage": {"body": {"channel": f"#{world.tag}", "text": "hello"}},
    }
    return found


def botpress(world):
    found = Examples()
    kept = world.register("kept", "1.0.0")
    named = {"name": kept["name"], "version": kept["version"]}
    interface = world.interface("creatable")
    in_name = {"name": interface["name"], "version": interface["version"]}
    found.paths = {
        "/v1/admin/interfaces/{name}": in_name,
        "/v1/admin/hub/interfaces/{name}": in_name,
        "/v1/admin/interfaces/{id}": {"id": interface["id"]},
        "/v1/admin/hub/interfaces/{id}": {"id": interface["id"]},
        "/v1/admin/integrations/{name}": named,
        "/v1/admin/hub/integrations/{name}": named,
        "/v1/admin/integrations/{id}": {"id": kept["id"]},
        "/v1/admin/hub/integrations/{id}": {"id": kept["id"]},
    }
    new = {"name": f"acme/{world.tag}-new", "version": "1.0.0"}
    private = {"name": f"acme/{world.tag}-private", "version": "1.0.0"}
    found.operations = {
        "createBotIntegration": {"body": new},
        "createEvent": {**world.emitter(), "body": {"type": "happened", "payload": {"title": "It is broken"}}},
        "createInterface": {"body": {"name": f"acme/{world.tag}-listable", "version": "1.0.0"}},
        "updateInterface": {"id": world.post("/v1/admin/interfaces", private)["interface"]["id"], "body": {"title": "List"}},
        "deleteInterface": {"id": world.interface("gone")["id"]},
        "deleteBotIntegration": {"id": world.register("gone", "1.0.0")["id"]},
        "getIntegrationIcon": {"file": kept["iconUrl"].rsplit("/", 1)[1]},
        "getIntegrationReadme": {"file": kept["readmeUrl"].rsplit("/", 1)[1]},
    }
    return found


ALL = {
    "boomerang": boomerang,
    "botpress": botpress,
    "linkbreakers": linkbreakers,
    "native": native,
    "rocketchat": rocketchat,
    "telex": telex,
}
