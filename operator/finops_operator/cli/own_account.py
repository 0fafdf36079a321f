"""The documents of a scan that nobody wrote documents for: the caller's own account, all regions, observe-only."""

from __future__ import annotations

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops_operator.aws.own_identity import OwnIdentity
from finops_operator.cli.documents import Documents

NAMESPACE = "default"


def own_documents(identity: OwnIdentity) -> Documents:
    """Return a policy that recommends only, and the account it may scan; no role is assumed and none is named."""
    name = f"account-{identity.account_id}"
    account = AwsAccount.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "AwsAccount",
            "metadata": {"name": name},
            "spec": {
                "accountId": identity.account_id,
                "partition": identity.partition,
                "allow": [{"namespaces": [NAMESPACE]}],
            },
        }
    )
    policy = ScanPolicy.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "ScanPolicy",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"accounts": [{"name": name}], "actions": {"mode": "Recommend"}},
        }
    )
    return Documents(policies=[policy], accounts={name: account})
