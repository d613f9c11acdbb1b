"""Holds a running server against each published document, with Schemathesis.

    scripts/beside-server python tools/openapi/contract.py [--examples N] [--seed N] [DOCUMENT...]

Without names, every document of one dialect (OpenAPI 3.0) in openapi/ is asked about, one after the other. Every
operation has to answer as it is documented: a status that is there, a body and headers of their schemas, no failure, and
nobody let in without the credentials that the operation asks for. Each has to do once what it is for, too: one that only
ever refused is not tested. The length of a run is the number of its cases, not a time, so that a slow machine tests what
a fast one does. At the end runs that have to fail, fail: with a wrong token, and with documents that are not true.
"""

import argparse
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter

from examples import ALL, Examples
from world import FarEnd, World

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}

# One run of Schemathesis may never take longer, in seconds; it is over long before.
LIMIT = 600

# Every check of Schemathesis is made but these.
UNCHECKED = {
    "positive_data_acceptance": "what fits the schema may still be refused, where it names something that is not there or"
    " breaks a rule that no schema can say; `unreached` demands what matters of it",
    "object_level_authorization": "it needs callers described in a format of its own, and only reads; the matrix in"
    " tests/authorisation.rs asks every operation as a stranger",
}

# Every warning fails a run but these, which count a share of refusals: `unreached` counts exactly.
UNCOUNTED = {"missing_auth", "missing_test_data", "validation_mismatch", "low_valid_rate"}
WARNINGS = [
    "base_url_mismatch",
    "missing_deserializer",
    "unused_openapi_auth",
    "unsupported_regex",
    "method_not_allowed",
    "constants_extraction",
    "unmatched_filter",
    "unresolvable_reference",
    "rate_limited",
    "dictionary_mismatch",
    "timeout_units",
]

# Asked apart, in a world of their own. Schemathesis sends ids that it has seen, and so these can take away the access of
# the very caller, or what others need;
APART = {
    "deleteConnection",
    "deleteSlackIntegration",
    "removeChannelMember",
    "removeMember",
    "revokeToken",
    "unlinkGithubInstallation",
    "updateMember",
}
# and these find nothing any more, once the channel or the integration that they are about has been deleted.
APART |= {
    "deleteChannelIntegration",
    "deleteChannelSetting",
    "listChannelSettings",
    "updateChannelSetting",
}

# What is not of its type is passed over by these, as the product does it, where it belongs to the other type of webhook
# or is not used, or is reported in an answer with 200: there `negative_data_rejection` is off.
LENIENT = {
    "createWebhookIntegration",
    "receiveWebhook",
    "receiveWebhookOfUser",
    "updateWebhookIntegration",
    "validateRegistryVersion",
    "validateRegistryVersionUpdate",
}

# What nobody here can make succeed, and why. What it refuses is tested all the same.
UNREACHED = {
    "addWebhookSubscriber": "webhooks.self_service_hooks is off",
    "removeWebhookSubscriber": "the same",
    "getSession": "it takes the cookie of a session alone, which the caller here does not have",
    "deleteSession": "the same",
    "acceptInvitation": "it takes a JWT, and this server has no issuer",
    "declineInvitation": "the same",
    "listInvitations": "the same",
    "getConsent": "it takes the cookie of a browser that was asked",
    "giveConsent": "the same",
    "receiveGithubEvent": "GitHub signs the bytes of the body",
    "receiveSlackCommand": "Slack signs the bytes of the body",
    "receiveSlackEvent": "Slack signs the bytes of the body",
    "receiveSlackInteraction": "Slack signs the bytes of the body",
}


def operations_of(document):
    """Every operation of a document with its method and path."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield method, path, operation


def settings(document, credentials, pins, seed):
    """The settings for one document: who calls, what is checked, and what is always the same."""
    lines = ["workers = 1", "continue-on-failure = true", f"seed = {seed}"]
    lines += ["[warnings]", f"fail-on = {json.dumps(WARNINGS)}"]
    # 413 is how the registry says that a list is too long.
    refusals = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429"]
    lines += [f"[checks.{name}]\nenabled = false" for name in UNCHECKED]
    lines += ["[checks.negative_data_rejection]", f"expected-statuses = {json.dumps(refusals)}"]
    for scheme, definition in document["components"]["securitySchemes"].items():
        # A session's cookie has another name over http; tests/portal_sessions.rs uses it.
        if definition.get("in") == "cookie":
            continue
        if scheme not in credentials:
            sys.exit(f"contract: no credential is known for the scheme {scheme}: add it to World.credentials()")
        kind, value = credentials[scheme]
        lines += [f"[auth.openapi.{scheme}]", f"{kind} = {json.dumps(value)}"]
    for id in sorted(LENIENT & {operation["operationId"] for *_, operation in operations_of(document)}):
        lines += ["[[operations]]", f"include-operation-id = {json.dumps(id)}"]
        lines += ["checks.negative_data_rejection.enabled = false"]
    used = {parameter["name"] for *_, operation in operations_of(document) for parameter in operation.get("parameters", [])}
    pins = [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in pins.items() if name in used]
    return "\n".join([*lines, "[parameters]", *pins, ""])


def pinned(world):
    """Which organisation and channel are meant, whatever a dialect calls that."""
    home = ("organisationId", "organisation_id", "org_id", "X-Organisation-Id")
    pins = dict.fromkeys(home, world.organisation)
    return {**pins, "x-workspace-id": "acme", "channelId": world.channel, "channel_id": world.channel}


def with_examples(document, examples):
    """The same document with examples that are true."""
    known = {operation["operationId"] for *_, operation in operations_of(document)}
    if set(examples.operations) - known:
        sys.exit(f"contract: there are examples for operations that are not there: {set(examples.operations) - known}")
    document = copy.deepcopy(document)
    for _, path, operation in operations_of(document):
        values = {}
        for prefix in sorted((prefix for prefix in examples.paths if path.startswith(prefix)), key=len):
            values |= examples.paths[prefix]
        values |= examples.operations.get(operation["operationId"], {})
        for parameter in operation.get("parameters", []):
            if parameter["name"] in values:
                parameter.pop("examples", None)
                parameter["example"] = values[parameter["name"]]
        for media in operation.get("requestBody", {}).get("content", {}).values():
            if "body" in values:
                media.pop("examples", None)
                media["example"] = values["body"]
    return document


def run(document, world, credentials, arguments, more):
    """Runs Schemathesis on a document: whether it was content, what it wrote, and the statuses of each operation."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "document.json").write_text(json.dumps(document))
        (folder / "schemathesis.toml").write_text(settings(document, credentials, pinned(world), arguments.seed))
        command = ["schemathesis", "--config-file", "schemathesis.toml", "run", "document.json"]
        command += ["--url", world.server, "--max-examples", str(arguments.examples)]
        command += ["--generation-database", "none", "--suppress-health-check", "all"]
        command += ["--report", "ndjson", "--report-ndjson-path", "report.ndjson", *more]
        result = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, timeout=LIMIT
        )
        report = folder / "report.ndjson"
        return result.returncode == 0, result.stdout, statuses(report) if report.exists() else {}


def statuses(report):
    """How often each operation was answered how."""
    found = {}
    with report.open() as lines:
        for line in lines:
            if not line.startswith('{"ScenarioFinished"'):
                continue
            recorder = json.loads(line)["ScenarioFinished"]["recorder"]
            for id, case in recorder.get("cases", {}).items():
                response = (recorder.get("interactions", {}).get(id) or {}).get("response")
                if response:
                    place = f"{case['value']['method']} {case['value']['path']}"
                    found.setdefault(place, Counter())[response["status_code"]] += 1
    return found


def unreached(document, ids, answered):
    """The operations that never did what they are for, each with what it was answered."""
    for method, path, operation in operations_of(document):
        seen = answered.get(f"{method.upper()} {path}", {})
        reached = any(200 <= status < 400 for status in seen)
        if operation["operationId"] in ids and reached == (operation["operationId"] in UNREACHED):
            wrong = "is in UNREACHED and succeeded" if reached else "never succeeded"
            yield operation["operationId"], f"{operation['operationId']} {wrong}: {dict(seen)}"


def told(output):
    """The lines by which Schemathesis says what it found wrong, and where."""
    heading = re.compile(r"_{3,} (?P<place>[A-Z]+ /\S*|.*) _{3,}")
    place = ""
    for line in output.splitlines():
        if found := heading.match(line):
            place = found["place"]
        elif line.startswith("- ") and place:
            yield f"{place}: {line[2:]}"


def hold(name, make_world, arguments):
    """Holds the server against one document: what was wrong, and the figures."""
    document = json.loads((ROOT / "openapi" / f"{name}.json").read_text())
    every = {operation["operationId"] for *_, operation in operations_of(document)}
    wrong, cases, started = [], 0, time.monotonic()
    for ids, option, phases in (
        (every - APART, "--exclude-operation-id", "examples,coverage,fuzzing,stateful"),
        # Nothing that makes anything is asked here, and so nothing leads from one to the next.
        (every & APART, "--include-operation-id", "examples,coverage,fuzzing"),
    ):
        if not ids:
            continue
        world = make_world()
        examples = ALL[name](world) if name in ALL else Examples()
        more = [part for id in sorted(every & APART) for part in (option, id)] + ["--phases", phases]
        content, output, answered = run(with_examples(document, examples), world, world.credentials(), arguments, more)
        cases += sum(counter.total() for counter in answered.values())
        if not content:
            wrong.append(output + "".join(f"contract: {name}: {line}\n" for line in told(output)))
        missing = dict(unreached(document, ids, answered))
        for id in missing:
            # Which operation Schemathesis asks when, and what the others have deleted until then, is a matter of the ids
            # that it saw: what was never reached among the others is asked once more, alone.
            world = make_world()
            examples = ALL[name](world) if name in ALL else Examples()
            more = ["--include-operation-id", id, "--phases", "examples,coverage"]
            content, output, answered = run(
                with_examples(document, examples), world, world.credentials(), arguments, more
            )
            cases += sum(counter.total() for counter in answered.values())
            alone = dict(unreached(document, {id}, answered))
            if not content or alone:
                wrong.append(f"{output}contract: {name}: among the others {missing[id]}; alone {alone.get(id, 'failed')}\n")
    return wrong, (name, len(every), cases, time.monotonic() - started)


def dialects():
    """The documents of one dialect each; the assembled one has nothing that is not in them."""
    for path in sorted((ROOT / "openapi").glob("*.json")):
        if json.loads(path.read_text())["openapi"].startswith("3.0"):
            yield path.stem


def answers(document):
    """The documented answers of the operation that the documents that are not true are about."""
    return document["paths"]["/v1/slack-integrations/oauth-url"]["get"]["responses"]


def untrue(document):
    """Documents that are not true, and the code by which Schemathesis has to call what is wrong with each."""

    def but(change):
        changed = copy.deepcopy(document)
        change(changed)
        return changed

    schema = answers(document)["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    yield "ST103", but(lambda one: answers(one).pop("200"))
    yield "ST108", but(
        lambda one: one["components"]["schemas"][schema]["properties"].update(oauthUrl={"type": "integer"})
    )
    yield "ST105", but(
        lambda one: answers(one)["200"].update(content={"text/plain": {"schema": {"type": "string"}}})
    )
    yield "ST107", but(
        lambda one: answers(one)["200"]["headers"].update({"X-Other": {"required": True, "schema": {"type": "string"}}})
    )


def check_that_it_can_fail(make_world, arguments):
    """Runs that have to fail; tells those that did not."""
    arguments = copy.copy(arguments)
    arguments.examples = 1
    document = json.loads((ROOT / "openapi" / "linkbreakers.json").read_text())
    world = make_world()
    only = ["--include-operation-id", "getSlackOAuthUrl", "--phases", "examples,coverage,fuzzing"]
    content, output, _ = run(document, world, world.credentials(), arguments, only)
    if not content:
        yield f"{output}\nthe true document"
    for name, wrong in untrue(document):
        content, output, _ = run(wrong, world, world.credentials(), arguments, only)
        if content or name not in output:
            yield f"{output}\na document that is not true ({name})"
    dead = {scheme: (kind, "dead") for scheme, (kind, _) in world.credentials().items()}
    _, _, answered = run(document, world, dead, arguments, only)
    if not dict(unreached(document, {"getSlackOAuthUrl"}, answered)):
        yield "a wrong token"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=10, help="the cases for one operation and phase, at most")
    parser.add_argument("--seed", type=int, default=20260314, help="another one makes other cases")
    parser.add_argument("documents", nargs="*")
    arguments = parser.parse_args()
    far, count = FarEnd(), iter(range(1000))

    def make_world():
        return World(os.environ["SERVER_URL"], os.environ["STANDIN_URL"], os.environ["TOKEN"], next(count), far)

    started, figures, failed, reasons = time.monotonic(), [], [], []
    for name in arguments.documents or dialects():
        wrong, figure = hold(name, make_world, arguments)
        figures.append(figure)
        if wrong:
            failed.append(name)
            reasons += wrong
            print("\n".join(wrong))
        print("contract: {}: {} operations, {} cases, {:.0f} s".format(*figure), flush=True)
    for passed in check_that_it_can_fail(make_world, arguments):
        failed.append("itself")
        print(f"contract: has to be told from the truth and was not: {passed}")
    total = time.monotonic() - started
    figures.append(("all", sum(one[1] for one in figures), sum(one[2] for one in figures), total))
    print("\n| dialect | operations | cases | seconds |\n|---|---:|---:|---:|")
    for figure in figures:
        print("| {} | {} | {} | {:.0f} |".format(*figure))
    if failed:
        # Said at the end, too: what is far up in a log is not found.
        print("".join(line for line in "\n".join(reasons).splitlines(True) if line.startswith("contract: ")))
        sys.exit(f"contract: not as documented: {', '.join(failed)}")


if __name__ == "__main__":
    main()
