"""What stands around the operator in its tests: the estate in AWS, and what a cluster's administrator installed."""

from __future__ import annotations

from typing import Any, Final

from finops.crds.admission import policies
from finops_sandbox.kubernetes import User

Obj = dict[str, Any]
ACCOUNT: Final = "111111111111"
REGION: Final = "us-east-1"
SYSTEM: Final = "finops-system"
CASES: Final = 40
PEOPLE: Final = (User("admin", ("system:masters",)), User("alice", ("sre",)), User("bob"), User("carol"))


def estate() -> Obj:
    """Two idle instances for every case; those of the first are the only ones that a smaller type fits."""
    idle = {"cpu": "idle", "network": "quiet", "age": "400d", "count": 2}
    types = ["m5.2xlarge", *["t2.large"] * (CASES - 1)]
    return {
        "accounts": {ACCOUNT: {"name": "production", "regions": [REGION]}},
        "externalId": "finops-sandbox",
        "resources": [
            {
                "account": "production",
                "region": REGION,
                "instances": [
                    {"name": f"case{n}", "tags": {"case": f"c{n}"}, "type": type_, **idle}
                    for n, type_ in enumerate(types)
                ],
            }
        ],
    }


def manifests() -> list[Obj]:
    names = [f"c{n}" for n in range(CASES)]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    finops = {"apiGroups": ["finops.dev"]}
    voting = [
        {**finops, "resources": ["approvals"], "verbs": ["create", "get", "list", "watch"]},
        {**finops, "resources": ["actionrequests"], "verbs": ["get", "list", "watch"]},
    ]
    attesting = {**finops, "resources": ["approvalsources"], "resourceNames": ["slack"], "verbs": ["attest"]}
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"finops-operator-{what}", "namespace": SYSTEM}}
        for what in ("freeze", "identities", "ledger-anchor")
    ]
    grant = {"namespaces": names, "actions": ["ec2_instance_stop"]}
    roles = f"arn:aws:iam::{ACCOUNT}:role/finops"
    account = {
        "apiVersion": "finops.dev/v1alpha1",
        "kind": "AwsAccount",
        "metadata": {"name": "production"},
        "spec": {
            "accountId": ACCOUNT,
            "scannerRoleArn": f"{roles}-scanner",
            "executorRoleArn": f"{roles}-executor",
            "externalId": "finops-sandbox",
            "allow": [grant],
        },
    }
    return [
        *policies(
            f"system:serviceaccount:{SYSTEM}:finops-operator",
            {"slack": f"system:serviceaccount:{SYSTEM}:finops-slackbot"},
            f"finops-operator-{SYSTEM}",
        ),
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names),
        {**role, "metadata": {"name": "voters"}, "rules": voting},
        {**role, "metadata": {"name": "bots"}, "rules": [*voting, attesting]},
        _binding("operators", "cluster-admin", _service_account("finops-operator")),
        _binding("voters", "voters", *({"kind": "User", "name": name} for name in ("alice", "bob", "carol"))),
        _binding("bots", "bots", _service_account("finops-slackbot")),
        *maps,
        account,
    ]


def _service_account(name: str) -> Obj:
    return {"kind": "ServiceAccount", "name": name, "namespace": SYSTEM}


def _binding(name: str, role: str, *subjects: Obj) -> Obj:
    group = "rbac.authorization.k8s.io"
    reference = {"apiGroup": group, "kind": "ClusterRole", "name": role}
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": reference,
        "subjects": list(subjects),
    }
