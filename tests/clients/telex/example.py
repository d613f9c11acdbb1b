"""What the examples of integrations share: a server on a free port of loopback that says on its output where it listens."""

import json
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Refused(Exception):
    """A request that a model of the example's does not take."""


def members(value, names):
    """The named members, all of which have to be there, as a pydantic model without defaults demands."""
    missing = [name for name in names if name not in value]
    if missing:
        raise Refused(f"missing: {', '.join(missing)}")
    return {name: value[name] for name in names}


def settings(body):
    """The settings, as the examples' models read them: each with four members."""
    return [members(setting, ("label", "type", "required", "default")) for setting in body["settings"]]


def serve(documents, handlers, pages=None):
    """Serves documents by GET, made of the server's own address, and handlers by POST: each returns a status and an answer.
    Pages are handlers by GET, of a query."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status, body):
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self):
            path, _, query = self.path.partition("?")
            if path in documents:
                self.answer(200, documents[path](f"http://{self.headers['host']}"))
            elif path in (pages or {}):
                self.answer(*pages[path](dict(urllib.parse.parse_qsl(query))))
            else:
                self.answer(404, {"detail": "Not Found"})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                self.answer(*handlers[self.path](body))
            except Refused as why:
                say(f"refused: {why}")
                self.answer(400, {"detail": f"Error: {why}"})

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    say(f"listening: {server.server_port}")
    server.serve_forever()


def say(line):
    print(line, flush=True)
