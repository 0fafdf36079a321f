"""Every contract test runs on the double, and on the real API server when FINOPS_TEST_KUBECONFIG names one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.kubernetes.worlds import (
    DEFINITION,
    USERS,
    Api,
    DoubleWorld,
    RealWorld,
    World,
    definition,
    eventually,
    unique,
)

from finops_sandbox.kubernetes import KubernetesDouble, ServiceAccount, User

REAL = os.environ.get("FINOPS_TEST_KUBECONFIG")
WORLDS = ["double", *([pytest.param("real", marks=pytest.mark.cluster)] if REAL else [])]
collect_ignore = [] if shutil.which("kubectl") else ["test_kubectl_contract.py"]


@pytest.fixture(scope="session", params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    namespace = unique("contract")
    if request.param == "double":
        users = [User("admin", ("system:masters",)), *(User(name, groups) for name, groups in USERS.items())]
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        with KubernetesDouble(
            tmp_path_factory.mktemp("kubernetes"),
            crds=[DEFINITION],
            manifests=[space],
            users=users,
            service_accounts=[ServiceAccount("bot", namespace, "bot")],
        ) as double:
            assert double.not_evaluated == []
            yield DoubleWorld(double, namespace)
        return
    real = RealWorld(Path(REAL or ""), namespace)
    yield from _prepared(real)


def _prepared(real: RealWorld) -> Iterator[World]:
    api = Api(real)
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": real.namespace}}
    assert api.call("POST", "/api/v1/namespaces", space).code == 201
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    name = definition()["metadata"]["name"]
    api.call("DELETE", f"{path}/{name}")
    eventually(lambda: api.call("GET", f"{path}/{name}").code == 404)
    created = api.call("POST", path, definition())
    assert created.code == 201, created.body
    eventually(lambda: api.call("GET", api.probes).code == 200)
    try:
        yield real
    finally:
        api.call("DELETE", f"/api/v1/namespaces/{real.namespace}")
        api.call("DELETE", f"{path}/{name}")


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    api = Api(world)
    yield api
    api.close()
