"""What ListKeys leaves out: what a key is, and when it was used last. Called by the kind.

A key's own policy may refuse a question that other keys answer. AWS lets GetKeyLastUsage through 5 times a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops_operator.plugins.described import moment_of
from finops_operator.plugins.one_by_one import OneByOne

DESCRIBE: Final = "kms:DescribeKey"
LAST_USE: Final = "kms:GetKeyLastUsage"
GONE: Final = frozenset({"NotFoundException"})
REFUSALS: Final = 3
"""Of one question, after which it is the role's right that is missing and not a single key's."""


def description(asking: OneByOne, key: str) -> Mapping[str, Any]:
    """Return what a key is, empty when that is not known."""
    return (asking.answer(DESCRIBE, {"KeyId": key}) or {}).get("KeyMetadata") or {}


def last_use(asking: OneByOne, key: str) -> tuple[str | None, str | None]:
    """Return when a key was used last and since when AWS keeps that, ISO times.

    The first is empty where AWS knows of no use since then, and both are None when the question was not answered.
    """
    answer = asking.answer(LAST_USE, {"KeyId": key}) or {}
    tracked = moment_of(answer.get("TrackingStartDate"))
    if tracked is None:
        return None, None
    used = moment_of((answer.get("KeyLastUsage") or {}).get("Timestamp"))
    return "" if used is None else used.isoformat(), tracked.isoformat()
