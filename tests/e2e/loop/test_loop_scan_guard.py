"""On the cluster: no pod is made for a scan while what bounds the operator's Jobs was taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.e2e.cluster import Object, wait_until
from tests.e2e.cluster_api import unique_name
from tests.e2e.documents import condition, policy
from tests.e2e.loop.scans import IN_PODS, KINDS
from tests.e2e.loop.world import Loop

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(400)]

BINDING = "validatingadmissionpolicybindings"


@contextmanager
def _without_binding(loop: Loop) -> Iterator[None]:
    name = f"{loop.release.full_name}-scan-{loop.release.namespace}"
    found = json.loads(loop.cluster.kubectl("get", BINDING, name, "-o", "json"))
    found["metadata"] = {key: found["metadata"].get(key, {}) for key in ("name", "labels", "annotations")}
    loop.cluster.kubectl("delete", BINDING, name)
    try:
        yield
    finally:
        loop.cluster.apply(found)


def test_without_the_binding_of_its_admission_policy_no_pod_is_made_and_with_it_the_scan_runs(loop: Loop) -> None:
    name = unique_name("guarded")

    def possible() -> Object:
        return condition(loop.cluster.get("scanpolicies", name, loop.team), "ScanPodsPossible")

    with _without_binding(loop):
        before = {one["metadata"]["name"] for one in loop.cluster.list("jobs", loop.release.namespace)}
        loop.cluster.apply(policy(name, loop.team, loop.team, resources=KINDS, **IN_PODS))
        wait_until("the policy says that no pod is made", lambda: possible().get("status") == "False", seconds=120)
        assert possible()["reason"] == "ScanPodsUnbounded"
        assert f"{loop.release.full_name}-scan-{loop.release.namespace}" in possible()["message"]
        found = loop.cluster.get("scanpolicies", name, loop.team)
        assert condition(found, "Ready")["status"] == "False"
        after = {one["metadata"]["name"] for one in loop.cluster.list("jobs", loop.release.namespace)}
        assert after <= before

    def scanned() -> bool:
        status = loop.cluster.get("scanpolicies", name, loop.team).get("status", {})
        return bool(status.get("lastScan", {}).get("resources"))

    wait_until("pods may be made again", lambda: possible().get("status") == "True", seconds=120)
    wait_until("the scan runs in pods", scanned, seconds=240)
    loop.cluster.kubectl("delete", "scanpolicies", name, "-n", loop.team)
