"""Holds a running server against each published document, with Schemathesis.

    scripts/beside-server python tools/openapi/contract.py [--seconds N] [DOCUMENT...]

Without names, every document of one dialect (OpenAPI 3.0) in openapi/ is asked about, one after the other. Every
operation has to answer as it is documented: a status that is there, a body of its schema, no failure, and nobody let in
without the credentials that the operation asks for. At the end a run with a wrong token has to fail.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}

# Not `positive_data_acceptance`: what fits the schema may still be refused, where it names something that is not there
# or breaks a rule that no schema can say.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "use_after_free",
    "ignored_auth",
]


# They can take away the access of the very caller: Schemathesis sends ids that it has seen. Asked last.
ENDING = ["revokeToken", "removeMember", "updateMember", "removeChannelMember"]


def call(server, token, path, body=None):
    """Asks the server for something that has to work."""
    request = urllib.request.Request(server + path, headers={"Authorization": f"Bearer {token}"})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def prepare(server, token):
    """Makes what some credentials belong to, and tells every credential that a document may ask for."""
    organisation = call(server, token, "/v1/organisations")["data"][0]["id"]
    user = call(server, token, f"/v1/organisations/{organisation}/members")["data"][0]["userId"]
    channel = call(server, token, "/v1/channels", {"name": "contract"})["id"]
    links = call(server, token, f"/v1/channels/{channel}/webhook")
    key = links["webhookUrl"].split("key=")[1]
    return {
        "channel": channel,
        "organisation": organisation,
        "credentials": {
            "bearerAuth": ("bearer", token),
            "accessToken": ("api_key", token),
            "accessTokenInQuery": ("api_key", token),
            "authToken": ("api_key", token),
            "userId": ("api_key", user),
            "channelKey": ("api_key", key),
            "channelKeyInHeader": ("api_key", key),
        },
    }


def config(document, world, pins):
    """The configuration for one document: who calls, and where what is pinned is."""
    lines = ["workers = 1", "continue-on-failure = true", "seed = 20260314"]
    for scheme in document["components"]["securitySchemes"]:
        if scheme not in world["credentials"]:
            sys.exit(f"contract: no credential is known for the scheme {scheme}: add it to prepare()")
        kind, value = world["credentials"][scheme]
        lines += [f"[auth.openapi.{scheme}]", f"{kind} = {json.dumps(value)}"]
    if pins:
        lines += ["[parameters]"] + [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in pins.items()]
    return "\n".join(lines) + "\n"


def run(name, world, arguments, which="--exclude-operation-id"):
    """Runs Schemathesis on one document and tells whether it was content, and the figures."""
    path = ROOT / "openapi" / f"{name}.json"
    document = json.loads(path.read_text())
    used = {
        parameter["name"]
        for item in document["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
    }
    everywhere = {name: world["organisation"] for name in ("organisationId", "X-Organisation-Id", "x-workspace-id")}
    everywhere["channelId"] = world["channel"]
    pins = {name: value for name, value in everywhere.items() if name in used}
    operations = sum(
        method in METHODS and (operation["operationId"] in ENDING) == (which == "--include-operation-id")
        for item in document["paths"].values()
        for method, operation in item.items()
    )
    with tempfile.TemporaryDirectory() as folder:
        settings = pathlib.Path(folder) / "schemathesis.toml"
        settings.write_text(config(document, world, pins))
        command = ["schemathesis", "--config-file", str(settings), "run", str(path)]
        command += ["--url", os.environ["SERVER_URL"], "--checks", ",".join(CHECKS)]
        command += [part for ending in ENDING for part in (which, ending)]
        command += ["--max-examples", str(arguments.examples), "--max-time", str(arguments.seconds)]
        command += ["--generation-deterministic"]
        started = time.monotonic()
        result = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, timeout=arguments.seconds * 4 + 120
        )
    # Schemathesis is content where it was refused everywhere: with a dead token it tests nothing. What a far end signs,
    # nobody else may call. Of a few others only that may have been asked when the time was over.
    listed = re.findall(r"^401 Unauthorized \(.*\):\n((?:  - .*\n)+)", result.stdout, re.MULTILINE)
    refused = set(re.findall(r"^  - ([A-Z]+ /\S*)$", "".join(listed), re.MULTILINE))
    refused -= {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if operation["security"] == []
    }
    output = result.stdout + "".join(f"contract: refused every time: {operation}\n" for operation in sorted(refused))
    let_in = len(refused) * 4 <= operations or which == "--include-operation-id"
    cases = re.search(r"([\d,]+) generated", result.stdout)
    tested = re.search(r"Tested: (\d+)", result.stdout)
    figures = (
        operations,
        int(tested[1]) if tested else 0,
        int(cases[1].replace(",", "")) if cases else 0,
        time.monotonic() - started,
    )
    return result.returncode == 0 and let_in, figures, output


def dialects():
    """The documents of one dialect each; the assembled one has nothing that is not in them."""
    for path in sorted((ROOT / "openapi").glob("*.json")):
        if json.loads(path.read_text())["openapi"].startswith("3.0"):
            yield path.stem


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=40, help="the time for one document")
    parser.add_argument("--examples", type=int, default=10, help="the cases for one operation and phase")
    parser.add_argument("documents", nargs="*")
    arguments = parser.parse_args()
    server, token = os.environ["SERVER_URL"], os.environ["TOKEN"]
    world = prepare(server, token)
    failed = []
    for name in arguments.documents or dialects():
        content, (operations, tested, cases, seconds), output = run(name, world, arguments)
        if not content or tested != operations:
            failed.append(name)
            print(output)
        print(f"contract: {name}: {tested} of {operations} operations, {cases} cases, {seconds:.0f} s", flush=True)
    arguments.seconds = min(arguments.seconds, 15)
    content, (operations, tested, cases, seconds), output = run("native", world, arguments, "--include-operation-id")
    if not content or tested != operations:
        failed.append("native")
        print(output)
    print(f"contract: native, what ends access: {tested} of {operations} operations, {cases} cases, {seconds:.0f} s", flush=True)
    if failed:
        sys.exit(f"contract: not as documented: {', '.join(failed)}")
    dead = {**world, "credentials": dict.fromkeys(world["credentials"], ("api_key", "dead"))}
    dead["credentials"]["bearerAuth"] = ("bearer", "dead")
    arguments.seconds, arguments.examples = 8, 1
    content, _, _ = run("linkbreakers", dead, arguments)
    if content:
        sys.exit("contract: a run with a wrong token was content: the test tests nothing")
    print("contract: a run with a wrong token fails, as it has to")


if __name__ == "__main__":
    main()
