"""The admission policies against a program with every right, as GitOps controllers have it, on the cluster's double."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.manifests import SLACK_VOTER, manifest

from finops.crds.admission import policies
from finops.crds.approval import Approval
from finops.crds.generate import KINDS, crd_object
from finops.errors import Refused
from finops.k8s.connection import connect
from finops.k8s.kinds import KindApi, approvals
from finops_sandbox.kubernetes import KubernetesDouble
from finops_sandbox.kubernetes.accounts import ServiceAccount, User

CONTROLLER = "system:serviceaccount:gitops:controller"
BOT = "system:serviceaccount:finops-system:finops-slackbot"
API = "rbac.authorization.k8s.io/v1"


def _manifests() -> list[dict[str, Any]]:
    accounts = [
        {"kind": "ServiceAccount", "namespace": namespace, "name": name}
        for namespace, name in (("gitops", "controller"), ("finops-system", "finops-slackbot"))
    ]
    every_right = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "every-right"}
    return [
        *(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            for name in ("gitops", "finops-system", "default")
        ),
        {"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": "every-right"}, "rules": [every_right]},
        {
            "apiVersion": API,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "every-right"},
            "roleRef": reference,
            "subjects": accounts,
        },
        *policies("system:serviceaccount:finops-system:finops-operator", {"slack": BOT}, "release"),
    ]


@pytest.fixture
def double(tmp_path: Path) -> Iterator[KubernetesDouble]:
    """Return a cluster in which the bot and a controller both have every right."""
    crds = tmp_path / "crds"
    crds.mkdir()
    for kind in KINDS:
        (crds / f"{kind.crd.plural}.yaml").write_text(str(crd_object(kind)), encoding="utf-8")
    accounts = [
        ServiceAccount("controller", "gitops", "controller"),
        ServiceAccount("bot", "finops-system", "finops-slackbot"),
    ]
    users = [User("admin", ("system:masters",))]
    with KubernetesDouble(
        tmp_path, crds=[crds], manifests=_manifests(), users=users, service_accounts=accounts
    ) as made:
        yield made


def _as(double: KubernetesDouble, context: str) -> KindApi[Approval]:
    return approvals(connect(str(double.kubeconfig_for(context))))


def _vote(name: str, approver: dict[str, Any]) -> Approval:
    document = manifest("Approval", {"spec": {"approver": approver}}, name=name)
    document["metadata"]["namespace"] = "default"
    return Approval.from_object(document)


def test_the_right_to_attest_by_wildcard_casts_no_slack_vote(double: KubernetesDouble) -> None:
    with pytest.raises(Refused, match="is one the sender may not vouch for"):
        _as(double, "controller").create(_vote("forged", SLACK_VOTER))
    assert double.not_evaluated == []


def test_the_releases_bot_casts_it(double: KubernetesDouble) -> None:
    assert _as(double, "bot").create(_vote("honest", SLACK_VOTER)).metadata.name == "honest"


def test_a_controller_votes_under_its_own_name(double: KubernetesDouble) -> None:
    assert _as(double, "controller").create(_vote("own", {"username": CONTROLLER})).metadata.name == "own"
