"""IAM policies built from the permissions that kinds and actions declare; used by `iam-policy` and `doctor`.

Conditions narrow what IAM can narrow: what carries the protecting tag cannot be changed, and an action declares where
its service allows more than that. What leads an act back is free of the tag: whoever protects a resource while an act
has it changed must not keep it changed. Before its first call every act reads the tag itself and refuses.
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


def scan_policy(plugins: Plugins) -> dict[str, Any]:
    """Return what the scanner role needs: listing and metrics, and what actions observe before and after."""
    needed = {one for kind in plugins.kinds.values() for one in kind.permissions}
    needed |= {one for action in plugins.actions.values() for one in action.read_permissions}
    # Most calls that list, and all that read metrics, know no resources: AWS accepts only "*" for them.
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
    for action in chosen:
        narrowed = {str(statement["Action"]) for statement in action.rights.narrowed}
        for kind in action.kinds:
            changing.setdefault(kind, set()).update(one for one in action.permissions if one not in narrowed)
    rollback = {one for action in chosen for one in action.rights.rollback}
    statements: list[Statement] = []
    for name, operations in sorted(changing.items()):
        arn, word = plugins.kinds[name].arn_pattern, "".join(part.capitalize() for part in name.split("-"))
        guarded, free = operations - rollback, operations & rollback
        statements += [_changing(f"Change{word}", arn, guarded, _UNPROTECTED)] if guarded else []
        statements += [_changing(f"Restore{word}", arn, free, {})] if free else []
    declared = [statement for action in chosen for statement in (*action.rights.further, *action.rights.narrowed)]
    statements += sorted({str(one["Sid"]): one for one in declared}.values(), key=lambda one: str(one["Sid"]))
    return _document(statements)


def _changing(sid: str, arn: str, operations: Iterable[str], condition: Mapping[str, Any]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(operations),
        "Resource": arn,
        **({"Condition": condition} if condition else {}),
    }


def _document(statements: Sequence[Statement]) -> dict[str, Any]:
    return {"Version": _VERSION, "Statement": list(statements)}
