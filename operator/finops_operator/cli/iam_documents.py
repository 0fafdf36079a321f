"""IAM policies built from the permissions that kinds and actions declare; used by `iam-policy` and `doctor`.

Conditions narrow what IAM can narrow: what carries the protecting tag cannot be changed, of an instance only the type,
tags are written on snapshots only while they are made, grants on customer keys are for EC2 alone. What leads an act
back (start, the old type) is free of the tag: whoever protects an instance while an act has it stopped must not keep it
stopped. Before its first call every act reads the tag itself and refuses.
Sources: AWS service authorization reference for EC2, STS and KMS; "Key policies … for encrypted volumes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from finops.domain.resource import PROTECTED_TAG
from finops.errors import InvalidInput
from finops_operator.plugins.loaded import Plugins

Statement: TypeAlias = Mapping[str, Any]
_VERSION: Final = "2012-10-17"
_UNPROTECTED: Final = {"StringNotEquals": {f"aws:ResourceTag/{PROTECTED_TAG}": "true"}}
_WAY_BACK: Final = frozenset({"ec2:StartInstances"})
_OBJECT_OF_KIND: Final[Mapping[str, str]] = {"ec2-instance": "instance", "ebs-volume": "volume"}


def scan_policy(plugins: Plugins) -> dict[str, Any]:
    """Return what the scanner role needs: listing and metrics, and what actions observe before and after."""
    needed = {one for kind in plugins.kinds.values() for one in kind.permissions}
    needed |= {one for action in plugins.actions.values() for one in action.read_permissions}
    # Describe and metric calls know no resources: AWS accepts only "*" for them.
    return _document([{"Sid": "Read", "Effect": "Allow", "Action": sorted(needed), "Resource": "*"}])


def act_policy(plugins: Plugins, actions: Sequence[str]) -> dict[str, Any]:
    """Return what the executor role needs for `actions`, all of them when empty.

    Raises:
        InvalidInput: an action that does not exist.
    """
    for name in actions:
        if name not in plugins.actions:
            known = ", ".join(sorted(plugins.actions))
            raise InvalidInput(f"there is no action {name!r}", field="--action", hint=f"known: {known}")
    chosen = [action for name, action in plugins.actions.items() if not actions or name in actions]
    changing: dict[str, set[str]] = {}
    special: set[str] = set()
    for action in chosen:
        for permission in action.permissions:
            if permission in _SPECIAL:
                special.add(permission)
                continue
            for kind in action.kinds:
                changing.setdefault(_OBJECT_OF_KIND[kind], set()).add(permission)
    statements: list[Statement] = []
    for name, operations in sorted(changing.items()):
        guarded, free = operations - _WAY_BACK, operations & _WAY_BACK
        statements += [_changing(f"Change{name.capitalize()}s", name, guarded, _UNPROTECTED)] if guarded else []
        statements += [_changing(f"Restore{name.capitalize()}s", name, free, {})] if free else []
    if any("ec2:CreateSnapshot" in operations for operations in changing.values()):
        statements.append(
            {
                "Sid": "KeepSnapshots",
                "Effect": "Allow",
                "Action": "ec2:CreateSnapshot",
                "Resource": "arn:*:ec2:*::snapshot/*",
            }
        )
    statements += [_SPECIAL[name] for name in sorted(special)]
    return _document(statements)


def _changing(sid: str, name: str, operations: Iterable[str], condition: Mapping[str, Any]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(operations),
        "Resource": f"arn:*:ec2:*:*:{name}/*",
        **({"Condition": condition} if condition else {}),
    }


_SPECIAL: Final[Mapping[str, Statement]] = {
    "ec2:ModifyInstanceAttribute": {
        "Sid": "ChangeNothingButTheInstanceType",
        "Effect": "Allow",
        "Action": "ec2:ModifyInstanceAttribute",
        "Resource": "arn:*:ec2:*:*:instance/*",
        "Condition": {"StringEquals": {"ec2:Attribute": "InstanceType"}},
    },
    "ec2:CreateTags": {
        "Sid": "TagSnapshotsAsTheyAreMade",
        "Effect": "Allow",
        "Action": "ec2:CreateTags",
        "Resource": "arn:*:ec2:*::snapshot/*",
        "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}},
    },
    # Without it an instance whose volumes have a customer key never starts again.
    "kms:CreateGrant": {
        "Sid": "StartWithEncryptedVolumes",
        "Effect": "Allow",
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {
            "Bool": {"kms:GrantIsForAWSResource": "true"},
            "StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"},
        },
    },
}


def _document(statements: Sequence[Statement]) -> dict[str, Any]:
    return {"Version": _VERSION, "Statement": list(statements)}
