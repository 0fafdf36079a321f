"""The scan at scale, against generated fleets: part of `make bench`. Takes some minutes.

The double and the scan run in processes of their own, so that memory is the scan's alone. What is asserted are the
promises (memory, calls, nothing lost); seconds are printed and promised nowhere, they are mostly the double's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.support.fleet_scan import (
    EVERYTHING,
    HOURLY_ONLY,
    FleetDouble,
    Measured,
    growth,
    requests_per_thousand,
    running_fleet_double,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def double() -> Iterator[FleetDouble]:
    with running_fleet_double() as running:
        yield running


@pytest.fixture
def measure(double: FleetDouble, valkey_url: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., Measured]]:
    """Return a function that scans a fleet of `size` instances and as many volumes in a new process."""
    double.control("reset", {})

    def run(size: int, spec: dict[str, object], *, prefix: str = "") -> Measured:
        return double.scan(size, spec, valkey_url, prefix or f"bench-{request.node.name}-{size}:")

    yield run
    double.control("reset", {})


def test_ten_thousand_instances_stay_under_200_megabytes_and_4_requests_per_1000_series(
    measure: Callable[..., Measured],
) -> None:
    small = [measure(1_000, HOURLY_ONLY, prefix=f"bench-small-{run}:") for run in range(2)]
    several = [measure(10_000, HOURLY_ONLY, prefix=f"bench-large-{run}:") for run in range(2)]
    for large in several:
        assert large["resources"] == 20_000
        assert large["gaps"] == []
        assert large["unknown"] == 0
        assert large["peakMegabytes"] <= 200
        assert large["apiCalls"]["ec2:DescribeInstances"] == 10
    assert growth(small, several) <= 25
    assert max(requests_per_thousand(measured) for measured in small + several) <= 4


def test_a_thousand_instances_with_five_minute_points_stay_under_200_megabytes(
    measure: Callable[..., Measured],
) -> None:
    measured = measure(1_000, EVERYTHING)
    assert measured["fineRequests"] > 0
    assert measured["peakMegabytes"] <= 200
    assert requests_per_thousand(measured) <= 4


def test_a_second_scan_asks_for_no_metrics(measure: Callable[..., Measured]) -> None:
    first = measure(1_000, HOURLY_ONLY, prefix="bench-again:")
    second = measure(1_000, HOURLY_ONLY, prefix="bench-again:")
    assert first["daySeries"] > 0
    assert second["daySeries"] == second["hourlySeries"] == second["fineSeries"] == 0
    assert second["recommendations"] == first["recommendations"]


def test_at_40_percent_throttling_nothing_is_lost(double: FleetDouble, measure: Callable[..., Measured]) -> None:
    calm = measure(2_000, HOURLY_ONLY, prefix="bench-calm:")
    double.control("faults", {"kind": "throttle", "rate": 0.4})
    stormy = measure(2_000, HOURLY_ONLY, prefix="bench-storm:")
    assert stormy["resources"] == calm["resources"]
    assert stormy["recommendations"] <= calm["recommendations"]
    lost = sum(gap[3] or 0 for gap in stormy["gaps"])
    assert stormy["unknown"] <= lost
    assert stormy["recommendations"] == calm["recommendations"] or lost > 0
