#!/usr/bin/env python3
"""Lints the chart in ops/helm/tieline with Helm's own library, renders it, and validates each object.

Objects are held to Kubernetes' schemas, strictly; of a ServiceMonitor, which is the Prometheus operator's, only the
ports are compared. Besides: what the chart promises about security, secrets, probes and roles.
"""

import re
import sys
from pathlib import Path

import helm_python
import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "ops/helm/tieline"
# The oldest version that Chart.yaml admits, and a new one.
KUBERNETES = ("1.30", "1.37")

LEAST = {
    "image": {"repository": "registry.example/tieline"},
    "publicUrl": "https://tieline.example.org",
    "existingSecret": "tieline",
}
ALL = LEAST | {
    "image": {"repository": "registry.example/tieline", "digest": "sha256:" + "a" * 64},
    "imagePullSecrets": [{"name": "registry"}],
    "slack": {"existingSecret": "tieline-slack"},
    "github": {"existingSecret": "tieline-github"},
    "settings": {"TIELINE_SERVER__TRUSTED_PROXIES": "10.0.0.0/8", "TIELINE_DELIVERY__MAX_CONCURRENT": 512},
    "extraEnv": [
        {"name": "TIELINE_OIDC__CLIENT_SECRET", "valueFrom": {"secretKeyRef": {"name": "oidc", "key": "secret"}}}
    ],
    "api": {
        "podAnnotations": {"example.org/team": "integrations"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
    },
    "service": {"annotations": {"example.org/a": "b"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"example.org/a": "b"},
        "hosts": [{"host": "tieline.example.org", "paths": ["/"]}],
        "tls": [{"secretName": "tieline-tls", "hosts": ["tieline.example.org"]}],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "serviceAccountName": "tieline",
}
# Values that have to be refused, with a word of the message.
REFUSED = [
    ({key: value for key, value in LEAST.items() if key != "publicUrl"}, "publicUrl"),
    ({key: value for key, value in LEAST.items() if key != "existingSecret"}, "existingSecret"),
    (LEAST | {"image": {}}, "image.repository"),
    (LEAST | {"replicas": 3}, "replicas"),
    (LEAST | {"publicUrl": "tieline.example.org"}, "publicUrl"),
    (LEAST | {"settings": {"TIELINE_LISTEN": "0.0.0.0:1"}}, "TIELINE_LISTEN"),
    (LEAST | {"settings": {"LOG_FORMAT": "json"}}, "LOG_FORMAT"),
]


def fail(message):
    sys.exit(f"chart: {message}")


def objects(rendered):
    for path, text in sorted(rendered.items()):
        if path.endswith(".txt"):
            continue
        for one in yaml.safe_load_all(text):
            if one:
                yield one


def validate(one):
    if one["apiVersion"].startswith("monitoring.coreos.com/"):
        return
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as fault:
            fail(f"{one['kind']} {one['metadata']['name']}, Kubernetes {version}: {fault.message}")


def check_pod(name, pod):
    """Fails where a pod has more rights than it needs, or a secret's text."""
    if pod["automountServiceAccountToken"] is not False or pod["enableServiceLinks"] is not False:
        fail(f"{name} has a token of a service account, or variables of services")
    if not pod["securityContext"]["runAsNonRoot"]:
        fail(f"{name} may run as root")
    for container in pod["containers"]:
        security = container["securityContext"]
        if not security["readOnlyRootFilesystem"] or security["capabilities"] != {"drop": ["ALL"]}:
            fail(f"{name} has a root file system that can be written, or a capability")
        for variable in container["env"]:
            secret = re.search(r"SECRET|PRIVATE_KEY|DATABASE_URL|CLIENT_ID", variable["name"])
            if secret and "value" in variable:
                fail(f"{name} has {variable['name']} as text")
        names = [variable["name"] for variable in container["env"]]
        if len(set(names)) != len(names):
            fail(f"{name} has a variable twice")


def check(rendered):
    found = {}
    for one in objects(rendered):
        validate(one)
        found[one["kind"], one["metadata"]["name"]] = one
        if "template" in one.get("spec", {}):
            check_pod(one["metadata"]["name"], one["spec"]["template"]["spec"])
    pods = {}
    for role in ("api", "worker"):
        deployment = found["Deployment", f"tieline-{role}"]["spec"]
        container = deployment["template"]["spec"]["containers"][0]
        if container["args"] != ["serve", "--role", role]:
            fail(f"the role {role} is started with {container['args']}")
        pods[role] = deployment["template"]["metadata"]["labels"]
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if container[probe]["httpGet"]["port"] not in ports:
                fail(f"{probe} of {role} asks a port that is not there")
        budget = found["PodDisruptionBudget", f"tieline-{role}"]["spec"]["selector"]["matchLabels"]
        if not budget.items() <= pods[role].items():
            fail(f"the disruption budget of {role} selects nothing")
    selects = lambda service, role: found["Service", service]["spec"]["selector"].items() <= pods[role].items()
    if not selects("tieline", "api") or selects("tieline", "worker"):
        fail("the service selects other pods than those of the API")
    if not (selects("tieline-admin", "api") and selects("tieline-admin", "worker")):
        fail("the service of the monitoring does not select all pods")
    job = found["Job", "tieline-migrate"]
    if job["metadata"]["annotations"]["helm.sh/hook"] != "pre-install,pre-upgrade":
        fail("the migration is no hook")
    if found["Job", "tieline-migrate"]["spec"]["template"]["spec"]["containers"][0]["args"] != ["migrate"]:
        fail("the job does not migrate")
    return found


def main():
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    if about["appVersion"] != version:
        fail(f"appVersion is {about['appVersion']}, and Cargo.toml has {version}")
    for values in (LEAST, ALL):
        report = helm_python.lint(CHART, values, strict=True)
        faults = [one for one in report["messages"] if one["severity"] >= 2] + report["errors"]
        if faults:
            fail(f"lint: {faults}")
    chart = helm_python.Chart.load(CHART)
    check(chart.render(LEAST, name="tieline", namespace="tieline"))
    found = check(chart.render(ALL, name="tieline", namespace="tieline"))
    monitor = found["ServiceMonitor", "tieline"]["spec"]
    service = found["Service", "tieline-admin"]
    labels = service["metadata"]["labels"]
    if not monitor["selector"]["matchLabels"].items() <= labels.items():
        fail("the ServiceMonitor selects no service")
    if (
        monitor["endpoints"][0]["port"] != service["spec"]["ports"][0]["name"]
        or labels[monitor["jobLabel"]] != "tieline"
    ):
        fail("the ServiceMonitor names another port or another job")
    for values, word in REFUSED:
        try:
            # Rendering does not look at the schema.
            chart.validate_schema(values)
            chart.render(values, name="tieline", namespace="tieline")
        except helm_python.HelmError as refusal:
            if word not in str(refusal):
                fail(f"the refusal of {word} does not name it: {refusal}")
        else:
            fail(f"values are taken that have to be refused: {word}")
    print(f"the chart is linted by Helm {helm_python.helm_sdk_version()}, and its objects are valid")


if __name__ == "__main__":
    main()
