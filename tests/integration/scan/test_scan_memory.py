"""The promises about scale, kept cheap: memory does not grow with the fleet, metrics are asked for in bulk."""

from __future__ import annotations

import pytest
from tests.support.fleet_scan import HOURLY_ONLY, requests_per_thousand, running_fleet_double


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
    # A page holds up to 1,000 resources, so the first thousand may cost one page more than two hundred do.
    assert large["peakMegabytes"] - small["peakMegabytes"] <= 30
    assert large["peakMegabytes"] <= 200
