"""What has to be there before a document can be asked about: a world made over the API itself, and examples out of it.

Schemathesis makes values up. An id that it makes up belongs to nothing, and an operation that was only ever answered by
*not found* is not tested. So each document is given to it with examples that are true in this world.
"""

import base64
import json
import os
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z" fill="#123"/></svg>'


def parameters(address):
    """The query of an address."""
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Where a browser is sent is what we want to know."""

    def redirect_request(self, *_):
        return None


class FarEnd:
    """An integration as its author runs it: it serves its descriptor, and answers every call with an empty output."""

    def __init__(self):
        far = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = far.descriptor() if self.path.startswith("/descriptor") else {"output": {}}
                body = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def descriptor(self):
        return {
            "data": {
                "date": {"created_at": "2026-11-18", "updated_at": "2026-11-18"},
                "descriptions": {
                    "app_name": "An output",
                    "app_description": "For the contract",
                    "app_url": self.base,
                    "app_logo": f"{self.base}/logo.png",
                    "background_color": "#fff",
                },
                "is_active": True,
                "integration_type": "output",
                "integration_category": "Task Automation",
                "settings": [{"label": "room", "type": "text", "required": True, "default": "#one"}],
                "target_url": f"{self.base}/target",
                "tick_url": f"{self.base}/tick",
                "is_oauth": True,
                "auth_initiate_url": f"{self.base}/connect",
            }
        }


class World:
    """One organisation, seen by its owner. Every name in it is new, so that it can be made again and again."""

    def __init__(self, server, standin, token, number, far):
        self.server, self.standin, self.token, self.far = server, standin, token, far
        self.tag = f"contract-{number}"
        self.call("POST", f"{standin}/control/slack/ratelimit", {"enabled": False})
        self.organisation = self.get("/v1/organisations")["data"][0]["id"]
        members = self.get(f"/v1/organisations/{self.organisation}/members?limit=250")["data"]
        self.user = next(member["userId"] for member in members if member["username"] == "ada")
        self.channel = self.make_channel(self.tag)
        self.links = self.get(f"/v1/channels/{self.channel}/webhook")
        self.key = self.links["webhookUrl"].split("key=")[1]
        # The examples of a dialect say of which integration.
        self.integration_key = "tlx_none"
        self.emitting_key = "none"

    def ask(self, method, address, body=None, token=True, also=None):
        """Asks for something that has to work, or to be answered by one other status, and tells the answer and where a browser is sent."""
        address = address if "://" in address else self.server + address
        request = urllib.request.Request(address, method=method)
        if token and address.startswith(self.server):
            request.add_header("Authorization", f"Bearer {self.token}")
            request.add_header("x-workspace-id", "acme")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.build_opener(NoRedirects).open(request, timeout=20) as answer:
                return answer.read().decode(), None
        except urllib.error.HTTPError as error:
            if 300 <= error.code < 400:
                return "", error.headers["Location"]
            if error.code == also:
                return "", None
            raise SystemExit(f"contract: {method} {address}: {error.code} {error.read().decode()}") from error

    def call(self, method, address, body=None):
        text, _ = self.ask(method, address, body)
        return json.loads(text) if text else {}

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)

    def credentials(self):
        """Every credential that a document may ask for: the scheme, its kind in Schemathesis' settings, and the value."""
        return {
            "bearerAuth": ("bearer", self.token),
            "operatorAuth": ("bearer", os.environ["OPERATOR_TOKEN"]),
            "integrationKeyAuth": ("bearer", self.emitting_key),
            "accessToken": ("api_key", self.token),
            "accessTokenInQuery": ("api_key", self.token),
            "authToken": ("api_key", self.token),
            "userId": ("api_key", self.user),
            "channelKey": ("api_key", self.key),
            "channelKeyInHeader": ("api_key", self.key),
            "integrationKey": ("api_key", self.integration_key),
        }

    def make_channel(self, name):
        return self.post("/v1/channels", {"name": name})["id"]

    def allow_slack(self, address):
        """Presses Allow at Slack, and tells the code and state that come back."""
        query = parameters(address)
        order = {name: query[name] for name in ("client_id", "redirect_uri", "state", "scope")}
        code = self.post(f"{self.standin}/control/slack/authorize", {**order, "team": "T0STANDIN"})["code"]
        return {"code": code, "state": query["state"]}

    def allowed_slack(self):
        return self.allow_slack(self.get("/v1/slack-integrations/oauth-url")["oauthUrl"])

    def connect_slack(self):
        self.post("/v1/slack-integrations/oauth/complete", self.allowed_slack())
        self.call("PATCH", "/v1/slack-integrations", {"slackChannelId": "C0ALERTS"})

    def forget_slack(self):
        """Disconnects Slack, where it is connected."""
        self.ask("DELETE", "/v1/slack-integrations", also=404)

    def github_card(self):
        return next(card for card in self.get("/api/v2/integration?team=acme") if card["name"] == "GitHub")

    def begin_github(self):
        """Installs the app at GitHub as ada, and tells where her browser is sent, and by which parameters."""
        state = parameters(self.github_card()["link"])["state"]
        order = {"account": "acme", "user": "ada", "state": state}
        location = self.post(f"{self.standin}/control/github/install-flow", order)["location"]
        return location, parameters(location)

    def connect_github(self):
        """Links GitHub with a proof from its pages, where it is not linked, and tells its number."""
        if self.github_card()["status"] == "linked":
            return self.get("/api/v2/integration/github/installation?team=acme")["installationId"]
        location, told = self.begin_github()
        if "code" not in told:
            _, elsewhere = self.ask("GET", location, token=False)
            asked = parameters(elsewhere)
            order = {"user": "ada", **{name: asked.get(name) for name in ("client_id", "redirect_uri", "state")}}
            location = self.post(f"{self.standin}/control/github/authorize", order)["location"]
        proof = parameters(location)
        link = {"ref": told["installation_id"], "team": "acme", "code": proof["code"], "state": proof["state"]}
        self.call("POST", "/api/v2/integration/github/link", link)
        return int(told["installation_id"])

    def until(self, path, find):
        """Asks again and again until something is found."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            found = find(self.get(path))
            if found:
                return found
            time.sleep(0.05)
        raise SystemExit(f"contract: {path} did not become what it has to within 20 seconds")

    def custom(self, name):
        """Installs a custom integration, and tells its id."""
        all_custom = f"/organisations/{self.organisation}/integrations/custom"
        address = f"{self.far.base}/descriptor/{self.tag}/{name}"
        self.post(all_custom, {"json_url": address})
        return next(one["id"] for one in self.get(all_custom)["data"] if one["json_url"] == address)

    def register(self, name, version):
        """Puts a version into the registry that anyone finds."""
        schema = {"type": "object", "properties": {"room": {"type": "string"}}}
        body = {
            "name": f"acme/{self.tag}-{name}",
            "version": version,
            "title": "Teams",
            "description": "Talks to teams",
            "url": f"{self.far.base}/hook",
            "configuration": {"schema": schema},
            "actions": {"send": {"input": {"schema": {}}, "output": {"schema": {}}}},
            "events": {"happened": {"schema": {}}},
            "visibility": "public",
            "icon": base64.b64encode(ICON.encode()).decode(),
            "readme": base64.b64encode(b"# Teams").decode(),
        }
        return self.post("/v1/admin/integrations", body)["integration"]

    def emitter(self):
        """Installs a version whose code has a key, and tells the headers by which it names itself."""
        version = self.register("emitting", "1.0.0")
        reference = {"name": version["name"], "version": version["version"]}
        installed = self.post("/v1/apps", {"registryVersion": reference})
        made = self.post("/v1/admin/integrations/iaks", {"integrationId": version["id"]})
        self.emitting_key = made["value"]
        return {"x-bot-id": installed["id"], "x-integration-id": version["id"]}

    def interface(self, name):
        """Puts a version of an interface into the registry that anyone finds."""
        body = {"name": f"acme/{self.tag}-{name}", "version": "1.0.0", "public": True}
        return self.post("/v1/admin/interfaces", body)["interface"]

    def hook(self, **more):
        body = {
            "type": "webhook-incoming",
            "username": "ada",
            "channel": f"#{self.tag}",
            "scriptEnabled": False,
            "name": "Builds",
            "enabled": True,
        }
        return self.post("/api/v1/integrations.create", {**body, **more})["integration"]
