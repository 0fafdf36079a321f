"""Metrics that AWS publishes for each part of a resource alone: how the parts are asked about, and joined.

Pure; used by the measure stage. The brokers of a Kafka cluster and the nodes of a replication group are measured one by
one, and there is no figure of the whole. All parts go into one request, so that they are seen at the same moment.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.queries import MAXIMUM_QUERIES, Query, Window

PARTS_UNKNOWN: Final = "PartsUnknown"
"""AWS did not say of what the resource consists."""
TOO_MANY_PARTS: Final = "TooManyParts"
"""More series than a request takes."""
_JOINED: Final[Mapping[str, Callable[[Iterable[float]], float]]] = {"Sum": sum, "Minimum": min}


def query_of_parts(
    resource: Resource, spec: MetricSpec, window: Window, parts: Sequence[tuple[tuple[str, str], ...]]
) -> Query | str:
    """Return what to ask about all parts, or why nothing can be asked."""
    if not parts:
        return PARTS_UNKNOWN
    first, *further = parts
    asked = resource.id, spec.name, spec.namespace, spec.metric, first, spec.statistics, window
    query = Query(*asked, further=tuple(further), missing_adds_zero=spec.missing_means_zero)
    return query if query.series <= MAXIMUM_QUERIES else TOO_MANY_PARTS


def joined(statistic: str, parts: Sequence[array[float]], *, missing_adds_zero: bool = False) -> array[float]:
    """Return one series of a resource from those of its parts: NaN wherever one of them has no point.

    Of sums the sum, of minima the lowest, of everything else the highest. With `missing_adds_zero` a point is NaN only
    where no part has one.
    """
    if len(parts) == 1:
        return parts[0]
    if missing_adds_zero:
        seen = ([value for value in period if not math.isnan(value)] for period in zip(*parts, strict=True))
        return array("f", (sum(values) if values else math.nan for values in seen))
    of = _JOINED.get(statistic, max)
    periods = zip(*parts, strict=True)
    return array("f", (math.nan if any(map(math.isnan, period)) else of(period) for period in periods))
