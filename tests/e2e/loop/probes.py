"""A pod with the labels of a component of the chart, which tries to connect and says what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.e2e.cluster import Object, RealCluster, wait_until
from tests.e2e.cluster_api import unique_name
from tests.e2e.loop.world import Loop

_CONNECT = """
import concurrent.futures, json, socket, sys, time
def attempt(where):
    try:
        socket.create_connection(tuple(where), 3).close()
        return True
    except OSError:
        return False
targets, expected = json.loads(sys.argv[1]), json.loads(sys.argv[2])
deadline = time.monotonic() + 20
while True:
    with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
        reached = sorted(name for name, open in zip(targets, pool.map(attempt, targets.values())) if open)
    if reached == expected or time.monotonic() > deadline:
        break
print(json.dumps(reached))
"""


def component(loop: Loop, name: str) -> dict[str, str]:
    """The labels of one of the release's components."""
    return {
        "app.kubernetes.io/name": "finops-operator",
        "app.kubernetes.io/instance": loop.release.name,
        "app.kubernetes.io/component": name,
    }


def assert_reaches(
    loop: Loop, labels: Mapping[str, str], targets: Mapping[str, tuple[str, int]], ways: set[str], namespace: str = ""
) -> None:
    """A pod with these labels connects to those targets (host, port) that `ways` names, and to no other.

    It tries for a while: a policy takes effect a moment after a pod has got its address.
    """
    cluster, name, where = loop.cluster, unique_name("probe"), namespace or loop.release.namespace
    cluster.apply(_pod(name, where, labels, json.dumps(targets), json.dumps(sorted(ways))))
    wait_until(f"pod {name} ended", lambda: _over(cluster, name, where), seconds=90)
    said = cluster.kubectl("logs", name, "-n", where)
    cluster.kubectl("delete", "pod", name, "-n", where, "--wait=false", "--grace-period=0", "--force")
    assert set(json.loads(said)) == ways


def _pod(name: str, namespace: str, labels: Mapping[str, str], *arguments: str) -> Object:
    """A pod of the operator's image, as Pod Security `restricted` wants pods."""
    container = {
        "name": "try",
        "image": "ghcr.io/finops-operator/finops-operator:test",
        "command": ["python", "-c", _CONNECT, *arguments],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    metadata = {"name": name, "namespace": namespace, "labels": dict(labels)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _over(cluster: RealCluster, name: str, namespace: str) -> bool:
    return cluster.get("pod", name, namespace)["status"]["phase"] in {"Succeeded", "Failed"}
