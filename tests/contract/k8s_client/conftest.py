"""Our own client runs on the double, and on the real API server when FINOPS_TEST_KUBECONFIG names one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes import client
from tests.support.cluster_kinds import install_kinds

from finops.k8s.connection import Connection, connect
from finops_sandbox.kubernetes import KubernetesDouble

ROOT = Path(__file__).parents[3]
REAL = os.environ.get("FINOPS_TEST_KUBECONFIG")
WORLDS = ["double", *([pytest.param("real", marks=pytest.mark.cluster)] if REAL else [])]


@dataclass(frozen=True)
class Place:
    """An API server with our kinds, and a namespace of one's own on it."""

    connection: Connection
    namespace: str
    double: KubernetesDouble | None


@pytest.fixture(scope="module", params=WORLDS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    namespace = f"client-{uuid.uuid4().hex[:8]}"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    if request.param == "double":
        with KubernetesDouble(tmp_path_factory.mktemp("client"), crds=[ROOT / "crds"], manifests=[space]) as double:
            yield Place(connect(str(double.kubeconfig)), namespace, double)
        return
    assert REAL
    install_kinds(REAL)
    connection = connect(REAL)
    core = client.CoreV1Api(connection.api)
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace)))
    try:
        yield Place(connection, namespace, None)
    finally:
        core.delete_namespace(namespace)
