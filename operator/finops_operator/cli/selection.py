"""Which resources of the store each policy counts: listings show all that was seen, a policy only what it selects.

Called by `finops resources` and `finops costs`, so that their figures can be compared with a policy's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from finops.domain.money import CURRENCY, as_text, to_cents
from finops.domain.resource import Resource, Shard
from finops.store.connection import Store
from finops.store.recommendations import PolicyHead, RecommendationStore
from finops_operator.cli.stored_gaps import chosen_policies
from finops_operator.stages.select import carries


@dataclass(frozen=True, slots=True)
class Selection:
    """What one policy looks at, as of its last scan; `name` is NAMESPACE/NAME."""

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
    found = ((one, recommendations.head(one)) for one in chosen_policies(recommendations, wanted))
    return tuple(Selection("/".join(one), head) for one, head in found if head is not None)


class Tally:
    """Counts what was listed, and how much of it each policy selects."""

    def __init__(self, policies: Iterable[Selection]) -> None:
        self._all = (0, Decimal(0))
        self._of = {one.name: (0, Decimal(0)) for one in policies}

    def add(self, monthly_cost: Decimal | None, policies: Iterable[str]) -> None:
        """Count one resource; an unknown cost adds nothing."""
        cost = monthly_cost or Decimal(0)
        self._all = (self._all[0] + 1, self._all[1] + cost)
        for name in policies:
            count, total = self._of[name]
            self._of[name] = (count + 1, total + cost)

    def sentences(self) -> list[str]:
        """Return the totals in words: of everything first, then of each policy that selects another number of it."""
        count, cost = self._all
        told = [f"{count} resources, {_money(cost)} a month"]
        for name, (chosen, part) in self._of.items():
            if (chosen, part) != self._all:
                told.append(f"policy {name} selects {chosen} of them, {_money(part)}: --policy {name}")
        return told


def _money(amount: Decimal) -> str:
    return f"{as_text(to_cents(amount))} {CURRENCY}"
