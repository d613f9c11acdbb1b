#!/usr/bin/python3
"""Runs a server with the system calls that ops/systemd/tieline.service leaves, and a script of a webhook in it.

Usage: tools/ops/unit.py TIELINE
       tools/ops/unit.py --confined TIELINE ARGUMENT...

The filters are made of the unit's lines as systemd makes them: SystemCallFilter=, MemoryDenyWriteExecute=,
RestrictNamespaces= and RestrictAddressFamilies=. With them a webhook's script has to answer, its process has to drop
the network (docs/scripts.md), and SIGTERM has to end the server with 0. The rest of the unit is the file system and the
user, which only systemd makes. Needs Debian's python3-seccomp and systemd-analyze.
"""

import ctypes
import errno
import json
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

import seccomp

ROOT = Path(__file__).resolve().parent.parent.parent
UNIT = ROOT / "ops/systemd/tieline.service"
PR_SET_NO_NEW_PRIVS = 38
PROT_WRITE, PROT_EXEC = 2, 4
NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
SCRIPT = "class Script { process_incoming_request({ request }) { return { content: { text: `${request.content.n}` } } } }"


def setting(name):
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def members(group):
    """Returns the system calls of a group of systemd."""
    found = set()
    for line in subprocess.check_output(["systemd-analyze", "syscall-filter", group], text=True).splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            found |= members(word) if word.startswith("@") else {word}
    return found


def confine():
    """Gives this process the filters of the unit, which the program that it becomes keeps."""
    # systemd itself executes the program, so that one call is there in any case.
    allowed = {"execve"}
    for line in setting("SystemCallFilter"):
        words = [members(word) if word.startswith("@") else {word} for word in line.lstrip("~").split()]
        calls = set().union(*words)
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    first = seccomp.SyscallFilter(defaction=seccomp.ERRNO(errno.EPERM))
    for call in sorted(allowed):
        try:
            first.add_rule(seccomp.ALLOW, call)
        except RuntimeError:
            # No such call on this architecture.
            continue
    second = seccomp.SyscallFilter(defaction=seccomp.ALLOW)
    refuse = seccomp.ERRNO(errno.EPERM)
    if setting("MemoryDenyWriteExecute") == ["yes"]:
        both = PROT_WRITE | PROT_EXEC
        second.add_rule(refuse, "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, both, both))
        second.add_rule(refuse, "mprotect", seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, PROT_EXEC))
    if setting("RestrictNamespaces") == ["yes"]:
        for flag in NAMESPACES:
            second.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    families = {getattr(socket, name).value for name in setting("RestrictAddressFamilies")[0].split()}
    for family in set(range(45)) - families:
        second.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, family))
    # The list comes last: it may leave out the call that makes filters.
    second.load()
    first.load()


def main():
    program = str(Path(sys.argv[1]).resolve())
    folder = Path(tempfile.mkdtemp(prefix="tieline-unit-"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    environment = {"PATH": os.environ["PATH"], "TIELINE_LISTEN": address, "TIELINE_DATA_DIR": str(folder / "data")}
    confined = [sys.executable, __file__, "--confined", program]
    about = {"env": environment, "cwd": folder}

    def run(*arguments):
        return json.loads(subprocess.check_output([*confined, *arguments], text=True, **about))

    def call(path, body=None):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        url = path if path.startswith("http") else f"http://{address}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
            return json.load(answer)

    run("org", "create", "unit")
    token = run("token", "create", "--org", "unit", "--user", "ada", "--role", "owner")["token"]
    log = folder / "log"
    server = subprocess.Popen([*confined, "serve"], stdout=subprocess.DEVNULL, stderr=log.open("w"), **about)
    try:
        for _ in range(150):
            try:
                call("/readyz")
                break
            except OSError:
                time.sleep(0.1)
        call("/v1/channels", {"name": "general"})
        webhook = {"name": "unit", "channels": ["#general"], "username": "ada", "script": SCRIPT, "scriptEnabled": True}
        made = call("/v1/incoming-webhooks", webhook)
        call(call(f"/v1/incoming-webhooks/{made['id']}/token")["url"], {"n": 7})
    finally:
        server.terminate()
        status = server.wait(30)
        text = log.read_text()
        shutil.rmtree(folder)
    if status != 0:
        sys.exit(f"the server ends with {status}:\n{text}")
    if "WARN" in text or "ERROR" in text:
        sys.exit(f"the server complains:\n{text}")
    print("a server and its scripts run with the system calls of the unit")


if __name__ == "__main__":
    if sys.argv[1] == "--confined":
        confine()
        os.execv(sys.argv[2], sys.argv[2:])
    main()
