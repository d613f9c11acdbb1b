"""Writes the copy of a published document that a generator reads, where it cannot read the document itself.

    python3 generator_copy.py {python} DOCUMENT COPY

Nothing that a client can do is taken away but where the reason stands beside it. What is published stays as it is.
"""

import json
import pathlib
import sys

METHODS = ("get", "put", "post", "delete", "patch")


def operations(document):
    return [operation for item in document["paths"].values() for method, operation in item.items() if method in METHODS]


def for_python(document):
    """openapi-python-client sends text as it sends a file, octet by octet, where its configuration says so by media type."""
    for operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "text/plain" in content:
            del content["text/plain"]
            content["text/plain; charset=utf-8"] = {"schema": {"type": "string", "format": "binary"}}


if __name__ == "__main__":
    target, source, copy = sys.argv[1:]
    read = json.loads(pathlib.Path(source).read_text())
    {"python": for_python}[target](read)
    pathlib.Path(copy).write_text(json.dumps(read, indent=1))
