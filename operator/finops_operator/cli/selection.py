"""Which resources of the store each policy counts: listings show all that was seen, a policy only what it selects.

Called by `finops resources` and `finops costs`, so that their figures can be compared with a policy's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from finops.domain.money import CURRENCY, as_text, to_cents
from finops.domain.price import Cost
from finops.domain.quantity import counted
from finops.domain.report import ShardCost
from finops.domain.resource import Resource, Shard
from finops.domain.tags import carries
from finops.store.connection import Store
from finops.store.recommendations import PolicyHead, RecommendationStore
from finops_operator.cli.stored_gaps import chosen_policies


@dataclass(frozen=True, slots=True)
class Selection:
    """What one policy selects, as of its last scan; `name` is NAMESPACE/NAME."""

    name: str
    head: PolicyHead

    def covers(self, shard: Shard) -> bool:
        return any(shard == one for one, _ in self.head.shards)

    def selects(self, shard: Shard, resource: Resource) -> bool:
        return self.covers(shard) and carries(resource.tags, self.head.include_tags, self.head.exclude_tags)


def selections(store: Store, wanted: str = "") -> tuple[Selection, ...]:
    """Return the selections of the policies with a finished scan; `wanted` is NAMESPACE/NAME, NAME or empty for all.

    Raises:
        InvalidInput: no scan of that policy has ended.
        StoreUnavailable: the store does not answer.
    """
    recommendations = RecommendationStore(store)
    found = [(one, recommendations.head(one)) for one in chosen_policies(recommendations, wanted)]
    return tuple(Selection("/".join(one), head) for one, head in found if head is not None)


class Tally:
    """Counts what was listed, and how much of it each policy selects."""

    def __init__(self, policies: Iterable[Selection]) -> None:
        self._all = ShardCost()
        self._of = {one.name: ShardCost() for one in policies}

    def add(self, cost: Cost, policies: Iterable[str]) -> None:
        """Count one resource, as every total does: `ShardCost` decides what of it is known."""
        self._all = self._all.plus(cost)
        for name in policies:
            self._of[name] = self._of[name].plus(cost)

    def sentences(self) -> list[str]:
        """Return the totals in words: of everything first, then of each policy that selects another number of it."""
        sentences = [_sentence(self._all)]
        for name, part in self._of.items():
            if part != self._all:
                sentences.append(f"policy {name} selects {part.resources} of them, {_money(part)}: --policy {name}")
        return sentences


_OF_MEMBERS: Final = "which cost what their members cost"
_UNKNOWN: Final = "cost unknown"


def _money(part: ShardCost) -> str:
    if part.resources and part.groups == part.resources:
        return _OF_MEMBERS
    if part.own_cost is None:
        return _UNKNOWN
    return f"{'at least ' if part.unpriced else ''}{as_text(to_cents(part.own_cost))} {CURRENCY}"


def _sentence(part: ShardCost) -> str:
    money = _money(part)
    month = "" if money in (_UNKNOWN, _OF_MEMBERS) else " a month"
    without = f", {part.unpriced} of them not fully priced" if part.unpriced else ""
    return f"{counted(part.resources, 'resource')}, {money}{month}{without}"
