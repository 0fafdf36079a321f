"""Shows how full the store is: two metrics, and an Event on every policy when it begins to fill.

A duty of housekeeping. What holds acts back at its end is shown by `obstacles`; this warns before.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from finops.crds.scan_policy import ScanPolicy
from finops.errors import FinopsError
from finops.k8s.events import Events
from finops.store.connection import Store
from finops.store.space import NEARLY_FULL_PERCENT, Fill, measure
from finops_operator.cluster.objects import Objects
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)
REASON = "StoreFilling"


@dataclass(slots=True)
class StoreSpace:
    """Measures at each turn of housekeeping.

    Attributes:
        may_write: whether it is for this process to publish Events.
        said: how full the store was when that was last said.
    """

    store: Store
    policies: Objects[ScanPolicy]
    events: Events
    telemetry: Telemetry
    may_write: Callable[[], bool]
    said: Fill = field(default=Fill.ROOM, init=False)

    def show(self) -> None:
        """Set the metrics, and say it once when the store fills. Raises StoreUnavailable: then neither is known."""
        used, limit = self.telemetry.store_used, self.telemetry.store_limit
        used.set(math.nan)
        limit.set(math.nan)
        space = measure(self.store)
        if space.used is not None:
            used.set(space.used)
        if space.limit is not None:
            limit.set(space.limit)
        if space.fill is self.said or not self.may_write():
            return
        if space.fill is not Fill.ROOM:
            logger.warning("%s: %s", space, space.hint)
        if space.fill is Fill.FILLING:
            self._publish(f"{space}. At {NEARLY_FULL_PERCENT} % no act and no scan begins: {space.hint}.")
        self.said = space.fill

    def _publish(self, note: str) -> None:
        note = note[:1].upper() + note[1:]
        for policy in self.policies.cache.all():
            try:
                self.events.publish(policy, reason=REASON, note=note, action="Act", type_="Warning")
            except FinopsError as error:
                logger.info("an Event was not written: %s", error, extra={"policy": policy.metadata.name})
