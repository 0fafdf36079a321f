"""Prices what scanners elsewhere pushed, and forgets what nobody pushes any more. A duty of housekeeping.

The dashboard takes pushes and has neither the kinds nor the tables. Nothing but the cost is made here: no check judges
what was pushed, so there is no recommendation, no request and no act.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.price import Cost, GroupOf, cost_of_group
from finops.domain.utilization import Utilization
from finops.errors import InvalidInput
from finops.ports.clock import Clock
from finops.ports.price_source import PriceSource
from finops.store.connection import Store
from finops.store.pushed import KEPT, PushedResource, PushedResources, PushedRuns
from finops_operator.plugins.kind import PriceLookup, ResourceKind
from finops_operator.scan.price import MemoizedPrices, cost_of

logger = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 3600.0
"""How often what is old is sought where nothing was pushed."""


@dataclass(slots=True)
class PushedPrices:
    """Brings the costs in line with what was pushed.

    Attributes:
        kinds: those that the release knows, by id.
        sources: asked for each price in their order; none of them asks AWS.
    """

    store: Store
    kinds: Mapping[str, ResourceKind[Any]]
    sources: tuple[PriceSource, ...]
    clock: Clock
    _due: float = field(default=0.0, init=False)

    def price(self) -> None:
        """Price what was pushed since the last time. Raises StoreUnavailable: it is done the next time."""
        pushed = PushedResources(self.store)
        every = self.clock.monotonic() >= self._due
        for namespace, (version, priced) in pushed.versions().items():
            if every or version != priced:
                size = self._price(pushed, namespace)
                # What was pushed meanwhile has another number and is priced at the next turn.
                pushed.note_priced(namespace, version, size)
        if every:
            self._due = self.clock.monotonic() + _PAUSE_SECONDS

    def _price(self, pushed: PushedResources, namespace: str) -> int:
        """Price what is not priced and drop what is old; return how many bytes what stays takes."""
        lookup, now, size = MemoizedPrices(self.sources).lookup, self.clock.now(), 0
        for shard, items, known in pushed.read(namespace):
            old = {name for name, one in items.items() if now - one.at > KEPT}
            due = {
                name: one
                for name, one in items.items()
                if name not in old and (name not in known or known[name][0] != one.mark)
            }
            pushed.put_costs(namespace, shard, {name: (one.mark, self._cost(one, lookup)) for name, one in due.items()})
            gone = [name for name in known if name not in items or name in old]
            size += pushed.forget(namespace, shard, now - KEPT, gone)
        runs = PushedRuns(self.store)
        runs.forget(namespace, [name for name, at in runs.begun(namespace).items() if now - at > KEPT])
        pushed.forget_scans(namespace, [name for name, one in pushed.scans(namespace).items() if now - one.at > KEPT])
        return size

    def _cost(self, one: PushedResource, lookup: PriceLookup) -> Cost:
        resource, kind = one.resource, self.kinds.get(one.resource.kind)
        if kind is None:
            return _unknown(f"this release does not know the kind {resource.kind}")
        try:
            members = kind.members
            group = None if members is None else GroupOf(members.kind, members.of(resource), members.through)
            if members is not None and group is not None and not members.billed_itself:
                return cost_of_group(group)
            use = Utilization(resource.id, month=one.month)
            own = cost_of(resource, kind.billed_parts, lookup, DEFAULT_HOURS_PER_MONTH, use)
            return replace(own, group=group)
        except InvalidInput as error:
            return _unknown(f"what was pushed cannot be read: {error.field} {error.message}"[:300])
        except (ValueError, TypeError, ArithmeticError, LookupError) as error:
            # The kinds read what their own collector writes; this was written by anybody.
            logger.info("not priced: %s %s", resource.kind, type(error).__name__, extra={"resource": resource.id})
            return _unknown("what was pushed is not as AWS says it")


def _unknown(why: str) -> Cost:
    return Cost(None, None, missing=(why,))
