"""Counts every request that leaves for AWS, retries included, and what CloudWatch bills of them.

A botocore event counts at the moment of sending, so nothing can be forgotten by a caller. A scan collects its own
counts by running its calls inside `counted_by`; the process's totals feed /metrics.
GetMetricData is billed per metric requested, up to five statistics of one metric in one request count as one, no free
tier (CloudWatch pricing); what one costs in a region stands in the price tables. EC2 Describe calls, STS and
ListMetrics below a million a month are free.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Any, Final

USUAL_METRIC_PRICE: Final = Decimal("0.00001")
"""US dollars per metric requested by GetMetricData, in most regions ($0.01 per 1,000); some cost more."""
USUAL_LOGS_PRICE: Final = Decimal("0.005")
"""US dollars per GB that CloudWatch Logs Insights reads in us-east-1 and other regions; some cost more."""


class CallCounter:
    """Thread-safe counts: `service:Operation` → requests sent, and metrics requested for the bill."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._metrics = 0

    @classmethod
    def of(cls, calls: Mapping[str, int], metrics: int) -> CallCounter:
        """Return what another process has counted."""
        made = cls()
        made._calls.update(calls)
        made._metrics = metrics
        return made

    def add(self, operation: str) -> None:
        with self._lock:
            self._calls[operation] += 1

    def add_metrics(self, count: int) -> None:
        """Count `count` metrics requested; the batch fetcher calls this for each request it sends."""
        with self._lock:
            self._metrics += count

    @property
    def calls(self) -> Mapping[str, int]:
        with self._lock:
            return dict(sorted(self._calls.items()))

    @property
    def metrics_requested(self) -> int:
        with self._lock:
            return self._metrics


_CURRENT: ContextVar[tuple[CallCounter, ...]] = ContextVar("finops_aws_counters", default=())


@contextmanager
def counted_by(counter: CallCounter) -> Iterator[None]:
    """Count everything this thread sends inside the block in `counter` too."""
    token = _CURRENT.set((*_CURRENT.get(), counter))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def counting_handler(process: CallCounter, names: Mapping[str, str]) -> Any:
    """Return a handler for botocore's `before-send` event; it only counts.

    Args:
        process: the process's totals.
        names: the name of a service's client by what events call it (`elastic-load-balancing-v2` → `elbv2`), filled as
            clients are made; what is not in it goes by its name in the event.
    """

    def count(event_name: str, **_ignored: Any) -> None:
        _, event_service, operation = event_name.split(".", 2)
        name = f"{names.get(event_service, event_service)}:{operation}"
        process.add(name)
        for counter in _CURRENT.get():
            if counter is not process:
                counter.add(name)

    return count
