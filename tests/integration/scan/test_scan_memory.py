"""The promises about scale, kept cheap: memory does not grow with the fleet, metrics are asked for in bulk."""

from __future__ import annotations

import pytest
from tests.fleet_scan import HOURLY_ONLY, requests_per_thousand, running_fleet_double


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_thousand_instances_need_no_more_memory_than_two_hundred_and_few_metric_requests(valkey_url: str) -> None:
    with running_fleet_double() as double:
        small = double.scan(200, HOURLY_ONLY, valkey_url, "memory-small:")
        large = double.scan(1_000, HOURLY_ONLY, valkey_url, "memory-large:")
    assert (small["resources"], large["resources"]) == (400, 2_000)
    assert large["gaps"] == []
    assert large["unknown"] == 0
    assert requests_per_thousand(large) <= 4
    # A page holds up to 1,000 resources and three metric answers are under way at a time: the first thousand fill both,
    # two hundred do not. Beyond that nothing grows, which the benchmark of ten thousand shows.
    assert large["peakMegabytes"] - small["peakMegabytes"] <= 45
    assert large["peakMegabytes"] <= 200
