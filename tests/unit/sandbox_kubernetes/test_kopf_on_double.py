"""A kopf operator lives on the double: events, an index, a status patch, and a server that goes away and returns."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import kopf
import pytest
from kubernetes import client, config
from tests.unit.sandbox_kubernetes.conftest import box

from finops_sandbox.kubernetes import KubernetesDouble

PLACE = ("unit.finops.dev", "v1", "default", "boxes")
RIGHTS = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "box-operator"},
    "rules": [
        {"apiGroups": ["unit.finops.dev"], "resources": ["boxes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["unit.finops.dev"], "resources": ["boxes/status"], "verbs": ["patch"]},
        {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["list", "watch"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]},
    ],
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "box-operator"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "box-operator"},
    "subjects": [{"kind": "ServiceAccount", "name": "finops-operator", "namespace": "finops-system"}],
}


def _wait(test: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not test():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def _operator(double: KubernetesDouble, seen: list[tuple[str | None, str]]) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.networking.error_backoffs = [0.1] * 50
        settings.watching.reconnect_backoff = 0.05
        settings.posting.enabled = False

    @kopf.on.login(registry=registry)
    def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=double.url, ca_path=str(double.ca_file), token=double.token("operator"))

    @kopf.index("unit.finops.dev", "v1", "boxes", id="sizes", registry=registry)
    def sizes(name: str | None, spec: kopf.Spec, **_: Any) -> dict[str | None, int]:
        return {name: spec["size"]}

    @kopf.on.event("unit.finops.dev", "v1", "boxes", registry=registry)
    def changed(name: str, spec: kopf.Spec, patch: kopf.Patch, status: kopf.Status, **known: Any) -> None:
        seen.append((known["type"], name))
        if known["type"] == "DELETED":
            return
        (indexed,) = known["sizes"].get(name, [spec["size"]])
        if status.get("seen") != indexed:
            patch.status["seen"] = indexed

    return registry


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_operator_follows_objects_and_survives_a_restart_and_an_expired_version(double: KubernetesDouble) -> None:
    double.apply(RIGHTS, BINDING)
    seen: list[tuple[str | None, str]] = []
    stop, ready = threading.Event(), threading.Event()
    registry = _operator(double, seen)

    def live() -> None:
        options: dict[str, Any] = {"standalone": True, "clusterwide": True, "stop_flag": stop, "ready_flag": ready}
        asyncio.run(kopf.operator(registry=registry, **options))

    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert ready.wait(20)
        with config.new_client_from_config(str(double.kubeconfig)) as connection:
            custom: Any = client.CustomObjectsApi(connection)

            def status_of(name: str) -> int:
                found = custom.get_namespaced_custom_object(*PLACE, name)
                return int(found.get("status", {}).get("seen", -1))

            custom.create_namespaced_custom_object(*PLACE, box("a", 3))
            _wait(lambda: status_of("a") == 3)
            double.restart(down_seconds=0.3)
            custom.create_namespaced_custom_object(*PLACE, box("b", 4))
            _wait(lambda: status_of("b") == 4)
            double.expire_watches()
            custom.patch_namespaced_custom_object(*PLACE, "a", {"spec": {"size": 7}})
            _wait(lambda: status_of("a") == 7)
            custom.delete_namespaced_custom_object(*PLACE, "b")
            _wait(lambda: ("DELETED", "b") in seen)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    own = [e for e in double.audit() if e["user"]["username"] == "system:serviceaccount:finops-system:finops-operator"]
    of_boxes = [e for e in own if e.get("objectRef", {}).get("resource") == "boxes"]
    used = {(e["verb"], e["objectRef"].get("subresource", "")) for e in of_boxes}
    assert used == {("list", ""), ("watch", ""), ("patch", "status")}
