"""How many series a namespace of metrics has, and how many it would have without one of its dimensions. Pure.

Called by the kind. Each combination of a name and of values of dimensions is a metric of its own, and billed as one
(CloudWatch user guide, "Metrics concepts").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Widest:
    """The dimension without which the fewest series are left.

    Attributes:
        dimension: its name, empty where no series has a dimension.
        values: how many values it has.
        left: how many series there are without it.
    """

    dimension: str
    values: int
    left: int


@dataclass(slots=True)
class SeriesTally:
    """Counts the series of one namespace; it keeps hashes, so that a hundred thousand series take some megabytes."""

    series: set[int] = field(default_factory=set)
    _names: set[int] = field(default_factory=set)
    _values: dict[str, set[int]] = field(default_factory=dict)
    _left: dict[str, set[int]] = field(default_factory=dict)
    _with: dict[str, int] = field(default_factory=dict)

    def add(self, metric: Mapping[str, Any]) -> None:
        """Count one metric as ListMetrics gives it; the same one twice counts once."""
        name = str(metric.get("MetricName"))
        dimensions = frozenset((str(one["Name"]), str(one["Value"])) for one in metric.get("Dimensions") or ())
        identity = hash((name, dimensions))
        if identity in self.series:
            return
        self.series.add(identity)
        self._names.add(hash(name))
        for one in dimensions:
            self._values.setdefault(one[0], set()).add(hash(one[1]))
            self._left.setdefault(one[0], set()).add(hash((name, dimensions - {one})))
            self._with[one[0]] = self._with.get(one[0], 0) + 1

    @property
    def names(self) -> int:
        """Return how many names of metrics there are."""
        return len(self._names)

    def widest(self) -> Widest:
        """Return the dimension without which the fewest series are left; of two that leave as many the first."""
        left = {one: len(self.series) - self._with[one] + len(some) for one, some in self._left.items()}
        name = min(left, key=lambda one: (left[one], one), default="")
        return Widest(name, len(self._values.get(name, ())), left.get(name, len(self.series)))
