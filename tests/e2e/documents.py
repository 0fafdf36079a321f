"""The objects a user of the product would write, for the accounts of the AWS double."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.e2e.cluster import Object

from finops.crds.approval import Approval, ApprovalSpec, RequestReference, Source, Voter
from finops.domain.decision import Choice

ACCOUNT_ID = "111111111111"
API = "finops.dev/v1alpha1"
ACTIONS = ["ec2_instance_stop", "ec2_instance_resize", "ebs_volume_modify", "ebs_volume_delete"]


def account(name: str, namespace: str, actions: Sequence[str] = tuple(ACTIONS)) -> Object:
    """An AwsAccount that lets one namespace do these actions."""
    spec = {
        "accountId": ACCOUNT_ID,
        "scannerRoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/finops-scanner",
        "executorRoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/finops-executor",
        "externalId": "finops-sandbox",
        "allow": [{"namespaces": [namespace], "actions": list(actions)}],
    }
    return {"apiVersion": API, "kind": "AwsAccount", "metadata": {"name": name}, "spec": spec}


def policy(name: str, namespace: str, account_name: str, **spec: Any) -> Object:
    """A ScanPolicy of one account; `spec` is what differs from the defaults."""
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": API,
        "kind": "ScanPolicy",
        "metadata": metadata,
        "spec": {"accounts": [{"name": account_name}], **spec},
    }


def vote(request: Object, user: str, choice: Choice = Choice.APPROVE, reason: str = "") -> Object:
    """The Approval that a person sends with kubectl for an ActionRequest."""
    metadata, spec = request["metadata"], request["spec"]
    made = Approval.of(
        metadata["namespace"],
        ApprovalSpec(
            request=RequestReference(name=metadata["name"], uid=metadata["uid"]),
            plan_hash=spec["planHash"],
            decision=choice,
            reason=reason or None,
            approver=Voter(source=Source.KUBERNETES, username=user),
        ),
    )
    document: Object = made.to_object()
    document.pop("status", None)
    return document


def role_binding(name: str, namespace: str, cluster_role: str, *users: str) -> Object:
    """Let users do in one namespace what a cluster role says."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": cluster_role},
        "subjects": [{"kind": "User", "name": user, "apiGroup": group} for user in users],
    }


def condition(obj: Object, type_: str) -> Object:
    """One condition of an object's status; empty while it is not there."""
    conditions = obj.get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == type_), {})
