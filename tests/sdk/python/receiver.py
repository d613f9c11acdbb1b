"""A receiver of webhooks by the built wheel: it knows the secret that was replaced, and another one."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tieline_client.webhooks import WebhookRefused, verify_webhook

SECRETS = ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", os.environ["WEBHOOK_SECRET"]]
seen: set[str] = set()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            id = verify_webhook(SECRETS, dict(self.headers), body)
        except WebhookRefused:
            return self.answer(401)
        if id not in seen:
            print(json.loads(body)["message"], flush=True)
            seen.add(id)
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
