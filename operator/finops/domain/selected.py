"""What of a shard's daily cost policies count: the resources that their selectors took on that day. Pure.

Policies with other selectors may take the same resource, so that their sums cannot be added: a day is kept in parts
that have no resource in common, each with the names of the policies that took it. What several of them count together
is the sum of the parts that at least one of them took.

A policy is named together with its selector: what another selector took on a day, or a policy that was not there, says
nothing of what is selected now. Such a day is unknown, so that no change of a policy is a change of the cost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import NamedTuple, TypeAlias

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
        is_split: whether it was kept for any policy; else it is the whole shard's alone.
        is_empty: whether the whole shard is known to have had no resource.
    """

    day: date
    shard: Shard
    cost: ShardCost | None
    is_whole: bool = True
    is_split: bool = True
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Selecting:
    """A policy, named NAMESPACE/NAME, the shards that its last scan covered, and the selector that it had then."""

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


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted of a shard: all of it, or what policies with these marks take."""

    marks: frozenset[str]
    takes_all: bool = False


class Counted(NamedTuple):
    """What was counted of a shard on a day.

    Attributes:
        cost: None where nothing was kept of what is asked for.
        is_whole: whether it was kept for each of the policies; otherwise the cost is at least that.
        is_split: False where it was kept for no policy at all, and the whole shard's cost alone: a release before did
            so, or the parts were not written.
        is_empty: whether the whole shard is known to have had no resource: then nothing is kept of its parts, which is
            no sign of how the policies selected.
    """

    cost: ShardCost | None
    is_whole: bool = True
    is_split: bool = True
    is_empty: bool = False


def by_shard(policies: Iterable[Selecting]) -> dict[Shard, tuple[Selecting, ...]]:
    """Return shard → the policies that cover it."""
    found: dict[Shard, list[Selecting]] = {}
    for one in policies:
        for shard in one.shards:
            found.setdefault(shard, []).append(one)
    return {shard: tuple(covering) for shard, covering in found.items()}


def asked_by_shard(policies: Iterable[Selecting]) -> dict[Shard, Asked]:
    """Return shard → what these policies count of it together, the same object where it is the same."""
    found: dict[Shard, Asked] = {}
    shared: dict[tuple[Asked | None, str], Asked] = {}
    for one in policies:
        mark = "" if one.takes_all else one.mark
        for shard in one.shards:
            before = found.get(shard)
            if (before, mark) not in shared:
                shared[before, mark] = _with(before, mark)
            found[shard] = shared[before, mark]
    return found


def counted(cost: ShardCost, parts: Parts, asked: Asked) -> Counted:
    """Return what policies select of a shard, as it was on a day.

    A policy that takes everything counts what the whole shard cost, also on a day on which it was not there. Of one
    that selects, the days are known on which it selected as it does now.

    Args:
        cost: of all resources of the shard, or of all that carry a tag.
        parts: what was kept of them on that day, empty where nothing was.
        asked: what is counted of the shard.
    """
    if not cost.resources or asked.takes_all:
        # Nothing is there to select from, or all of it is taken.
        return Counted(cost, is_empty=not cost.resources)
    of_asked = [(takers & asked.marks, of_part) for takers, of_part in parts]
    known = frozenset[str]().union(*(takers for takers, _ in of_asked))
    if not known:
        return Counted(None, is_whole=False, is_split=bool(parts))
    return Counted(_sum(of_part for takers, of_part in of_asked if takers), is_whole=known == asked.marks)


def _with(asked: Asked | None, mark: str) -> Asked:
    if not mark or (asked is not None and asked.takes_all):
        return Asked(frozenset(), takes_all=True)
    return Asked((asked.marks if asked is not None else frozenset()) | {mark})


def _sum(costs: Iterable[ShardCost]) -> ShardCost:
    total = ShardCost()
    for one in costs:
        total = total.with_all_of(one)
    return total
