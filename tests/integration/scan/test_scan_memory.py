"""The promises about scale, kept cheap: memory does not grow with the fleet, metrics are asked for in bulk."""

from __future__ import annotations

import pytest
from tests.support.fleet_scan import HOURLY_ONLY, growth, requests_per_thousand, running_fleet_double


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_instances_need_no_more_memory_than_two_hundred_and_few_metric_requests(valkey_url: str) -> None:
    with running_fleet_double() as double:
        small = [double.scan(200, HOURLY_ONLY, valkey_url, f"memory-small-{run}:") for run in range(3)]
        large = [double.scan(1_000, HOURLY_ONLY, valkey_url, f"memory-large-{run}:") for run in range(3)]
    assert [measured["resources"] for measured in small] == [400] * 3
    assert [measured["resources"] for measured in large] == [2_000] * 3
    assert [measured["gaps"] for measured in large] == [[]] * 3
    assert [measured["unknown"] for measured in large] == [0] * 3
    assert max(requests_per_thousand(measured) for measured in large) <= 4
    # A page holds up to 1,000 resources, so the first thousand may cost one page more than two hundred do.
    assert growth(small, large) <= 30
    assert max(measured["peakMegabytes"] for measured in large) <= 200
