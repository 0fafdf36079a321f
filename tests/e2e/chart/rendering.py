"""What Helm makes of the chart, as objects: shared by the tests that need no running pod."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml
from tests.e2e.cluster import CHART, Object, RealCluster

HELMS = ("helm", "helm3")
KUBERNETES = ("--kube-version", "1.30.0")
"""Without a cluster a Helm assumes the Kubernetes it was built with; the chart asks for 1.30 at least."""
EVERYTHING: Mapping[str, Any] = {
    "slack": {"existingSecret": "slack"},
    "aws": {"existingSecret": "aws"},
    "metrics": {part: {"enabled": True} for part in ("serviceMonitor", "rules", "dashboards")},
    "watch": {"namespaces": ["team-a", "team-b"]},
}
PODS = {"Deployment", "StatefulSet", "Job", "Pod"}
COMPONENT = "app.kubernetes.io/component"


def options(values: Mapping[str, Any]) -> list[str]:
    """Values as options of Helm, whatever their types."""
    return [part for key, value in values.items() for part in ("--set-json", f"{key}={json.dumps(value)}")]


def render(cluster: RealCluster, values: Mapping[str, Any] | None = None, program: str = "helm") -> str:
    return cluster.helm("template", *_where(values), program=program)


def rendered(cluster: RealCluster, values: Mapping[str, Any] | None = None, program: str = "helm") -> list[Object]:
    return [document for document in yaml.safe_load_all(render(cluster, values, program)) if document]


def refusal(cluster: RealCluster, values: Mapping[str, Any], program: str = "helm") -> str:
    """What Helm says when the chart refuses the values; that it does not is a failure."""
    done = cluster.try_helm("template", *_where(values), program=program)
    assert done.returncode != 0, f"rendered with {values}"
    return done.stderr


def _where(values: Mapping[str, Any] | None) -> list[str]:
    return ["finops", str(CHART), "--namespace", "finops-system", *KUBERNETES, *options(values or {})]


def of_kind(documents: list[Object], *kinds: str) -> list[Object]:
    return [document for document in documents if document["kind"] in kinds]


def named(documents: list[Object], kind: str, name: str) -> Object:
    (found,) = (one for one in of_kind(documents, kind) if one["metadata"]["name"] == name)
    return found


def pod_template(document: Object) -> Object:
    """Metadata and spec of the pods that an object makes, or is."""
    template: Object = document if document["kind"] == "Pod" else document["spec"]["template"]
    return template


def pods_by_component(documents: list[Object]) -> dict[str, Object]:
    """The pod template of every component that the values bring."""
    templates = [pod_template(document) for document in of_kind(documents, *PODS)]
    return {template["metadata"]["labels"][COMPONENT]: template for template in templates}


def environment(template: Object, container: str) -> dict[str, Object]:
    (one,) = (one for one in template["spec"]["containers"] if one["name"] == container)
    return {entry["name"]: entry for entry in one["env"]}
