"""Integrations as the product's official examples have them, written anew from their public behaviour: each is a process
of its own, installed by its address, and its answers reach the channel. Runs beside a server; needs Python alone.

A real clock ticks for the interval integration, so this takes up to a minute.
"""

import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time
import urllib.request

SERVER, TOKEN, ORGANISATION = os.environ["SERVER_URL"], os.environ["TOKEN"], os.environ["ORGANISATION"]
FOLDER = pathlib.Path(__file__).parent
CUSTOM = f"/organisations/{ORGANISATION}/integrations/custom"
LIMIT_SECONDS = 90


def ask(method, path, body=None):
    content = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    request = urllib.request.Request(SERVER + path, content, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


class Example:
    """A running example."""

    def __init__(self, file):
        command = [sys.executable, FOLDER / file]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.said = queue.Queue()
        threading.Thread(target=lambda: [self.said.put(line.rstrip("\n")) for line in self.process.stdout], daemon=True).start()
        self.base = f"http://127.0.0.1:{self.says('listening')}"

    def says(self, word):
        """Waits for its next line, which has to begin with this word, and returns the rest."""
        line = self.said.get(timeout=LIMIT_SECONDS)
        assert line.startswith(f"{word}: "), f"{word} was expected, not {line!r}"
        return line[len(word) + 2 :]

    def use_in(self, channel, document):
        """Installs it and uses it in a channel. An example may be installed switched off."""
        url = f"{self.base}/{document}"
        made = ask("POST", CUSTOM, {"json_url": url})
        assert "warnings" not in made, made
        [id] = [one["id"] for one in ask("GET", CUSTOM)["data"] if one["json_url"] == url]
        ask("PATCH", f"/organisations/{ORGANISATION}/integrations/{id}", {"is_active": True})
        ask("PUT", f"/v1/channels/{channel}/apps/{id}", {})
        return id


def published(channel, begins):
    """Waits until the newest published message of the channel begins like this."""
    until = time.monotonic() + LIMIT_SECONDS
    while True:
        messages = ask("GET", f"/v1/channels/{channel}/messages")["data"]
        found = [message["data"]["message"] for message in messages if message["type"] == "message.published"]
        if found and found[0].startswith(begins):
            return found[0]
        assert time.monotonic() < until, f"{begins!r} is not in the channel: {messages}"
        time.sleep(0.05)


def agents(agent, logger):
    """An agent is given a key, and answers by it; its OAuth flow keeps a credential by a key of its own."""
    channel = ask("POST", "/v1/channels", {"name": "meetings"})["id"]
    id = agent.use_in(channel, "integration.json")
    logger.use_in(channel, "integration.json")
    assert agent.says("installed") == "tlx_"
    begun = ask("POST", f"/v1/apps/{id}/authorisation", {})
    with urllib.request.urlopen(begun["url"], timeout=20):
        assert agent.says("connected") == "calendar: 200"
    event = {"type": "message.posted", "channelId": channel, "data": {"message": "@Calendar when is my next meeting?"}}
    ask("POST", "/v1/events", event)
    assert agent.says("replied") == "200"
    published(channel, "Your next meeting is at nine (c4lendar).")
    logged = [logger.says("logged") for _ in range(2)]
    assert [line.split()[1] for line in logged] == ["@Calendar", "Your"], logged


def story(repeater, logger, monitor, agent, second_logger):
    agents(agent, second_logger)
    channel = ask("POST", "/v1/channels", {"name": "support"})["id"]
    monitor.use_in(channel, "integration.json")
    repeater.use_in(channel, "formatter-json")
    logger.use_in(channel, "integration.json")

    # A modifier's answer is what the channel gets, and an output with it.
    event = {"type": "message.posted", "channelId": channel, "data": {"message": "hello world"}}
    ask("POST", "/v1/events", event)
    changed = published(channel, "hello")
    assert changed == "hello world world ", changed
    assert logger.says("logged") == f"slug: {changed}"

    # What an interval integration finds out is posted after its tick, and goes the same way.
    assert monitor.says("posted") == "200"
    report = published(channel, "Site http")
    assert logger.says("logged") == f"slug: {report}"
    failed = ask("GET", "/v1/deliveries?state=failed")["data"]
    assert not failed, failed


examples = []
try:
    for file in ("word_repeater.py", "logger.py", "uptime_monitor.py", "agent.py", "logger.py"):
        examples.append(Example(file))
    story(*examples)
finally:
    for example in examples:
        example.process.kill()
print("telex: the examples: done")
