"""Writes the copy of a published document that a generator reads, where it cannot read the document itself.

    python3 generator_copy.py {python,rust,go,java} DOCUMENT COPY

Nothing that a client can do is taken away but where the reason stands beside it. What is published stays as it is.
"""

import json
import pathlib
import sys

METHODS = ("get", "put", "post", "delete", "patch")


def operations(document):
    return [operation for item in document["paths"].values() for method, operation in item.items() if method in METHODS]


def without_cloud_events(document):
    """A CloudEvent says what the native form says too; two forms of one body or answer have no name of their own."""
    for operation in operations(document):
        for holder in [operation.get("requestBody", {}), *operation["responses"].values()]:
            content = holder.get("content", {})
            for media_type in [name for name in content if name.startswith("application/cloudevents") and len(content) > 1]:
                del content[media_type]


def null_beside(value, nullable):
    """Says beside each reference to one of these schemas that the value may be null."""
    if isinstance(value, dict) and value.get("$ref") in nullable:
        reference = dict(value)
        value.clear()
        value.update(nullable=True, allOf=[reference])
    else:
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            null_beside(inner, nullable)


def for_python(document):
    """openapi-python-client sends text as it sends a file, octet by octet, where its configuration says so by media type. A named
    object that may be null it takes for a union, and numbers the object: here the null stands beside the reference."""
    nullable = {f"#/components/schemas/{name}" for name, one in document["components"]["schemas"].items() if one.pop("nullable", False)}
    null_beside(document, nullable)
    for operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "text/plain" in content:
            del content["text/plain"]
            content["text/plain; charset=utf-8"] = {"schema": {"type": "string", "format": "binary"}}


def for_rust(document):
    """progenitor knows application/json alone as JSON, and one media type a body. An empty list it sends only where a list
    may be null: otherwise nobody could ask for it in a PATCH."""
    for schema in document["components"]["schemas"].values():
        for name, member in schema.get("properties", {}).items():
            if member.get("type") == "array" and name not in schema.get("required", []):
                member["nullable"] = True
    answers = list(document["components"].get("responses", {}).values())
    for operation in operations(document):
        answers += operation["responses"].values()
        content = operation.get("requestBody", {}).get("content", {})
        # A form or a text says what the JSON says too.
        if "application/json" in content:
            operation["requestBody"]["content"] = {"application/json": content["application/json"]}
    for answer in answers:
        content = answer.get("content", {})
        if "application/problem+json" in content:
            content["application/json"] = content.pop("application/problem+json")
        # Now JSON, now text: the caller gets the octets. And of several texts the first.
        if len(content) > 1:
            content.pop("application/json", None)
        for media in list(content)[1:]:
            content.pop(media)


def for_java(document):
    """openapi-generator's Java for a union with a list does not compile: the value is any object."""
    for schema in document["components"]["schemas"].values():
        if any(choice.get("type") == "array" for choice in schema.get("oneOf", [])):
            del schema["oneOf"]


if __name__ == "__main__":
    target, source, copy = sys.argv[1:]
    read = json.loads(pathlib.Path(source).read_text())
    without_cloud_events(read)
    # Go reads the rest as it is.
    {"python": for_python, "rust": for_rust, "go": lambda document: None, "java": for_java}[target](read)
    pathlib.Path(copy).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(copy).write_text(json.dumps(read, indent=1))
