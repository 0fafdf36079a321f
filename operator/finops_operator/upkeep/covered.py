"""What the last scans of one namespace's policies cover: nobody there learns what other accounts cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from finops.crds.scan_policy import ScanPolicy
from finops.domain.resource import Gap, Shard
from finops.domain.selected import Selecting
from finops.store.connection import Store
from finops.store.recommendations import HeadUnreadable, PolicyHead, RecommendationStore
from finops.store.selected_costs import selecting_of
from finops_operator.cluster.cache import KindCache
from finops_operator.rules.budget_status import NEVER_SCANNED, OF_OUR_OWN, OF_POLICY


@dataclass(frozen=True, slots=True)
class Covered:
    """What the scans saw and could not see.

    Attributes:
        mark: changes with each of them.
        as_of: when the oldest of them ended; None without any.
        selecting: what each policy selects.
    """

    shards: frozenset[Shard]
    gaps: tuple[Gap, ...]
    mark: str
    as_of: datetime | None = None
    selecting: tuple[Selecting, ...] = ()


def covered(store: Store, namespace: str, existing: Mapping[str, str] | None = None) -> Covered:
    """Return what the policies of a namespace cover. Raises StoreUnavailable.

    An unreadable head is a gap, and so is a policy that exists and was never scanned: nobody knows what it would see.

    Args:
        store: holds what the scans left.
        namespace: of the policies.
        existing: name → uid of all policies that exist there; None for whoever does not ask for gaps.
    """
    stored = RecommendationStore(store)
    known: dict[str, PolicyHead] = {}
    gaps: list[Gap] = []
    unscanned = dict(existing or {})
    for _, name in (key for key in stored.policies() if key[0] == namespace):
        try:
            head = stored.head((namespace, name))
        except HeadUnreadable as error:
            gaps.append(_unread(name, error.code, error.message))
            unscanned.pop(name, None)
            continue
        if head is not None:
            known[name] = head
            gaps += head.summary.gaps
            if head.uid in {"", unscanned.get(name)}:
                unscanned.pop(name, None)
    gaps = [*(_never_scanned(name) for name in sorted(unscanned)), *gaps]
    scans = sorted(f"{head.generation}/{head.summary.completion_time.isoformat()}" for head in known.values())
    return Covered(
        shards=frozenset(shard for head in known.values() for shard in head.covered),
        gaps=tuple(gaps),
        mark=" ".join([*scans, *(f"{name}={unscanned[name]}" for name in sorted(unscanned))]),
        as_of=min((head.summary.completion_time for head in known.values()), default=None),
        selecting=tuple(selecting_of((namespace, name), head) for name, head in known.items()),
    )


def existing_in(policies: KindCache[ScanPolicy], namespace: str) -> dict[str, str]:
    """Return name → uid of a namespace's policies; one that does not parse exists as well."""
    parsed = {
        one.metadata.name: one.metadata.uid or "" for one in policies.all() if one.metadata.namespace == namespace
    }
    broken = [one for one in policies.broken() if one.key[0] == namespace]
    return parsed | {one.key[1]: str(one.raw.get("metadata", {}).get("uid") or "") for one in broken}


def _never_scanned(name: str) -> Gap:
    return _unread(name, NEVER_SCANNED, f"no scan of the policy {name} has ended yet")


def _unread(name: str, code: str, message: str) -> Gap:
    return Gap(f"{OF_POLICY}{name}", "", OF_OUR_OWN, "ReadHead", code, message)
