"""The sample estate at 40 % throttling: every resource is measured or unknown, none is idle for want of data."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.support.scanning import HASTY, account, dependencies, policy, report_of

from finops.domain.backoff import Backoff
from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops.store.keys import Keys
from finops_operator.aws.reader import RetryPolicy
from finops_operator.plugins.loaded import load_kinds
from finops_operator.scan.scan import ScanOutcome, scan
from finops_sandbox.aws.double import AwsDouble, Delays
from finops_sandbox.aws.estate import SAMPLE_ESTATE

ACCOUNTS = {"production": account("production", "111111111111"), "staging": account("staging", "222222222222")}
IMPATIENT = RetryPolicy(attempts=1, unreachable_attempts=1, backoff=Backoff(0.002, 0.01))
"""No patience at all: two requests in five are lost."""
BY_LOAD = {
    "ec2_instance_idle": ("cpuPercent", "networkInBytes", "networkOutBytes"),
    "ec2_instance_overprovisioned": ("cpuPercent",),
    "ebs_volume_unattached": (),
}


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(SAMPLE_ESTATE, delays=Delays(60, 60, 60, 60)) as double:
        yield double


def scan_with(store: Store, prefix: str, retry: RetryPolicy) -> ScanOutcome:
    """Scan both accounts into keys of their own: nothing measured before may fill a hole."""
    fresh = Store(store.client, Keys(f"{store.keys.prefix}{prefix}:"))
    with ThreadPoolExecutor(4) as pool:
        return scan(policy(*ACCOUNTS), ACCOUNTS, dependencies(fresh, pool, retry=retry), SystemClock())


def judged_by_load(report: dict[str, Any]) -> dict[str, set[str]]:
    return {
        check: {one["resource"]["id"] for one in report["recommendations"] if one["check"] == check}
        for check in BY_LOAD
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("service", "retry"), [("", HASTY), ("cloudwatch", IMPATIENT)], ids=["all-services", "impatient"]
)
def test_every_resource_is_measured_or_unknown_and_none_is_idle_for_want_of_data(
    aws: AwsDouble, store: Store, service: str, retry: RetryPolicy
) -> None:
    calm = report_of(scan_with(store, "calm", HASTY))
    aws.control.inject({"kind": "throttle", "rate": 0.4} | ({"service": service} if service else {}))
    outcome = scan_with(store, "storm", retry)
    stormy = report_of(outcome)
    kinds = load_kinds()

    resources = {one["id"]: one for one in stormy["resources"]}
    assert resources.keys() == {one["id"] for one in calm["resources"]}
    for one in resources.values():
        for spec in kinds[one["kind"]].metrics:
            if spec.hourly:
                assert (spec.name in one["utilization"]) != (spec.name in one["unknownUtilization"]), one["id"]

    before, after = judged_by_load(calm), judged_by_load(stormy)
    for check, metrics in BY_LOAD.items():
        assert after[check] <= before[check]
        for identity in after[check]:
            for metric in metrics:
                assert float(resources[identity]["utilization"][metric]["coverage"]) >= 95
    silent = {one["id"] for one in resources.values() if "Throttling" in str(one["unknownUtilization"])}
    assert bool(silent) == bool([gap for gap in outcome.summary.gaps if gap.service == "cloudwatch"])
    if retry is IMPATIENT:
        assert silent
        assert outcome.summary.unknown_resources > 0
        assert before["ec2_instance_idle"] - after["ec2_instance_idle"] <= silent
