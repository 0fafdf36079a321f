"""A figure that only the holder of the lease finds out: whoever has lost the lease no longer knows it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import Gauge


@dataclass(slots=True)
class LeadersGauge:
    """Shows the last figure while the lease is held, and NaN without it, whichever thread set it when.

    Attributes:
        holds: whether this process holds the lease.
        figure: what was found last; NaN before the first time.
    """

    holds: Callable[[], bool]
    figure: float = math.nan

    def shown_by(self, gauge: Gauge) -> LeadersGauge:
        """Let a gauge without labels show the figure from here on; return this."""
        gauge.set_function(self.shown)
        return self

    def set(self, figure: float) -> None:
        """Keep a figure; also that of a turn during which the lease went is not shown."""
        self.figure = figure

    def shown(self) -> float:
        """Return the figure, NaN while the lease is not held."""
        return self.figure if self.holds() else math.nan
