"""The dashboard's Prometheus metrics, in one registry, and how each answer is counted.

Labels are bounded: by the routes of this program, the methods of HTTP and the statuses that it answers with. An address
that no route takes is counted under one name, whatever a stranger writes in it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_UNKNOWN: Final = "none"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER_METHOD: Final = "other"


class WebMetrics:
    """All metrics of one process; `clock` returns seconds that only ever rise."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._requests = Counter(
            "finops_web_requests_total",
            "Requests answered; `none` is an address that no route takes.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "finops_web_request_duration_seconds",
            "Time until an answer began.",
            ("route",),
            buckets=(0.01, 0.025, 0.05, 0.1, 0.3, 1, 3, 10),
            registry=self.registry,
        )
        self._open = Gauge(
            "finops_web_requests_in_progress", "Requests whose answer has not begun.", registry=self.registry
        )

    async def measured(self, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Return what `answer` returns, counted; an answer that fails counts as status 500."""
        start = self._clock()
        status = 500
        with self._open.track_inprogress():
            try:
                response = await answer(request)
                status = response.status_code
            finally:
                route = _route_of(request)
                self._requests.labels(_method_of(request), route, str(status)).inc()
                self._seconds.labels(route).observe(self._clock() - start)
        return response


def _route_of(request: Request) -> str:
    """Return the pattern of the route that took the request, never the address itself."""
    route = request.scope.get("route")
    if route is not None:
        return str(getattr(route, "path", _UNKNOWN))
    return "/static" if request.url.path.startswith("/static/") else _UNKNOWN


def _method_of(request: Request) -> str:
    return request.method if request.method in _METHODS else _OTHER_METHOD
