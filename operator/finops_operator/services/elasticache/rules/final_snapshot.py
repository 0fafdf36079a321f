"""A deletion before which AWS makes a final snapshot: how it is named, and when the deletion has succeeded. Pure.

AWS makes the final snapshot in the same call, before it deletes anything. It is named after what is deleted and its
time of creation: another one of its name was made at another time. Shared by the acts on caches and on their groups,
whose fingerprints have `createdAt` and `engine`. Source: ElastiCache API reference, DeleteCacheCluster,
DeleteReplicationGroup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation, Procedure, StepRules
from finops.domain.plan import Plan
from finops.domain.recommendation import ResourceRef
from finops_operator.plugins.action import Refusal
from finops_operator.plugins.deletion import is_as_approved, one_call
from finops_operator.services.elasticache.rules.use import MEMCACHED

SNAPSHOTS: Final = "elasticache:DescribeSnapshots"
MAKE_SNAPSHOT: Final = "elasticache:CreateSnapshot"
"""AWS refuses a deletion with a final snapshot without it."""
AVAILABLE: Final = "available"
_FINAL: Final = "finops-final-"
_ON_ITS_WAY: Final = frozenset({"deleting", "snapshotting"})
_SETTLE_SECONDS: Final = 120.0
"""How long a deletion may stay invisible."""
_GONE_SECONDS: Final = 7200.0
"""How long snapshot and deletion may take before a person is called: AWS names no limit."""


def final_prefix(name: str) -> str:
    """Return how the names of final snapshots of a cache or group begin."""
    return f"{_FINAL}{name.lower()}-"


def final_name(name: str, created_at: str) -> str:
    """Return the name of the final snapshot of a cache or group."""
    return final_prefix(name) + sha256_hex(created_at)[:12]


def has_snapshots(engine: str) -> bool:
    """Return whether AWS makes snapshots of an engine."""
    return engine != MEMCACHED


def final_snapshot(resource: ResourceRef, assumed: Mapping[str, Any]) -> str:
    """Return the name of the final snapshot of what has this fingerprint, empty where its engine has none."""
    if not has_snapshots(str(assumed.get("engine") or "")):
        return ""
    return final_name(resource.id, str(assumed.get("createdAt") or ""))


def final_snapshots(listed: Iterable[Mapping[str, Any]], name: str) -> dict[str, Json]:
    """Return the final snapshots of what has or had this name, with their states.

    What is gone names its snapshots no more, so they are found by their own names.
    """
    begins = final_prefix(name)
    return {
        str(one["SnapshotName"]): str(one.get("SnapshotStatus") or "")
        for one in listed
        if str(one.get("SnapshotName") or "").startswith(begins)
    }


def snapshot_refusals(observation: Observation) -> list[Refusal]:
    """Return that the name of the final snapshot is taken, where it is, or where that is not known."""
    kept = observation.facts.get("snapshots")
    name = final_name(observation.text("name"), observation.text("createdAt"))
    if not has_snapshots(observation.text("engine")) or (isinstance(kept, Mapping) and name not in kept):
        return []
    return [Refusal("SnapshotNameTaken", f"A snapshot {name} exists already.")]


def deleted_after_snapshot(what: str) -> Procedure:
    """Return when the one call that deletes `what` ("The cache") is made, seen and has succeeded."""
    return one_call(
        StepRules(reached=_leaving, expected=_expected, settle_seconds=_SETTLE_SECONDS, destroys=True),
        _found(what),
        gone=_proved,
        gone_seconds=_GONE_SECONDS,
        refused=_refused,
    )


def _absent(plan: Plan, now: Observation) -> bool:
    """Return whether it is gone; another one under its name was made after that."""
    return not now.exists or now.text("createdAt") != plan.fingerprint["createdAt"]


def _leaving(plan: Plan, now: Observation) -> bool:
    # A snapshot by itself shows the same state: only one with the name of ours is a sign of our call.
    begun = now.text("state") == "deleting" or bool(_snapshot_state(plan, now))
    return _absent(plan, now) or (now.text("state") in _ON_ITS_WAY and begun)


def _snapshot_state(plan: Plan, now: Observation) -> str:
    kept = now.facts.get("snapshots")
    return str(kept.get(final_snapshot(plan.resource, plan.fingerprint)) or "") if isinstance(kept, Mapping) else ""


def _proved(plan: Plan, now: Observation) -> bool:
    snapshot = final_snapshot(plan.resource, plan.fingerprint)
    return _absent(plan, now) and (not snapshot or _snapshot_state(plan, now) == AVAILABLE)


def _expected(plan: Plan, now: Observation) -> bool:
    return is_as_approved(plan, now) and now.text("state") == AVAILABLE and not _snapshot_state(plan, now)


def _found(what: str) -> Callable[[Plan, Observation], str]:
    def found(plan: Plan, now: Observation) -> str:
        snapshot = final_snapshot(plan.resource, plan.fingerprint)
        state = _snapshot_state(plan, now)
        there = f"{what} is deleted" if _absent(plan, now) else f"{what} is {now.text('state')}"
        if not snapshot:
            return f"{there}."
        return f"{there}; its final snapshot {snapshot} is {state or 'not there'}{' and is billed' if state else ''}."

    return found


def _refused(_plan: Plan, _now: Observation, _step: str, code: str) -> str:
    return {
        "SnapshotAlreadyExistsFault": "A snapshot with the name of the final one was made meanwhile.",
        "SnapshotFeatureNotSupportedFault": "AWS makes no snapshot of its node type, so it is not deleted.",
        "SnapshotQuotaExceededFault": "The account has as many snapshots as it may have, so it is not deleted.",
    }.get(code, "")
