"""Compares the published documents with those of the latest release, and fails where a client would break.

    python3 tools/openapi/diff.py

The latest release is the highest version in openapi/released/. What a client may send can only widen, what it gets can only
gain. `redocly diff` judges that; what it lets pass and a generated client would notice is judged here, from its list of
changes. Paths and names of schemas that are gone are found here too: it would pair them with new ones that look alike,
so that what is added would change what is said of the rest. A difference that is meant has a line in the accepted.txt
beside the released documents:

    DOCUMENT RULE POINTER -- WHY

A line for which there is no difference fails too. Before all that the judge is judged, on small documents with one change
each.
"""

import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools" / "openapi"
ACCEPTED = "accepted.txt"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


def compare(base, revision):
    """What breaks a client from one document to the next: (rule, pointer, message), and the number of other changes."""
    old, new = (json.loads(pathlib.Path(path).read_text()) for path in (base, revision))
    gone = [("path-removed", pointer("paths", path), "A client calls it.") for path in old["paths"] if path not in new["paths"]]
    gone += [
        ("schema-name-removed", pointer("components", "schemas", name), "A generated client has a type of this name.")
        for name in schemas(old)
        if name not in schemas(new)
    ]
    both = old["paths"].keys() & new["paths"].keys()
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / name for name in ("base.json", "revision.json")]
        for path, document in zip(paths, (old, new)):
            path.write_text(json.dumps(narrowed(document, both)))
        breaking, harmless = compare_paths(*paths)
    return gone + breaking, harmless + len(new["paths"].keys() - both)


def pointer(*steps):
    """The JSON Pointer of a place in a document, as a fragment."""
    return "#/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)


def schemas(document):
    """The named schemas of a document."""
    return document.get("components", {}).get("schemas", {})


def narrowed(document, paths):
    """A document with these paths alone, and the schemas that they refer to."""
    document = plain(document | {"paths": {path: item for path, item in document["paths"].items() if path in paths}})
    names, found = set(), named_in(document["paths"])
    while found:
        names |= found
        found = {name for known in found for name in named_in(schemas(document).get(known))} - names
    kept = {name: schema for name, schema in schemas(document).items() if name in names}
    return document | {"components": document.get("components", {}) | {"schemas": kept}}


def plain(value):
    """A part of a document without what is no difference on the wire: an object that stands where it is used is the same with
    a name, a reference with a description of its own is the reference, and a bound told in words is told in numbers."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"description", "allOf"} and [set(part) for part in value["allOf"]] == [{"$ref"}]:
        return value["allOf"][0]
    value = {key: plain(one) for key, one in value.items()}
    told = re.search(r"At most (\d+) entries\.$", str(value.get("description", "")))
    if value.get("type") == "object" and told:
        value["maxProperties"] = int(told[1])
    return value


def named_in(value):
    """The names of the schemas that a part of a document refers to."""
    return set(re.findall(r'"#/components/schemas/([^"/]+)', json.dumps(value)))


def compare_paths(base, revision):
    """What breaks a client, and the number of other changes, between documents of the same paths."""
    command = [TOOLS / "node_modules" / ".bin" / "redocly", "diff", base, revision, "--format", "json"]
    command += ["--config", TOOLS / "redocly-diff.yaml"]
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | QUIET, timeout=120)
    try:
        changes = json.loads(result.stdout)["changes"]
    except (ValueError, KeyError):
        sys.exit(f"diff-openapi: redocly could not compare {base} with {revision}:\n{result.stdout}{result.stderr}")
    breaking = []
    for change in changes:
        verdicts = [verdict for verdict in change["verdicts"] if verdict["impact"] == "major"]
        breaking += [(one["ruleId"], one["location"]["pointer"], one["message"]) for one in verdicts]
        if change["impact"] != "major":
            breaking += missed(change)
    return breaking, sum(change["impact"] != "major" for change in changes)


def missed(change):
    """The verdict on a change that redocly takes for harmless."""
    place = change.get("base", {}).get("pointer", change["path"])
    if change["typeName"] != "Schema":
        return []
    if change["kind"] == "removed" and "/requestBody/" in change["path"] and re.search(r"/properties/[^/]+$", change["path"]):
        return [("request-property-removed", place, "A client sends it still, and nobody reads it.")]
    if change.get("property") == "default" and "value" in change.get("base", {}):
        return [("default-changed", place, "Who leaves it out relies on what it was.")]
    return []


def latest():
    """The folder of the latest release."""
    versions = [folder for folder in (ROOT / "openapi" / "released").glob("*") if re.fullmatch(r"\d+\.\d+\.\d+", folder.name)]
    if not versions:
        sys.exit("diff-openapi: openapi/released has no version: make release-openapi")
    return max(versions, key=lambda folder: [int(part) for part in folder.name.split(".")])


def accepted(folder):
    """The differences that are meant."""
    lines = (folder / ACCEPTED).read_text().splitlines() if (folder / ACCEPTED).exists() else []
    found = set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        difference, _, why = line.partition(" -- ")
        if len(difference.split()) != 3 or not why.strip():
            sys.exit(f"diff-openapi: {folder / ACCEPTED}:{number} has to be: DOCUMENT RULE POINTER -- WHY")
        found.add(tuple(difference.split()))
    return found


def compare_release():
    """Compares every document of the latest release, and tells what is wrong."""
    folder = latest()
    wrong, seen, harmless = [], set(), 0
    meant = accepted(folder)
    documents = sorted(folder.glob("*.json"))
    if not documents:
        sys.exit(f"diff-openapi: {folder} has no document")
    gone = [base.stem for base in documents if not (ROOT / "openapi" / base.name).exists()]
    wrong += [f"{name}: the document is not published any more" for name in gone]
    with ThreadPoolExecutor(2) as pool:
        there = [base for base in documents if base.stem not in gone]
        results = pool.map(lambda base: compare(base, ROOT / "openapi" / base.name), there)
        for base, (breaking, others) in zip(there, results):
            harmless += others
            for rule, pointer, message in breaking:
                seen.add((base.stem, rule, pointer))
                if (base.stem, rule, pointer) not in meant:
                    wrong.append(f"{base.stem} {rule} {pointer}\n    {message}")
    wrong += [f"{' '.join(line)}\n    is accepted in {ACCEPTED}, and is no difference: take it out" for line in sorted(meant - seen)]
    for line in wrong:
        print(line)
    if wrong:
        sys.exit(
            f"diff-openapi: {len(wrong)} found that a client of {folder.name} would notice. Where one is meant, say so in "
            f"{(folder / ACCEPTED).relative_to(ROOT)}: its line, then ` -- ` and why; and in CHANGELOG.md"
        )
    print(f"diff-openapi: nothing breaks a client of {folder.name}: {harmless} changes that do not, {len(meant)} accepted ones")


def small_document():
    """What the judge is judged on."""

    def answer(schema):
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        return {"200": {"description": "Here it is", "content": content}}

    content = {"application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}}
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}}
    listing = {"operationId": "listThings", "parameters": [limit], "responses": answer("Thing")}
    making = {"operationId": "makeThing", "requestBody": {"content": content}, "responses": answer("Thing")}
    kind = {"type": "string", "enum": ["small", "large"]}
    sent = {"name": {"type": "string"}, "colour": {"type": "string"}, "kind": kind}
    given = {"id": {"type": "string"}, "note": {"type": "string"}, "state": {"type": "string", "enum": ["on", "off"]}}
    given["frame"] = {"type": "object", "required": ["width"], "properties": {"width": {"type": "integer"}}}
    given["labels"] = {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 1000}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1.0.0"},
        "paths": {"/things": {"get": listing, "post": making}},
        "components": {
            "schemas": {
                "Thing": {"type": "object", "required": ["id"], "properties": given},
                "NewThing": {"type": "object", "required": ["name"], "properties": sent},
            }
        },
    }


def rename(named, paths):
    named["Object"] = named.pop("Thing")
    for operation in paths["/things"].values():
        operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] = "#/components/schemas/Object"


def name_parts(named, most):
    """Names the object within the small document, and tells the bound of its map in words."""
    given = named["Thing"]["properties"]
    named["ThingFrame"] = given["frame"]
    given["frame"] = {"description": "Its frame.", "allOf": [{"$ref": "#/components/schemas/ThingFrame"}]}
    del given["labels"]["maxProperties"]
    given["labels"]["description"] = f"Labels. At most {most} entries."


# What is changed in the small document, and the rule that has to say so; none where a client does not mind.
JUDGED = [
    ("path-removed", lambda paths, sent, given: paths.update({"/objects": paths.pop("/things")})),
    ("operation-removed", lambda paths, sent, given: paths["/things"].pop("post")),
    ("operation-id-changed", lambda paths, sent, given: paths["/things"]["get"].update(operationId="all")),
    ("parameter-removed", lambda paths, sent, given: paths["/things"]["get"].pop("parameters")),
    ("default-changed", lambda paths, sent, given: paths["/things"]["get"]["parameters"][0]["schema"].update(default=10)),
    ("property-removed", lambda paths, sent, given: given["properties"].pop("note")),
    ("required-properties-removed", lambda paths, sent, given: given.pop("required")),
    ("enum-values-added", lambda paths, sent, given: given["properties"]["state"]["enum"].append("lost")),
    ("schema-type-changed", lambda paths, sent, given: given["properties"]["id"].update(type="integer")),
    ("required-properties-added", lambda paths, sent, given: sent["required"].append("colour")),
    ("enum-values-removed", lambda paths, sent, given: sent["properties"]["kind"]["enum"].pop()),
    ("request-property-removed", lambda paths, sent, given: sent["properties"].pop("colour")),
    (None, lambda paths, sent, given: sent["properties"].update(size={"type": "integer"})),
    (None, lambda paths, sent, given: sent.pop("required")),
    (None, lambda paths, sent, given: sent["properties"]["kind"]["enum"].append("huge")),
    (None, lambda paths, sent, given: given["properties"].update(size={"type": "integer"})),
    (None, lambda paths, sent, given: given["properties"]["state"]["enum"].pop()),
    (None, lambda paths, sent, given: paths.update({"/others": {"get": {"operationId": "others", "responses": {}}}})),
]


def judge_the_judge():
    """Fails where the judge lets pass what it has to find, or finds fault with what is harmless."""
    base = small_document()
    cases = []
    for rule, change in JUDGED:
        changed = copy.deepcopy(base)
        change(changed["paths"], schemas(changed)["NewThing"], schemas(changed)["Thing"])
        cases.append((rule, changed))
    renamed = copy.deepcopy(base)
    rename(schemas(renamed), renamed["paths"])
    cases.append(("schema-name-removed", renamed))
    for rule, most, change in [
        (None, 1000, lambda frame: frame["properties"].update(height={"type": "integer"})),
        ("property-removed", 1000, lambda frame: frame["properties"].pop("width")),
        ("schema-constraint-changed", 2000, lambda frame: None),
    ]:
        named = copy.deepcopy(base)
        name_parts(schemas(named), most)
        change(schemas(named)["ThingFrame"])
        cases.append((rule, named))
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / f"{number}.json" for number in range(len(cases) + 1)]
        for path, document in zip(paths, [base] + [document for _, document in cases]):
            path.write_text(json.dumps(document))
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda path: compare(paths[0], path), paths[1:]))
    for number, ((rule, _), (breaking, harmless)) in enumerate(zip(cases, results)):
        rules = [found for found, _, _ in breaking]
        if rule not in rules if rule else rules or not harmless:
            sys.exit(f"diff-openapi: case {number} of the self-test has to give {rule or 'a harmless change'}, and gave {rules}")
    print(f"diff-openapi: the self-test's {len(cases)} changes were told right")


if __name__ == "__main__":
    judge_the_judge()
    compare_release()
