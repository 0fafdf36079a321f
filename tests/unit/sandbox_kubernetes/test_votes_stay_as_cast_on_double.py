"""A vote stays as it was cast, by its kind's rule and by the admission policy, which the operator watches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.support.manifests import manifest

from finops.crds.admission import policies
from finops.crds.approval import Approval
from finops.crds.generate import KINDS, crd_object
from finops.k8s.connection import connect
from finops.k8s.kinds import approvals
from finops_sandbox.kubernetes import KubernetesDouble
from finops_sandbox.kubernetes.accounts import User

ADMIN = "somebody-with-every-right"
POLICIES = policies("system:serviceaccount:finops-system:finops-operator", {}, "release")


def without_rules(found: Any) -> Any:
    """Return a schema as somebody leaves it who may edit kinds: no value is kept as it was."""
    if isinstance(found, list):
        return [without_rules(one) for one in found]
    if not isinstance(found, dict):
        return found
    kept = {name: without_rules(value) for name, value in found.items()}
    if "x-kubernetes-validations" in kept:
        rules = [one for one in kept["x-kubernetes-validations"] if one["rule"] != "self == oldSelf"]
        kept = {**kept, "x-kubernetes-validations": rules}
    return kept


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KubernetesDouble]:
    kinds = tmp_path / "crds"
    kinds.mkdir()
    for kind in KINDS:
        text = json.dumps(without_rules(json.loads(json.dumps(crd_object(kind)))))
        (kinds / f"{kind.crd.plural}.yaml").write_text(text, encoding="utf-8")
    people = [User(ADMIN, ("system:masters",))]
    with KubernetesDouble(tmp_path, crds=[kinds], manifests=POLICIES, users=people) as double:
        yield double


def patch(cluster: KubernetesDouble, change: dict[str, Any]) -> urllib3.BaseHTTPResponse:
    headers = {"Authorization": f"Bearer {cluster.token(ADMIN)}", "Content-Type": "application/merge-patch+json"}
    address = f"{cluster.url}/apis/finops.dev/v1alpha1/namespaces/default/approvals/mine"
    with urllib3.PoolManager(ca_certs=str(cluster.ca_file)) as pool:
        return pool.request("PATCH", address, headers=headers, body=json.dumps(change).encode(), retries=False)


def test_with_every_right_and_without_the_rule_of_its_kind_a_vote_cannot_become_another_persons(
    cluster: KubernetesDouble,
) -> None:
    document = manifest("Approval", {"spec": {"approver": {"username": ADMIN}}}, name="mine")
    document["metadata"]["namespace"] = "default"
    votes = approvals(connect(str(cluster.kubeconfig_for(ADMIN))))
    votes.create(Approval.from_object(document))

    for spec in (
        {"approver": {"source": "kubernetes", "username": "alice"}},
        {
            "approver": {
                "source": "slack",
                "slackTeam": "T0123",
                "slackUser": "U0123",
                "attestedAt": "2026-11-29T16:00:00Z",
            }
        },
        {"request": {"uid": "another"}},
        {"decision": "Deny"},
    ):
        refused = patch(cluster, {"spec": spec})
        assert refused.status in {403, 422}, refused.data
        assert b"spec of an Approval cannot be changed" in refused.data, spec
    assert patch(cluster, {"metadata": {"labels": {"team": "web"}}}).status == 200, "its metadata may"
    (vote,) = votes.list("default")
    assert vote.spec.approver.username == ADMIN
