#!/usr/bin/env python3
"""Starts what compose.yaml describes, without Docker: the commands of its services, with their settings.

Usage: tools/ops/compose.py BINARIES

BINARIES is the folder of `tieline` and `standin`. The volume is a new folder, and the ports are free ones. The demo has
to print a link and a token that the server takes. The names that the services have for files and programs have to be
those of the Dockerfile, and what Docker copies has to be enough for cargo to read the workspace. Variables that
compose.yaml takes from the environment, such as DATABASE_URL, are taken from this one.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
VOLUME = "/var/lib/tieline"
PORTS = ("8080", "8090")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def check_dockerfile(services):
    """Fails where the Dockerfile does not fit compose.yaml, the toolchain or the sources."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    channel = re.search(r'^channel = "(.*)"', (ROOT / "rust-toolchain.toml").read_text(), re.MULTILINE)[1]
    if f"ARG RUST_VERSION={channel}\n" not in dockerfile:
        sys.exit(f"the Dockerfile builds with another toolchain than {channel}, which rust-toolchain.toml pins")
    stages = re.findall(r"^FROM .* AS (\S+)$", dockerfile, re.MULTILINE)
    for name, service in services.items():
        target = service.get("build", {}).get("target")
        if target and target not in stages:
            sys.exit(f"{name} is built from the stage {target}, which the Dockerfile has not")
        if target and not any(entry == f"state:{VOLUME}" for entry in service["volumes"]):
            sys.exit(f"{name} has no volume at {VOLUME}")
    if f"VOLUME {VOLUME}" not in dockerfile or "USER 65532:65532" not in dockerfile:
        sys.exit("the image has another volume or another user than compose.yaml")


def check_context():
    """Fails where a file that the build needs is not in the context that .dockerignore leaves."""
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    patterns = [re.compile(re.escape(one).replace(r"\*", "[^/]*") + r"(/.*)?") for one in kept]
    unused = [one for one, pattern in zip(kept, patterns) if not any(pattern.fullmatch(path) for path in tracked)]
    if unused:
        sys.exit(f".dockerignore keeps what is not there: {', '.join(unused)}")
    copied = {path for path in tracked if any(pattern.fullmatch(path) for pattern in patterns)}
    for source in (path for path in copied if path.endswith(".rs")):
        text = (ROOT / source).read_text()
        wanted = [Path(source).parent / name for name in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', text)]
        wanted += [Path(name) for name in re.findall(r'#\[folder = "([^"]+)"\]', text)]
        for path in wanted:
            name = os.path.normpath(path)
            # Tests, and what they include, are not built.
            if "tests" in source.split("/") or name.startswith("tests/"):
                continue
            if not any(one == name or one.startswith(f"{name}/") for one in copied):
                sys.exit(f"{source} includes {name}, which .dockerignore leaves out")
    context = Path(tempfile.mkdtemp(prefix="tieline-context-"))
    try:
        for path in copied:
            (context / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, context / path)
        called = ["cargo", "metadata", "--locked", "--no-deps", "--format-version=1"]
        read = subprocess.run(called, cwd=context, capture_output=True, text=True, check=False)
        if read.returncode:
            sys.exit(f"cargo cannot read the workspace that Docker copies:\n{read.stderr}")
    finally:
        shutil.rmtree(context)


class Demo:
    """The services as processes of this machine."""

    def __init__(self, binaries, services):
        self.binaries, self.services = binaries, services
        self.folder = Path(tempfile.mkdtemp(prefix="tieline-compose-"))
        self.ports = {port: free_port() for port in PORTS}
        self.running = []

    def text(self, value):
        """A value of compose.yaml on this machine: variables with their defaults, the volume, the ports."""
        value = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: os.environ.get(found[1]) or found[2], str(value))
        value = value.replace(VOLUME, str(self.folder / "state"))
        for port, here in self.ports.items():
            value = re.sub(rf":{port}\b", f":{here}", value)
        return value

    def start(self, name):
        service = self.services[name]
        words = [self.text(word) for word in service["command"]]
        if service.get("image") == "tieline":
            words.insert(0, "tieline")
        program = ROOT / "scripts/demo-sign-in" if words[0] == "demo-sign-in" else self.binaries / words[0]
        environment = {key: self.text(value) for key, value in service.get("environment", {}).items()}
        environment["PATH"] = f"{self.binaries}:{os.environ['PATH']}"
        process = subprocess.Popen(
            [program, *words[1:]],
            env=environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(process)
        return process

    def wait_for_health(self, name):
        test = [self.text(word) for word in self.services[name]["healthcheck"]["test"][1:]]
        for _ in range(100):
            if subprocess.run(test, check=False, capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        sys.exit(f"{name} does not become healthy")

    def stop(self):
        for process in reversed(self.running):
            process.terminate()
            process.wait(60)
        shutil.rmtree(self.folder)


def main():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services = compose["services"]
    check_dockerfile(services)
    check_context()
    demo = Demo(Path(sys.argv[1]).resolve(), services)
    (demo.folder / "state").mkdir()
    try:
        demo.start("standin")
        demo.wait_for_health("standin")
        server = demo.start("tieline")
        printed, _ = demo.start("sign-in").communicate(timeout=60)
        token = re.search(r"Access token +(\S+)", printed)
        link = re.search(r"Sign in +(\S+)", printed)
        if not token or not link:
            server.terminate()
            sys.exit(f"the demo printed no token or no link:\n{printed}\n{server.communicate()[0]}")
        address = f"http://127.0.0.1:{demo.ports['8080']}"
        for url in (link[1], f"{address}/v1/destinations"):
            asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token[1]}"})
            with urllib.request.urlopen(asked, timeout=10) as answer:
                if answer.status != 200:
                    sys.exit(f"{url} answers {answer.status}")
    finally:
        demo.stop()
    database = "PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite"
    print(f"the services of compose.yaml give the demo on {database}, started without Docker")


if __name__ == "__main__":
    main()
