"""The policies that a visitor may read, as their last scans left them: what they select, how fresh, what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.domain.report import Savings
from finops.domain.resource import Gap, Resource, Shard
from finops.domain.tags import carries
from finops.store.connection import Store
from finops.store.recommendations import PolicyHead, RecommendationStore

_STALE_AFTER = timedelta(hours=26)
"""A daily scan that is two hours late: older figures are marked, whatever the schedule."""


_MEASURES: Final = frozenset({"pricing", "ce"})
_FIGURES: Final = ("cloudwatch", "GetMetricData")
"""Gaps of these hide no resource: what lacks a price for them is counted. CloudWatch's other calls list some."""


@dataclass(frozen=True, slots=True)
class ScannedPolicy:
    """One policy and what its last scan left."""

    namespace: str
    name: str
    head: PolicyHead

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name

    @property
    def title(self) -> str:
        return f"{self.namespace}/{self.name}"

    def covers(self, shard: Shard) -> bool:
        """Return whether the last scan listed a shard; `head.covered` has those that it could not list as well."""
        return any(shard == one for one, _ in self.head.shards)

    def counts(self, resource: Resource) -> bool:
        """Return whether the policy's selector takes the resource in."""
        return self.covers(resource.shard) and carries(resource.tags, self.head.include_tags, self.head.exclude_tags)


def scanned_policies(store: Store) -> tuple[ScannedPolicy, ...]:
    """Return every policy with a finished scan, by namespace and name. Raises StoreUnavailable."""
    recommendations = RecommendationStore(store)
    heads = ((key, recommendations.head(key)) for key in recommendations.policies())
    return tuple(ScannedPolicy(*key, head) for key, head in heads if head is not None)


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the figures of a page can be trusted: the line under its title.

    Attributes:
        oldest, newest: when the scans behind the page ended; None when none has.
        resources, priced: how many were seen, and how many of them have a price.
        gaps: what could not be seen, each once.
        stale: whether the oldest scan is more than a day old.
    """

    oldest: datetime | None
    newest: datetime | None
    resources: int
    priced: int
    gaps: tuple[Gap, ...]
    stale: bool


def trust_in(
    policies: Collection[ScannedPolicy],
    resources: int,
    priced: int,
    now: datetime,
    more: Iterable[Gap] = (),
    *,
    pushes: Iterable[datetime] = (),
) -> Trust:
    """Return how far figures of `policies` can be trusted.

    `more` are gaps that no scan has, and come first; `pushes` is when something was pushed that is among the figures.
    """
    ends = [*(one.head.summary.completion_time for one in policies), *pushes]
    gaps = dict.fromkeys((*more, *(gap for one in policies for gap in one.head.summary.gaps)))
    oldest = min(ends, default=None)
    return Trust(
        oldest,
        max(ends, default=None),
        resources,
        priced,
        tuple(gaps),
        oldest is not None and now - oldest > _STALE_AFTER,
    )


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """How far figures of one account can be trusted.

    Attributes:
        account: 12 digits, or the account object's name where its identity itself failed.
        scanned: when the oldest of the scans that read it ended.
        gaps: how many things of it they could not see.
    """

    account: str
    scanned: datetime
    gaps: int


def health_of(policies: Iterable[ScannedPolicy]) -> tuple[AccountHealth, ...]:
    """Return the health of each account that the last scans read or could not see, those with most gaps first."""
    scanned: dict[str, datetime] = {}
    gaps: dict[str, set[Gap]] = {}
    for one in policies:
        summary = one.head.summary
        for account in {shard.account for shard, _ in one.head.shards} | {gap.account for gap in summary.gaps} - {""}:
            scanned[account] = min(scanned.get(account, summary.completion_time), summary.completion_time)
        for gap in summary.gaps:
            gaps.setdefault(gap.account, set()).add(gap)
    found = (AccountHealth(name, at, len(gaps.get(name, ()))) for name, at in scanned.items())
    return tuple(sorted(found, key=lambda one: (-one.gaps, one.account)))


def lacks_some(policies: Iterable[ScannedPolicy]) -> bool:
    """Return whether the last scans could not list something, so that all costs more than what was listed."""
    return any(
        gap.service not in _MEASURES and (gap.service, gap.operation) != _FIGURES
        for one in policies
        for gap in one.head.summary.gaps
    )


def savings_of(policies: Iterable[ScannedPolicy]) -> Savings:
    """Return the three figures of the policies together; each recommendation belongs to one policy."""
    found = Savings()
    for one in policies:
        found += one.head.summary.savings
    return found


def cost_of(policies: Iterable[ScannedPolicy]) -> Mapping[str, Decimal | None]:
    """Return policy → what its resources cost a month, None when not one of them has a price."""
    return {one.title: one.head.summary.known_monthly_cost for one in policies}
