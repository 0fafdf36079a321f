"""Which resources of the store each policy counts: listings show all that was seen, a policy only what it selects.

Called by `finops resources` and `finops costs`, so that their figures can be compared with a policy's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from finops.domain.money import CURRENCY, as_text, to_cents
from finops.domain.quantity import counted
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
        self._all = _Sum()
        self._of = {one.name: _Sum() for one in policies}

    def add(
        self, monthly_cost: Decimal | None, at_least: Decimal | None, policies: Iterable[str], *, group: bool = False
    ) -> None:
        """Count one resource; of an unknown cost counts what it is at least, and the sentences say so.

        `group`: AWS bills its members, which are resources of their own.
        """
        for one in (self._all, *(self._of[name] for name in policies)):
            one.add(monthly_cost, at_least, group=group)

    def sentences(self) -> list[str]:
        """Return the totals in words: of everything first, then of each policy that selects another number of it."""
        sentences = [self._all.sentence()]
        for name, part in self._of.items():
            if part != self._all:
                sentences.append(f"policy {name} selects {part.count} of them, {part.money()}: --policy {name}")
        return sentences


_OF_MEMBERS: Final = "which cost what their members cost"


@dataclass(slots=True)
class _Sum:
    """Resources, what is known of their monthly cost, and how many have a part without a price."""

    count: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    groups: int = 0

    def add(self, monthly_cost: Decimal | None, at_least: Decimal | None, *, group: bool) -> None:
        self.count += 1
        self.groups += group
        self.cost += monthly_cost or at_least or Decimal(0)
        self.unpriced += monthly_cost is None

    def money(self) -> str:
        if self.count and self.groups == self.count:
            return _OF_MEMBERS
        if self.unpriced and self.unpriced == self.count and not self.cost:
            return "cost unknown"
        return f"{'at least ' if self.unpriced else ''}{as_text(to_cents(self.cost))} {CURRENCY}"

    def sentence(self) -> str:
        month = "" if self.money() in ("cost unknown", _OF_MEMBERS) else " a month"
        without = f", {self.unpriced} of them without a price" if self.unpriced else ""
        return f"{counted(self.count, 'resource')}, {self.money()}{month}{without}"
