#!/usr/bin/env python3
"""Writes the licences of the crates in a release, and an SBOM of them, from cargo's metadata and the crates' own files.

Usage: tools/dist/notices.py TARGET --licences FILE --sbom FILE

Crates that are linked for TARGET are in them, and the packages of npm in the portal's pages. Build and development
dependencies are not shipped. The SBOM is CycloneDX 1.5 in JSON. A crate that names no licence fails the run. One that
brings no text of it is listed at the end, above the text of the MIT licence, or of the Apache licence 2.0, whichever it
offers; one that offers neither fails the run too.
"""

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)
SHIPPED = ("tieline", "standin")
MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def of_portal():
    """Returns the packages of npm that the portal's pages are made with, as name, version, licence and checksum."""
    lock = json.loads((ROOT / "portal/package-lock.json").read_text())
    shipped = {
        path: one for path, one in lock["packages"].items() if path and not one.get("dev") and not one.get("optional")
    }
    return [
        (
            path.rpartition("node_modules/")[2],
            one["version"],
            one["license"],
            base64.b64decode(one["integrity"][7:]).hex(),
        )
        for path, one in sorted(shipped.items())
    ]


def linked(metadata):
    """Returns the packages that are linked into what is shipped, in the order of their names."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    macros = {
        package["id"]
        for package in metadata["packages"]
        if any("proc-macro" in target["kind"] for target in package["targets"])
    }
    waiting = [
        package["id"] for package in metadata["packages"] if package["name"] in SHIPPED and package["source"] is None
    ]
    found, edges = set(), {}
    while waiting:
        here = waiting.pop()
        if here in found:
            continue
        found.add(here)
        needed = [
            dependency["pkg"]
            for dependency in nodes[here]["deps"]
            # A macro runs in the compiler.
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]) and dependency["pkg"] not in macros
        ]
        edges[here] = sorted(needed)
        waiting += needed
    return sorted((packages[one] for one in found), key=lambda one: (one["name"], one["version"])), edges


def texts(package):
    """Returns the licence texts of a crate by file name."""
    folder = Path(package["manifest_path"]).parent
    files = [path for path in folder.iterdir() if path.is_file() and TEXTS.match(path.name)]
    if package["license_file"] and (folder / package["license_file"]).is_file():
        files.append(folder / package["license_file"])
    # The licences of C sources beside a wrapper, such as SQLite's, QuickJS' and AWS-LC's.
    for below in folder.iterdir():
        if below.is_dir() and below.name not in ("tests", "benches", "examples", "docs", "target"):
            files += [path for path in below.iterdir() if path.is_file() and TEXTS.match(path.name)]
    return {
        path.relative_to(folder).as_posix(): path.read_text(errors="replace").strip() for path in sorted(set(files))
    }


def licences(packages):
    """Returns the document with each licence text once, under the crates that come with it."""
    by_text, without = {}, []
    for package in packages:
        name = f"{package['name']} {package['version']} ({package['license'] or package['license_file']})"
        found = texts(package)
        if not found:
            without.append((name, package))
        for path, text in found.items():
            by_text.setdefault(re.sub(r"\s+", " ", text), [path, text, []])[2].append(name)
    parts = [
        "Third-party licences\n\nTieline is under the Apache License 2.0 (LICENSE). The crates below are linked into the program; each text stands\n"
        "once, under the names of the crates that come with it.\n"
    ]
    for path, text, names in sorted(by_text.values(), key=lambda entry: entry[2]):
        parts.append("\n".join(["=" * 120, *sorted(set(names)), f"({path})", "-" * 120, "", text, ""]))
    without = [(name, package["license"], package["repository"] or "") for name, package in without]
    without += [(f"{name} {version} ({licence})", licence, "npm") for name, version, licence, _ in of_portal()]
    for offered, text in (("MIT", MIT), ("Apache-2.0", (ROOT / "LICENSE").read_text())):
        those = [one for one in without if offered in re.split(r"[^A-Za-z0-9.-]+", one[1])]
        without = [one for one in without if one not in those]
        if those:
            lines = [
                "=" * 120,
                f"Crates and packages of npm that bring no text of their licence, {offered}; copyright of their authors:",
                "",
            ]
            parts.append("\n".join([*lines, *(f"{name}  {place}".rstrip() for name, _, place in those), "", text]))
    if without:
        names = ", ".join(name for name, _, _ in without)
        sys.exit(f"no text of a licence comes with {names}, and it is neither MIT nor Apache-2.0")
    return "\n".join(parts)


def sbom(packages, edges, target, checksums):
    """Returns the CycloneDX document."""
    reference = lambda package: f"pkg:cargo/{package['name']}@{package['version']}"
    by_id = {package["id"]: package for package in packages}
    component = lambda package, kind: {
        "type": kind,
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        **({"description": package["description"].strip()} if package["description"] else {}),
        **({"licenses": [{"expression": expression(package["license"])}]} if package["license"] else {}),
        "purl": reference(package),
        **(
            {"hashes": [{"alg": "SHA-256", "content": checksums[package["name"], package["version"]]}]}
            if (package["name"], package["version"]) in checksums
            else {}
        ),
        **({"externalReferences": [{"type": "vcs", "url": package["repository"]}]} if package["repository"] else {}),
    }
    main = next(package for package in packages if package["name"] == "tieline")
    digest = hashlib.sha256((ROOT / "Cargo.lock").read_bytes() + target.encode()).digest()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same lock file gives the same document.
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {
            "component": component(main, "application"),
            "properties": [{"name": "cargo:target", "value": target}],
        },
        "components": [component(package, "library") for package in packages if package is not main]
        + [
            {
                "type": "library",
                "bom-ref": f"pkg:npm/{name}@{version}",
                "name": name,
                "version": version,
                "licenses": [{"expression": licence}],
                "purl": f"pkg:npm/{name}@{version}",
                "hashes": [{"alg": "SHA-512", "content": checksum}],
            }
            for name, version, licence, checksum in of_portal()
        ],
        "dependencies": [
            {"ref": reference(by_id[one]), "dependsOn": [reference(by_id[other]) for other in edges[one]]}
            for one in sorted(edges)
        ],
    }


def expression(licence):
    """An SPDX expression; older crates write a slash for OR."""
    return re.sub(r"\s*/\s*", " OR ", licence)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("target")
    arguments.add_argument("--licences", type=Path, required=True)
    arguments.add_argument("--sbom", type=Path, required=True)
    given = arguments.parse_args()
    called = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={given.target}"]
    metadata = json.loads(subprocess.check_output(called, cwd=ROOT))
    packages, edges = linked(metadata)
    nameless = [package["name"] for package in packages if not package["license"] and not package["license_file"]]
    if nameless:
        sys.exit(f"no licence is named by: {', '.join(nameless)}")
    foreign = [package for package in packages if package["source"]]
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(one["name"], one["version"]): one["checksum"] for one in lock["package"] if "checksum" in one}
    given.licences.write_text(licences(foreign))
    given.sbom.write_text(json.dumps(sbom(packages, edges, given.target, checksums), indent=2) + "\n")
    print(f"{len(foreign)} crates are in the licences and in the SBOM")


if __name__ == "__main__":
    main()
