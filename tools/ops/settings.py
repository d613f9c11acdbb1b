#!/usr/bin/env python3
"""Fails where a file for operators names a setting that src/config.default.toml has not, or a time below its needs."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = re.compile(r"\bTIELINE_[A-Z0-9]+(?:_[A-Z0-9]+|__[A-Z0-9]+)*\b")
# Read beside the settings, and one that Kubernetes makes.
OTHERS = {"TIELINE_CONFIG", "TIELINE_PORT"}


def names(table, prefix="TIELINE_"):
    """Yields the names of a table's settings and of its parts."""
    for key, value in table.items():
        name = f"{prefix}{key.upper()}"
        yield name
        if isinstance(value, dict):
            yield from names(value, f"{name}__")


def main():
    defaults = tomllib.loads((ROOT / "src/config.default.toml").read_text())
    known = set(names(defaults)) | OTHERS
    files = [ROOT / "Dockerfile", ROOT / "compose.yaml", ROOT / "docs/guide/installation.md"]
    files += [path for path in sorted((ROOT / "ops").rglob("*")) if path.is_file()]
    faults = []
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            wrong = sorted(set(NAME.findall(line)) - known)
            faults += [f"{path.relative_to(ROOT)}:{number} names {name}, which is no setting" for name in wrong]
    # A stop takes the grace period for requests, and then once more for what they began.
    grace = 2 * defaults["server"]["shutdown_grace_secs"]
    times = [
        ("ops/systemd/tieline.service", r"^TimeoutStopSec=(\d+)", 0),
        ("compose.yaml", r"stop_grace_period: (\d+)s", 0),
    ]
    values = (ROOT / "ops/helm/tieline/values.yaml").read_text()
    pause = int(re.search(r"^preStopSleepSeconds: (\d+)", values, re.MULTILINE)[1])
    times.append(("ops/helm/tieline/values.yaml", r"^terminationGracePeriodSeconds: (\d+)", pause))
    for path, pattern, more in times:
        seconds = int(re.search(pattern, (ROOT / path).read_text(), re.MULTILINE)[1])
        if seconds <= grace + more:
            faults.append(f"{path} allows {seconds} s for a stop, which may take {grace + more}")
    if faults:
        sys.exit("\n".join(faults))
    print(f"the files for operators name settings that exist, of {len(known)}")


if __name__ == "__main__":
    main()
