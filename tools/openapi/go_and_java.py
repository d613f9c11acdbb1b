"""Makes the clients in Go and in Java by openapi-generator, in one run of it.

    python3 tools/openapi/go_and_java.py FOLDER COPIES

COPIES has `go/<name>.json` and `java/<name>.json`; the clients are put into FOLDER/go/<name> and FOLDER/java. Go's need the
standard library alone, Java's Jackson and Apache's client, as Debian has them.
"""

import json
import pathlib
import shutil
import subprocess
import sys

# Without the look-up a union is decoded with a validator from elsewhere. What is unknown in an answer is kept, not refused.
GO = {
    "withGoMod": False,
    "enumClassPrefix": True,
    "useOneOfDiscriminatorLookup": True,
    "disallowAdditionalPropertiesIfNotPresent": False,
}
JAVA = {
    "library": "native",
    "openApiNullable": False,
    "dateLibrary": "legacy",
    "annotationLibrary": "none",
    "documentationProvider": "none",
    "hideGenerationTimestamp": True,
}


def configuration(folder, language, document):
    """What openapi-generator is told of one client."""
    name = document.stem
    if language == "go":
        output, properties = folder / "go" / name, GO | {"packageName": name}
    else:
        package = f"tieline.{name}_client"
        packages = {"invokerPackage": package, "apiPackage": f"{package}.api", "modelPackage": f"{package}.model"}
        output, properties = folder / "java" / name, JAVA | packages
    return {
        "generatorName": language,
        "inputSpec": str(document.resolve()),
        "outputDir": str(output.resolve()),
        "additionalProperties": properties,
        # A form is a type, too.
        "globalProperties": {kind: "false" for kind in ("apiDocs", "modelDocs", "apiTests", "modelTests", "skipFormModel")},
    }


def without_what_debian_lacks(client):
    """Jackson's module for java.time is not in Debian, so times are those of java.util; nor is the mark of generated code."""
    for path in client.rglob("RFC3339*.java"):
        if "Date" not in path.stem:
            path.unlink()
    for path in client.rglob("*.java"):
        lines = path.read_text().splitlines(keepends=True)
        kept = [line for line in lines if "JavaTimeModule" not in line and not line.lstrip().startswith("@javax.annotation.Generated")]
        if kept != lines:
            path.write_text("".join(kept))


def main(folder, copies):
    configurations = []
    for language in ("go", "java"):
        shutil.rmtree(folder / language, ignore_errors=True)
        for document in sorted((copies / language).glob("*.json")):
            path = copies / f"{language}-{document.stem}.config.json"
            path.write_text(json.dumps(configuration(folder, language, document)))
            configurations.append(path)
    # It tells of every file that it writes; what it says is shown where it fails.
    command = ["openapi-generator-cli", "batch", "--fail-fast", *configurations]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"openapi-generator failed:\n{result.stdout[-4000:]}{result.stderr[-4000:]}")
    for unneeded in [*folder.glob("go/*/test"), *folder.glob("java/*/src/test")]:
        shutil.rmtree(unneeded)
    (folder / "go" / "go.mod").write_text("module tieline\n\ngo 1.19\n")
    without_what_debian_lacks(folder / "java")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
