"""What of a shard's daily cost policies count: the resources that their selectors took on that day. Pure.

Policies with other selectors may take the same resource, so that their sums cannot be added: a day is kept in parts
that have no resource in common, each with the names of the policies that took it. What several of them count together
is the sum of the parts that at least one of them took.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.tags import carries

Tag: TypeAlias = tuple[str, str]
"""Key and value."""
Parts: TypeAlias = tuple[tuple[frozenset[str], ShardCost], ...]
"""Names of the policies that took a part, and what a month of 730 hours of it cost."""


@dataclass(frozen=True, slots=True)
class CostOfDay:
    """What one shard cost on one day, as a month of 730 hours of that day's inventory and prices.

    Attributes:
        cost: None where only the cost of the whole shard was kept, and the policies that are asked for select in it.
    """

    day: date
    shard: Shard
    cost: ShardCost | None


@dataclass(frozen=True, slots=True)
class Selecting:
    """A policy, named NAMESPACE/NAME, the shards that its last scan judged, and the selector that it had then."""

    policy: str
    shards: frozenset[Shard]
    include: Mapping[str, Sequence[str]]
    exclude: Mapping[str, Sequence[str]]

    @property
    def takes_all(self) -> bool:
        return not self.include and not self.exclude

    def takes(self, tags: Mapping[str, str]) -> bool:
        """Return whether the selector takes what carries these tags."""
        return carries(tags, self.include, self.exclude)


@dataclass(frozen=True, slots=True)
class KeptSelections:
    """What was kept of one day.

    Attributes:
        whole: the policies that had no selector.
        selecting: those that had one.
        parts: (shard, None), or with a tag that a budget names → its parts; every policy that selected in the shard is
            named by one of them, whatever it took. A shard without any resource is absent.
    """

    whole: frozenset[str]
    selecting: frozenset[str]
    parts: Mapping[tuple[Shard, Tag | None], Parts]


def by_shard(policies: Iterable[Selecting]) -> dict[Shard, tuple[Selecting, ...]]:
    """Return shard → the policies that cover it."""
    found: dict[Shard, list[Selecting]] = {}
    for one in policies:
        for shard in one.shards:
            found.setdefault(shard, []).append(one)
    return {shard: tuple(covering) for shard, covering in found.items()}


def counted(
    whole: CostOfDay, kept: KeptSelections | None, covering: Collection[Selecting], tag: Tag | None = None
) -> CostOfDay | None:
    """Return what policies counted of a shard on a day; None where they were not there yet.

    A policy that was not there on that day and takes everything counts what the whole shard cost. One that selects adds
    nothing to a day on which it was not there.

    Args:
        whole: what all resources of the shard cost, or all that carry `tag`.
        kept: what was kept of that day; None of a day before selections were kept.
        covering: the policies that are asked for, of those that cover the shard today.
        tag: of a budget.
    """
    if not covering:
        return None
    if whole.cost is not None and not whole.cost.resources:
        # Nothing is there to select from; before the policies were there, nobody counted that either.
        there = kept is None or any(one.policy in kept.whole | kept.selecting or one.takes_all for one in covering)
        return whole if there else None
    names: frozenset[str] = kept.whole if kept else frozenset()
    parts = kept.parts.get((whole.shard, tag), ()) if kept else ()
    selected = frozenset[str]().union(*(takers for takers, _ in parts))
    if any(one.policy in names or (one.takes_all and one.policy not in selected) for one in covering):
        return whole
    asked = selected.intersection(one.policy for one in covering)
    if asked:
        return replace(whole, cost=_sum(cost for takers, cost in parts if takers & asked))
    return None if kept else replace(whole, cost=None)


def _sum(costs: Iterable[ShardCost]) -> ShardCost:
    total = ShardCost()
    for one in costs:
        total = total.with_all_of(one)
    return total
