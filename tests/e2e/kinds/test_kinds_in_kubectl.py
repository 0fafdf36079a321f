"""What people see of our kinds with kubectl."""

from __future__ import annotations

import re
from typing import Any

import pytest
from kubernetes import client
from tests.e2e.cluster_api import Cluster, refusal, unique_name
from tests.support.manifests import manifest

from finops.crds.scan_policy import ScanPolicySpec

pytestmark = pytest.mark.cluster

READY = {
    "type": "Ready",
    "status": "True",
    "reason": "CompletedWithGaps",
    "message": "2 gaps",
    "lastTransitionTime": "2026-01-31T09:00:00Z",
}


def _row(cluster: Cluster, plural: str, name: str, *options: str) -> dict[str, str]:
    """One row of `kubectl get`, by column; cells are cut where the header's columns start."""
    header, line = cluster.kubectl("get", plural, name, "-n", cluster.namespace, *options).rstrip().split("\n")
    columns = list(re.finditer(r"\S+( \S+)*", header))
    ends = [*(column.start() for column in columns[1:]), None]
    return {column[0]: line[column.start() : end].strip() for column, end in zip(columns, ends, strict=True)}


def _stored(cluster: Cluster, kind: str, status: dict[str, Any], *changes: dict[str, Any]) -> str:
    objects = cluster.kind(kind)
    name = unique_name("seen")
    objects.create(manifest(kind, *changes, name=name))
    objects.patch_status(name, {"status": status})
    return name


def test_a_policy_without_fields_gets_the_defaults_of_the_models(cluster: Cluster) -> None:
    policy = manifest("ScanPolicy", name=unique_name("empty"))
    del policy["spec"]
    assert cluster.kind("ScanPolicy").create(policy)["spec"] == ScanPolicySpec().to_dict()


def test_a_policy_with_some_fields_gets_the_defaults_around_them(cluster: Cluster) -> None:
    slack = {"slack": {"channel": "C0123"}}
    change = {"spec": {"approval": {"required": 2}, "metrics": {"lookbackDays": 7}, "notify": slack}}
    made = cluster.kind("ScanPolicy").create(manifest("ScanPolicy", change, name=unique_name("some")))
    assert made["spec"]["approval"]["destructive"] == {"required": 2, "stepUp": False}
    assert made["spec"]["metrics"]["minimumHours"] == 30
    assert made["spec"]["notify"]["slack"]["minimumMonthlySavings"] == 5


def test_a_policys_row_shows_state_cost_and_savings(cluster: Cluster) -> None:
    scan = {"startTime": "2026-01-31T09:00:00Z", "completionTime": "2026-01-31T09:01:00Z", "resources": 120, "gaps": 2}
    status = {
        "conditions": [READY],
        "lastScan": scan,
        "nextScanTime": "2026-01-31T10:00:00Z",
        "monthlyCost": "801.84",
        "potentialMonthlySavings": "66.82",
    }
    change = {"spec": {"accounts": [{"name": "production"}, {"name": "test"}], "regions": ["eu-west-1"]}}
    name = _stored(cluster, "ScanPolicy", status, change)
    row = _row(cluster, "sp", name)
    assert row.pop("LAST SCAN")
    assert row.pop("AGE")
    assert row == {
        "NAME": name,
        "READY": "True",
        "STATUS": "CompletedWithGaps",
        "SUSPENDED": "false",
        "SCHEDULE": "0 * * * *",
        "RESOURCES": "120",
        "MONTHLY COST": "801.84",
        "SAVINGS": "66.82",
    }
    wide = _row(cluster, "sp", name, "-o", "wide")
    assert wide["ACCOUNTS"] == '[{"name":"production"},{"name":"test"}]'
    assert wide["REGIONS"] == '["eu-west-1"]'
    assert wide["NEXT SCAN"] == "2026-01-31T10:00:00Z"
    assert wide["MESSAGE"] == "2 gaps"


def test_an_accounts_row_shows_its_digits_and_whether_it_answers(cluster: Cluster) -> None:
    name = _stored(cluster, "AwsAccount", {"conditions": [READY], "lastChecked": "2026-01-31T09:00:00Z"})
    row = _row(cluster, "awsacc", name)
    assert (row["ACCOUNT"], row["READY"], row["STATUS"]) == ("123456789012", "True", "CompletedWithGaps")
    assert row["LAST CHECKED"]


def test_a_requests_row_shows_state_money_votes_and_expiry(cluster: Cluster) -> None:
    status = {"state": "Pending", "votes": {"approve": 1, "deny": 0, "required": 2, "summary": "1/2"}}
    name = _stored(cluster, "ActionRequest", status)
    row = _row(cluster, "ar", name)
    assert row.pop("AGE")
    assert row == {
        "NAME": name,
        "STATE": "Pending",
        "ACTION": "ec2_instance_stop",
        "RESOURCE": "i-0123456789abcdef0",
        "SAVINGS": "60.42",
        "VOTES": "1/2",
        "EXPIRES": "2030-01-31T09:00:00Z",
    }
    wide = _row(cluster, "ar", name, "-o", "wide")
    assert (wide["POLICY"], wide["ACCOUNT"], wide["REGION"]) == ("production", "production", "eu-west-1")


def test_a_votes_row_shows_the_operators_answer(cluster: Cluster) -> None:
    name = _stored(cluster, "Approval", {"result": "Refused", "reason": "NotEligible", "message": "not named"})
    row = _row(cluster, "apv", name)
    assert (row["REQUEST"], row["DECISION"], row["SOURCE"]) == ("stop-web", "Approve", "kubernetes")
    assert (row["RESULT"], row["REASON"]) == ("Refused", "NotEligible")


def test_the_category_lists_all_kinds(cluster: Cluster) -> None:
    plurals = ("scanpolicies", "awsaccounts", "actionrequests", "approvals", "budgets")
    listed = cluster.kubectl("api-resources", "--categories=finops", "-o", "name").split()
    assert sorted(listed) == sorted(f"{plural}.finops.dev" for plural in plurals)


def test_policies_are_selected_by_suspension(cluster: Cluster) -> None:
    resting = unique_name("resting")
    cluster.kind("ScanPolicy").create(manifest("ScanPolicy", {"spec": {"suspend": True}}, name=resting))
    listed = cluster.kubectl(
        "get", "sp", "-n", cluster.namespace, "--field-selector=spec.suspend=true", "-o", "name"
    ).split()
    assert listed == [f"scanpolicy.finops.dev/{resting}"]


def test_every_field_is_explained(cluster: Cluster) -> None:
    said = cluster.kubectl("explain", "scanpolicy.spec.actions.limits.percentOfFleet")
    assert "Default: 10." in said


@pytest.mark.parametrize(
    ("kind", "change", "path"),
    [
        ("ScanPolicy", {"spec": {"resources": ["RDS instance"]}}, "spec.resources[0]"),
        ("ScanPolicy", {"spec": {"checks": [{"id": "No Id"}]}}, "spec.checks[0].id"),
        ("ScanPolicy", {"spec": {"pricing": {"hoursPerMonth": 100}}}, "spec.pricing.hoursPerMonth"),
        ("ScanPolicy", {"spec": {"selector": {"includeTags": {"team": []}}}}, "spec.selector.includeTags.team"),
        ("ScanPolicy", {"spec": {"approval": {"destructive": {"required": 1}}}}, "spec.approval.destructive.required"),
        ("AwsAccount", {"spec": {"allow": [{"namespaces": []}]}}, "spec.allow[0].namespaces"),
        ("AwsAccount", {"spec": {"allow": [{"namespaces": ["a"], "actions": ["No Id"]}]}}, "spec.allow[0].actions[0]"),
        ("Approval", {"spec": {"decision": "Perhaps"}}, "spec.decision"),
        ("Approval", {"spec": {"approver": {"source": "web"}}}, "spec.approver.source"),
        ("ActionRequest", {"spec": {"action": "No Id"}}, "spec.action"),
    ],
)
def test_values_out_of_bounds_are_refused_at_their_field(
    cluster: Cluster, kind: str, change: dict[str, Any], path: str
) -> None:
    with pytest.raises(client.ApiException) as caught:
        cluster.kind(kind).create(manifest(kind, change, name=unique_name("bad")))
    code, said = refusal(caught.value)
    assert code == 422
    assert path in said


def test_a_field_that_is_not_built_yet_is_refused_by_kubectl_and_not_kept(cluster: Cluster) -> None:
    policy = manifest("ScanPolicy", {"spec": {"sizing": {"graviton": "Advise"}}}, name=unique_name("unknown"))
    with pytest.raises(client.ApiException) as caught:
        cluster.kind("ScanPolicy").objects.create_namespaced_custom_object(
            "finops.dev", "v1alpha1", cluster.namespace, "scanpolicies", policy, field_validation="Strict"
        )
    assert 'unknown field "spec.sizing.graviton"' in refusal(caught.value)[1]
