"""Keeps the watches honest: reads each kind whole, touches a quiet one, and shows how far the watches lag behind.

A duty of housekeeping, for each kind on its own. The loops of requests and scans read what they lean on themselves, at
once; what else asks whether a kind was read whole (budgets, alerts of anomalies) leans on the reading here, after the
start and whenever a watch has listed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from finops.ports.clock import Clock
from finops_operator.cluster.canary import Canary
from finops_operator.cluster.objects import Objects
from finops_operator.telemetry import Telemetry
from finops_operator.upkeep.duty import Duty


@dataclass(frozen=True, slots=True)
class WatchUpkeep:
    """The watches of all kinds.

    Attributes:
        canary_seconds: how long a kind may be quiet before an object of it is touched, so that its watch must answer.
    """

    kinds: Sequence[Objects[Any]]
    canary: Canary
    telemetry: Telemetry
    clock: Clock
    canary_seconds: float

    def duties(self) -> Iterator[Duty]:
        """Yield the duties, for each kind its own: one that cannot be read or touched keeps no other waiting."""
        for objects in self.kinds:
            yield Duty("reading", partial(self._read, objects), writes=False)
            yield Duty("canary", partial(self._touch, objects), writes=False)
        yield Duty("watches", self._show, writes=False)

    def _read(self, objects: Objects[Any]) -> None:
        # No call where nothing was missed.
        objects.complete_where_possible()

    def _touch(self, objects: Objects[Any]) -> None:
        objects.touch_when_idle(self.canary_seconds, self.clock.now().isoformat(timespec="seconds"))

    def _show(self) -> None:
        for objects in self.kinds:
            self.telemetry.unread_namespaces.labels(objects.cache.kind.crd.kind).set(len(objects.cache.unread()))
        for kind, age in self.canary.oldest_unseen_seconds().items():
            self.telemetry.canary_age.labels(kind).set(age)
