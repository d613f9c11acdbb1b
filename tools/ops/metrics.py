#!/usr/bin/env python3
"""Compares the metrics that the alerts and the dashboard name with those that a running server exposes.

Usage: tools/ops/metrics.py TIELINE EXPOSITION

Starts TIELINE on a database of its own and provokes what the metrics count: deliveries that arrive and that are
exhausted, a destination that fails and one that is disabled, wrong credentials, a connection that misses its deadline.
Each metric and each label with its values that ops/ names has to be in the answer of /metrics then, and the alerts and
the dashboard have to be complete. The exposition is left in the file EXPOSITION, for promtool.
"""

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
ALERTS = ROOT / "ops/prometheus/alerts.yaml"
DASHBOARD = ROOT / "ops/grafana/tieline.json"
DEADLINE_SECONDS = 40

# Series that Prometheus makes itself.
OF_PROMETHEUS = {"up"}
# Labels that a scrape or an expression adds.
OF_SCRAPE = {"job", "instance", "le"}
NAME = re.compile(r"\b(tieline_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
BY = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")


def expressions():
    """Yields each expression of the alerts and the dashboard with its place."""
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", rule["expr"]
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["definition"]


def check_texts():
    """Returns the faults of the alerts and the dashboard that need no server."""
    faults = []
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            name, notes = rule["alert"], rule.get("annotations", {})
            if rule.get("labels", {}).get("severity") not in ("critical", "warning"):
                faults.append(f"alert {name} has no severity")
            faults += [f"alert {name} has no {field}" for field in ("summary", "description") if not notes.get(field)]
            page, _, section = notes.get("runbook_url", "").partition("#")
            text = (ROOT / page).read_text() if page and (ROOT / page).is_file() else ""
            headings = {
                re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                for line in text.splitlines()
                if line.startswith("#")
            }
            if section != name.lower() or section not in headings:
                faults.append(f"alert {name}: {notes.get('runbook_url')!r} is no heading of its own in a document")
    panels = json.loads(DASHBOARD.read_text())["panels"]
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        faults.append("two panels have the same id")
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            faults.append(f"panel {panel['title']} is wider than the page")
        if panel["type"] != "row" and not (panel.get("targets") and panel.get("description")):
            faults.append(f"panel {panel['title']} has no expression or no description")
    return faults


class Target(http.server.BaseHTTPRequestHandler):
    """A target of webhooks: 200, or the status that the path names."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(int(self.path.strip("/") or 200))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server with a database of its own, and an owner's token."""

    def __init__(self, binary, folder):
        self.url = f"http://127.0.0.1:{free_port()}"
        # A proxy or an operator's settings in the environment are not meant for it.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TIELINE_", "DATABASE_"))}
        self.environment = kept | {
            "TIELINE_LISTEN": self.url.removeprefix("http://"),
            "TIELINE_DATA_DIR": str(folder / "data"),
            "TIELINE_EGRESS__ALLOW": "127.0.0.0/8",
            "TIELINE_DELIVERY__RETRY_SCHEDULE_SECS": "1",
            "TIELINE_DELIVERY__FAILING_AFTER_ATTEMPTS": "1",
            "TIELINE_LIMITS__WRONG_CREDENTIALS_PER_MINUTE": "1",
            "TIELINE_SERVER__HEADER_TIMEOUT_SECS": "1",
        }
        self.binary, self.folder, self.log = binary, folder, folder / "log"
        self.run("org", "create", "ops")
        self.token = json.loads(self.run("token", "create", "--org", "ops", "--user", "ops", "--role", "owner"))[
            "token"
        ]
        self.process = subprocess.Popen(
            [binary, "serve"], env=self.environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=self.log.open("w")
        )

    def run(self, *arguments):
        called = [self.binary, *arguments]
        done = subprocess.run(
            called, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"tieline {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def call(self, path, body=None, token=None):
        """Returns the status and the text of an answer."""
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def wait(self):
        for _ in range(300):
            if self.process.poll() is not None:
                sys.exit(f"the server has stopped:\n{self.log.read_text()}")
            try:
                if self.call("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        sys.exit("the server does not become ready")

    def provoke(self, target):
        """Makes the server count what it can count."""
        for status in (200, 410, 500):
            destination = {"kind": "webhook", "url": f"{target}/{status}"}
            made = self.call("/v1/routes", {"types": [f"ops.{status}"], "destination": destination})
            if made[0] != 201:
                sys.exit(f"no route to {destination}: {made}")
            sent = self.call("/v1/events", {"type": f"ops.{status}", "data": {}})
            if sent[0] != 202:
                sys.exit(f"no event: {sent}")
        self.call("/v1/events", {"type": "ops.unrouted"})
        for _ in range(5):
            self.call("/v1/tokens", token="tl_wrong")
        host, _, port = self.url.removeprefix("http://").partition(":")
        self.half = socket.create_connection((host, int(port)))

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def samples(text):
    """Returns the labels with their values of each sample's name."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, rest = re.match(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})?", line).groups()
            labels = found.setdefault(name, {})
            for label, value in MATCHER.findall(rest or ""):
                labels.setdefault(label, set()).add(value)
    return found


def for_promtool(text):
    """Returns an exposition as Prometheus' text, which is all that promtool reads.

    OpenMetrics text, which ends with `# EOF`, describes a counter by a name without `_total`.
    """
    if not text.rstrip().endswith("# EOF"):
        return text
    for name in re.findall(r"^# TYPE (\S+) counter$", text, re.MULTILINE):
        text = re.sub(rf"^# (HELP|TYPE) {name} ", rf"# \1 {name}_total ", text, flags=re.MULTILINE)
    return text


def compare(exposed):
    """Returns a line for each name that a server does not expose."""
    faults = []
    for place, expression in expressions():
        used = NAME.findall(BY.sub(" ", expression))
        if not used:
            faults.append(f"{place} names no metric")
        labels = {label.strip() for listed in BY.findall(expression) for label in listed.split(",") if label.strip()}
        known = set(OF_SCRAPE)
        for name, matchers in used:
            if name in OF_PROMETHEUS:
                continue
            if name not in exposed:
                faults.append(f"{place} names {name}, which the server does not expose")
                continue
            known |= exposed[name].keys()
            matched = {label for label, _ in MATCHER.findall(matchers)}
            faults += [
                f"{place}: {name} has no label {label}" for label in sorted(matched - exposed[name].keys() - OF_SCRAPE)
            ]
        faults += [f"{place} aggregates by {label}, which no metric of it has" for label in sorted(labels - known)]
    return faults


def main():
    binary, exposition = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2])
    faults = check_texts()
    folder = Path(tempfile.mkdtemp(prefix="tieline-ops-"))
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    server = Server(binary, folder)
    try:
        server.wait()
        server.provoke(f"http://127.0.0.1:{listener.server_port}")
        end = time.monotonic() + DEADLINE_SECONDS
        while True:
            status, text = server.call("/metrics")
            missing = compare(samples(text)) if status == 200 else [f"/metrics answers {status}"]
            if not missing or time.monotonic() > end:
                break
            time.sleep(0.5)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    exposition.write_text(for_promtool(text))
    faults += missing
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(list(expressions()))} expressions name metrics that a server exposes")


if __name__ == "__main__":
    main()
