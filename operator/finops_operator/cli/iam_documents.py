"""IAM policies built from the permissions that kinds and actions declare; used by `iam-policy` and `doctor`.

Conditions narrow what IAM can narrow: what carries the protecting tag cannot be changed, and an action declares where
its service allows more than that. What leads an act back is free of the tag: whoever protects a resource while an act
has it changed must not keep it changed. Before its first call every act reads the tag itself and refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from finops.domain.resource import PROTECTED_TAG
from finops.errors import InvalidInput
from finops_operator.aws.bucket_place import BUCKET_PERMISSIONS, OBJECT_PERMISSIONS
from finops_operator.aws.regions import LIST_REGIONS
from finops_operator.plugins.loaded import Plugins
from finops_operator.plugins.session_policy import actions_of
from finops_operator.pricing.price_list import PERMISSION as PRICE_LIST
from finops_operator.scan.coverage import PERMISSIONS as COVERAGE

Statement: TypeAlias = Mapping[str, Any]
REPORT_LINES: Final = "--lambda-report-lines"
_VERSION: Final = "2012-10-17"
_UNPROTECTED: Final = {"StringNotEquals": {f"aws:ResourceTag/{PROTECTED_TAG}": "true"}}


def kinds_of(plugins: Plugins, services: Sequence[str], kinds: Sequence[str]) -> frozenset[str]:
    """Return the kinds of `services` and those named in `kinds`; every kind when both are empty.

    Raises:
        InvalidInput: a service or a kind that does not exist.
    """
    by_service: dict[str, set[str]] = {}
    for kind in plugins.kinds.values():
        by_service.setdefault(kind.service, set()).add(kind.id)
    _known("service", services, by_service)
    _known("kind", kinds, plugins.kinds)
    chosen = {one for name in services for one in by_service[name]} | set(kinds)
    return frozenset(chosen or plugins.kinds)


def _known(word: str, names: Sequence[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            listed = ", ".join(sorted(known))
            raise InvalidInput(f"there is no {word} {name!r}", field=f"--{word}", hint=f"known: {listed}")


def scan_policy(
    plugins: Plugins,
    kinds: Collection[str],
    *,
    price_list: bool = False,
    coverage: bool = False,
    report_lines: bool = False,
) -> dict[str, Any]:
    """Return what the scanner role needs for `kinds`.

    Listing and metrics, what the actions on these kinds observe before and after, and where asked AWS's price list, the
    coverage by commitments and the logs that say what no metric does.

    Raises:
        InvalidInput: the logs of kinds that are read from none.
    """
    needed = {one for name in kinds for one in plugins.kinds[name].permissions}
    # Which regions an account has is asked whatever the kind.
    needed |= {LIST_REGIONS} if kinds else set()
    needed |= {
        one
        for action in plugins.actions.values()
        if not action.kinds.isdisjoint(kinds)
        for one in action.read_permissions
    }
    needed |= {PRICE_LIST} if price_list else set()
    needed |= set(COVERAGE) if coverage else set()
    needed |= _log_permissions(plugins, kinds) if report_lines else set()
    # Most calls that list, and all that read metrics, know no resources: AWS accepts only "*" for them.
    return _document([{"Sid": "Read", "Effect": "Allow", "Action": sorted(needed), "Resource": "*"}])


def _log_permissions(plugins: Plugins, kinds: Collection[str]) -> set[str]:
    found = {one for name in kinds if (logged := plugins.kinds[name].logged) for one in logged.permissions}
    if not found:
        raise InvalidInput(
            "is for kinds that are read from logs", field=REPORT_LINES, hint="add --kind lambda-function"
        )
    return found


def ledger_policy(bucket: str, prefix: str, partition: str = "aws") -> dict[str, Any]:
    """Return what the identity needs that keeps the ledger in a bucket, below a prefix that ends in a slash."""
    arn = f"arn:{partition}:s3:::{bucket}"
    return _document(
        [
            {"Sid": "Find", "Effect": "Allow", "Action": list(BUCKET_PERMISSIONS), "Resource": arn},
            {"Sid": "Keep", "Effect": "Allow", "Action": list(OBJECT_PERMISSIONS), "Resource": f"{arn}/{prefix}*"},
        ]
    )


def act_policy(plugins: Plugins, kinds: Collection[str], actions: Sequence[str]) -> dict[str, Any]:
    """Return what the executor role needs for `actions`; when none is named, for all on `kinds`.

    Raises:
        InvalidInput: an action that does not exist, or no action changes these kinds.
    """
    _known("action", actions, plugins.actions)
    chosen = [
        action
        for name, action in plugins.actions.items()
        if (name in actions if actions else not action.kinds.isdisjoint(kinds))
    ]
    if not chosen:
        raise InvalidInput(
            "is for what no action changes", field="--for act", hint="the role that reads is enough: --for scan"
        )
    changing: dict[str, set[str]] = {}
    for action in chosen:
        narrowed = {one for statement in action.rights.narrowed for one in actions_of(statement)}
        for kind in action.kinds.intersection(kinds):
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
