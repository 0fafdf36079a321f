"""What of a shard's daily cost policies count: the resources that their selectors took on that day. Pure.

Policies with other selectors may take the same resource, so that their sums cannot be added: a day is kept in parts
that have no resource in common, each with the names of the policies that took it. What several of them count together
is the sum of the parts that at least one of them took.

A policy is named together with its selector: what another selector took on a day, or a policy that was not there, says
nothing of what is selected now. Such a day is unknown, so that no change of a policy is a change of the cost.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import TypeAlias

from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.tags import carries

Tag: TypeAlias = tuple[str, str]
"""Key and value."""
Parts: TypeAlias = tuple[tuple[frozenset[str], ShardCost], ...]
"""Marks of the policies that took a part (`Selecting.mark`), and what a month of 730 hours of it cost."""


@dataclass(frozen=True, slots=True)
class CostOfDay:
    """What one shard cost on one day, as a month of 730 hours of that day's inventory and prices.

    Attributes:
        cost: None where nothing was kept of what the policies select that are asked for.
        is_whole: whether it was kept for each of them; otherwise the cost is at least that.
    """

    day: date
    shard: Shard
    cost: ShardCost | None
    is_whole: bool = True


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

    @property
    def mark(self) -> str:
        """Return its name with what stands for its selector: another selector has another mark."""
        selector = [
            sorted((key, sorted(values)) for key, values in one.items()) for one in (self.include, self.exclude)
        ]
        return f"{self.policy}@{sha256(json.dumps(selector).encode()).hexdigest()[:12]}"

    def takes(self, tags: Mapping[str, str]) -> bool:
        """Return whether the selector takes what carries these tags."""
        return carries(tags, self.include, self.exclude)


KeptSelections: TypeAlias = Mapping[tuple[Shard, Tag | None], Parts]
"""(shard, None), or with a tag that a budget names → the parts of a day.

Every policy that selected in the shard is named by one of them, whatever it took. A shard without any resource is
absent.
"""


def by_shard(policies: Iterable[Selecting]) -> dict[Shard, tuple[Selecting, ...]]:
    """Return shard → the policies that cover it."""
    found: dict[Shard, list[Selecting]] = {}
    for one in policies:
        for shard in one.shards:
            found.setdefault(shard, []).append(one)
    return {shard: tuple(covering) for shard, covering in found.items()}


def counted(
    whole: CostOfDay, kept: KeptSelections, covering: Collection[Selecting], tag: Tag | None = None
) -> CostOfDay | None:
    """Return what policies select of a shard, as it was on a day; None without any policy.

    A policy that takes everything counts what the whole shard cost, also on a day on which it was not there. Of one
    that selects, the days are known on which it selected as it does now.

    Args:
        whole: what all resources of the shard cost, or all that carry `tag`.
        kept: what was kept of that day.
        covering: the policies that are asked for, of those that cover the shard today.
        tag: of a budget.
    """
    if not covering:
        return None
    if whole.cost is None or not whole.cost.resources or any(one.takes_all for one in covering):
        # Nothing is there to select from, or all of it is taken.
        return whole
    asked = frozenset(one.mark for one in covering)
    parts = [(takers & asked, cost) for takers, cost in kept.get((whole.shard, tag), ())]
    known = frozenset[str]().union(*(takers for takers, _ in parts))
    if not known:
        return replace(whole, cost=None, is_whole=False)
    return replace(whole, cost=_sum(cost for takers, cost in parts if takers), is_whole=known == asked)


def _sum(costs: Iterable[ShardCost]) -> ShardCost:
    total = ShardCost()
    for one in costs:
        total = total.with_all_of(one)
    return total
