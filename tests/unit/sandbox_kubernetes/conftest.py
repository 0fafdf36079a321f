"""A fresh double per test, with a small kind of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from finops_sandbox.kubernetes import KubernetesDouble


@pytest.fixture
def definition() -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {"size": {"type": "integer", "default": 1}}},
            "status": {"type": "object", "properties": {"seen": {"type": "integer"}}},
        },
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "boxes.unit.finops.dev"},
        "spec": {
            "group": "unit.finops.dev",
            "scope": "Namespaced",
            "names": {"plural": "boxes", "kind": "Box", "singular": "box"},
            "versions": [version],
        },
    }


@pytest.fixture
def double(tmp_path: Path, definition: dict[str, Any]) -> Iterator[KubernetesDouble]:
    with KubernetesDouble(tmp_path, crds=[definition]) as double:
        yield double


def box(name: str, size: int = 1) -> dict[str, Any]:
    return {"apiVersion": "unit.finops.dev/v1", "kind": "Box", "metadata": {"name": name}, "spec": {"size": size}}
