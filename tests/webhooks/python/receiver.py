import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
seen: set[str] = set()  # a table with a unique column, where it has to outlive the process


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            webhook.verify(body, dict(self.headers))
        except Exception:  # not only WebhookVerificationError: a signature may be no base64 at all
            return self.answer(401)
        id = self.headers["webhook-id"]
        if id not in seen:
            print(json.loads(body)["message"], flush=True)
            seen.add(id)
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
