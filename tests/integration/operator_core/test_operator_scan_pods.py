"""No pod is made for a scan while the admission policy that bounds the operator's Jobs is not in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import policy

from finops.crds.conditions import Condition, find_condition
from finops.errors import Refused
from finops.k8s.connection import NotFound
from finops.k8s.events import Events
from finops.k8s.scan_guard import ScanGuard
from finops.k8s.scan_jobs import ScanJobs
from finops_operator.upkeep.scan_pods import ScanPods

API = ("admissionregistration.k8s.io", "v1")
POLICIES, BINDINGS = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
NAME = "r-scan-default"
POLICY: dict[str, Any] = {
    "apiVersion": "/".join(API),
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": NAME},
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["batch"],
                    "apiVersions": ["*"],
                    "operations": ["CREATE"],
                    "resources": ["jobs"],
                    "scope": "Namespaced",
                }
            ]
        },
        "validations": [{"expression": "object.metadata.name.startsWith('r-scan-')", "message": "scans alone"}],
    },
}
BINDING: dict[str, Any] = {
    "apiVersion": "/".join(API),
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": NAME},
    "spec": {
        "policyName": NAME,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}},
    },
}
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {generateName: r-scan-}
spec: {template: {spec: {containers: [{name: scan, image: ours}]}}}
"""
IN_PODS: dict[str, Any] = {"execution": {"mode": "Job"}}

Change = Callable[[Any], None]


@pytest.fixture
def cluster(parts: Parts) -> Iterator[Any]:
    api = client.CustomObjectsApi(parts.connection.api)
    _create(api)
    yield api
    _delete(api)


@pytest.fixture
def guard(parts: Parts, cluster: Any, tmp_path: Path) -> ScanGuard:
    path = tmp_path / "admission.yaml"
    path.write_text(yaml.safe_dump_all([POLICY, BINDING]), encoding="utf-8")
    return ScanGuard(parts.connection, path)


@pytest.fixture
def jobs(parts: Parts, guard: ScanGuard, tmp_path: Path) -> ScanJobs:
    template = tmp_path / "job.yaml"
    template.write_text(JOB, encoding="utf-8")
    return ScanJobs(parts.connection, "default", template, guard.require, pause=lambda _seconds: None)


@pytest.fixture
def shown(parts: Parts, guard: ScanGuard) -> ScanPods:
    events = Events(parts.connection, component="operator", instance="operator-0")
    may_write = lambda: parts.writable  # noqa: E731 - a test turns it off
    return ScanPods(parts.policies, events, parts.telemetry, parts.clock, guard.problem, may_write)


def _create(api: Any) -> None:
    api.create_cluster_custom_object(*API, POLICIES, POLICY)
    api.create_cluster_custom_object(*API, BINDINGS, BINDING)


def _delete(api: Any) -> None:
    for plural in (POLICIES, BINDINGS):
        for one in api.list_cluster_custom_object(*API, plural)["items"]:
            if one["metadata"]["name"] == NAME:
                api.delete_cluster_custom_object(*API, plural, NAME)


def _gone(plural: str) -> Change:
    return lambda api: api.delete_cluster_custom_object(*API, plural, NAME)


def _edited(plural: str, **spec: Any) -> Change:
    def change(api: Any) -> None:
        live = api.get_cluster_custom_object(*API, plural, NAME)
        api.replace_cluster_custom_object(*API, plural, NAME, {**live, "spec": {**live["spec"], **spec}})

    return change


WEAKENED = [
    (_gone(POLICIES), f"ValidatingAdmissionPolicy {NAME} does not exist"),
    (_gone(BINDINGS), f"ValidatingAdmissionPolicyBinding {NAME} does not exist"),
    (_edited(BINDINGS, validationActions=["Audit"]), f"ValidatingAdmissionPolicyBinding {NAME} is not the one"),
    (_edited(BINDINGS, validationActions=["Deny", "Warn"]), f"ValidatingAdmissionPolicyBinding {NAME} is not the one"),
    (_edited(POLICIES, failurePolicy="Ignore"), f"ValidatingAdmissionPolicy {NAME} is not the one"),
    (_edited(POLICIES, validations=[{"expression": "true"}]), f"ValidatingAdmissionPolicy {NAME} is not the one"),
]


@pytest.mark.parametrize(("weaken", "why"), WEAKENED)
def test_no_job_is_asked_for_while_the_policy_is_gone_or_weaker_and_then_again(
    cluster: Any, jobs: ScanJobs, weaken: Change, why: str
) -> None:
    weaken(cluster)
    with pytest.raises(Refused) as refused:
        jobs.run("20260301T000000-abc", 3, 2, lambda _done: None)
    assert refused.value.code == "ScanPodsUnbounded"
    assert why in str(refused.value)
    assert "helm upgrade" in str(refused.value)

    _delete(cluster)
    _create(cluster)
    # The double of the API server has no Jobs: it was asked for one.
    with pytest.raises(NotFound, match="create Job"):
        jobs.run("20260301T000000-abc", 3, 2, lambda _done: None)


def test_what_only_the_server_fills_in_is_no_change(cluster: Any, guard: ScanGuard) -> None:
    """Defaults of Kubernetes 1.30 to 1.36 stand in the live objects, and not in what the chart writes."""
    empty: dict[str, Any] = {}
    constraints = {**POLICY["spec"]["matchConstraints"], "matchPolicy": "Equivalent", "namespaceSelector": empty}
    _edited(POLICIES, matchConstraints=constraints)(cluster)
    resources = {**BINDING["spec"]["matchResources"], "matchPolicy": "Equivalent", "objectSelector": empty}
    _edited(BINDINGS, matchResources=resources)(cluster)
    assert guard.problem() == ""
    guard.require()


@pytest.mark.parametrize("documents", [[], [POLICY], [BINDING], [BINDING, POLICY], [{"kind": "Secret"}], ["text"]])
def test_a_file_that_expects_too_little_lets_no_pod_be_made(guard: ScanGuard, documents: list[Any]) -> None:
    """Of nothing that is expected everything would be in force."""
    guard.expected.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    with pytest.raises(Refused, match="FINOPS_SCAN_JOB_ADMISSION"):
        guard.require()
    assert "cannot be judged" in guard.problem()


def test_a_file_that_is_not_there_lets_no_pod_be_made(parts: Parts, tmp_path: Path) -> None:
    for path in (Path(), tmp_path / "none.yaml"):
        with pytest.raises(Refused, match="FINOPS_SCAN_JOB_ADMISSION"):
            ScanGuard(parts.connection, path).require()


def _condition(parts: Parts, name: str) -> Condition | None:
    found = parts.policies.api.get(NAMESPACE, name)
    assert found is not None
    return find_condition(found.status.conditions, "ScanPodsPossible")


def _events(parts: Parts) -> list[str]:
    events = client.EventsV1Api(parts.connection.api).list_namespaced_event(NAMESPACE).items
    return [one.reason or "" for one in events if (one.reason or "").startswith("ScanPods")]


def _figure(parts: Parts) -> float | None:
    return parts.telemetry.registry.get_sample_value("finops_scan_pods_stopped")


def test_policies_that_ask_for_pods_say_that_none_are_made_and_acts_are_not_concerned(
    parts: Parts, cluster: Any, shown: ScanPods
) -> None:
    parts.policies.create(policy(name="pods", **IN_PODS))
    parts.policies.create(policy(name="here"))
    shown.show()
    possible = _condition(parts, "pods")
    assert possible is not None
    assert (possible.status, _figure(parts), _events(parts)) == ("True", 0.0, [])

    _gone(BINDINGS)(cluster)
    shown.show()
    shown.show()

    stopped = _condition(parts, "pods")
    assert stopped is not None
    assert (stopped.status, stopped.reason) == ("False", "ScanPodsUnbounded")
    assert f"ValidatingAdmissionPolicyBinding {NAME} does not exist" in stopped.message
    assert "helm upgrade" in stopped.message
    assert _condition(parts, "here") is None
    assert (_figure(parts), _events(parts)) == (1.0, ["ScanPodsUnbounded"])
    parts.obstacles.show()
    acts = parts.policies.api.get(NAMESPACE, "pods")
    assert acts is not None
    assert find_condition(acts.status.conditions, "ActsPossible").status == "True"  # type: ignore[union-attr]

    _delete(cluster)
    _create(cluster)
    shown.show()
    again = _condition(parts, "pods")
    assert again is not None
    assert (again.status, _figure(parts)) == ("True", 0.0)
    assert sorted(_events(parts)) == ["ScanPodsPossible", "ScanPodsUnbounded"]


def test_a_process_without_the_lease_counts_and_writes_nothing(parts: Parts, cluster: Any, shown: ScanPods) -> None:
    parts.policies.create(policy(name="pods", **IN_PODS))
    parts.writable = False
    _gone(POLICIES)(cluster)
    shown.show()
    assert _figure(parts) == 1.0
    assert _condition(parts, "pods") is None


def test_a_policy_that_asks_for_no_pods_any_more_says_nothing_of_them(parts: Parts, shown: ScanPods) -> None:
    made = parts.policies.create(policy(name="pods", **IN_PODS))
    shown.show()
    assert _condition(parts, "pods") is not None
    fresh = parts.policies.api.get(NAMESPACE, made.metadata.name)
    assert fresh is not None
    client.CustomObjectsApi(parts.connection.api).patch_namespaced_custom_object(
        "finops.dev", "v1alpha1", NAMESPACE, "scanpolicies", "pods", {"spec": {"execution": {"mode": "InProcess"}}}
    )
    parts.policies.read_again()
    shown.show()
    assert _condition(parts, "pods") is None
