"""ebs_volume_overprovisioned: IOPS and throughput that the highest 5 minutes leave unused; what forbids a verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import FIVE_MINUTES, NOW, flat, summarize, volume
from tests.support.judging import Bench, without

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.ec2.checks.ebs_volume_overprovisioned import CHECK
from finops_operator.services.ec2.volume import KIND

JUDGED = Bench(KIND)
MIB = 2**20
DEFAULTS = {spec.name: spec.default for spec in CHECK.parameters}


def gp3(iops: int | None = 10000, throughput: int | None = 500, state: str = "in-use", **attributes: Json) -> Resource:
    return volume(state, tags=None, **{"volume_type": "gp3", "iops": iops, "throughput": throughput, **attributes})


def rate(per_second: float, days: float = 14, peak: float | None = None) -> MetricSummary:
    points = [per_second * FIVE_MINUTES] * int(days * 288)
    if peak is not None:
        points[100] = peak * FIVE_MINUTES
    return summarize(points, period=FIVE_MINUTES)


def used(iops: float, mibps: float, days: float = 14, peak: float | None = None) -> Utilization:
    """Half of each is read, half written."""
    operations, moved = rate(iops / 2, days, peak), rate(mibps * MIB / 2, days)
    hourly = {name: flat(iops / 2 * 3600, days=days) for name in ("volumeReadOps", "volumeWriteOps")}
    fine = {"volumeReadOps": operations, "volumeWriteOps": rate(iops / 2, days)}
    return Utilization("vol", metrics=hourly, fine={**fine, "volumeReadBytes": moved, "volumeWriteBytes": moved})


def test_gp3_goes_down_to_what_its_highest_5_minutes_used_with_headroom() -> None:
    one = JUDGED.found(CHECK, gp3(), used(4000, 200))
    assert (one.action, one.target) == ("", "4800 IOPS, 240 MiB/s")
    assert one.new_monthly_cost == Decimal("21.600")  # 8 + 1,800 × 0.005 + 115 × 0.04
    assert (one.evidence["highestIops"], one.evidence["highestThroughputMibps"]) == ("4000", "200")
    assert one.summary == "It used 4,000 IOPS and 200 MiB/s at most, and 10,000 IOPS and 500 MiB/s are paid for."


def test_gp3_never_goes_below_what_costs_nothing() -> None:
    assert JUDGED.found(CHECK, gp3(), used(10, 1)).target == "3000 IOPS, 125 MiB/s"
    assert JUDGED.reason(CHECK, gp3(3000, 125), used(10, 1)) == "it pays for no more than the free part of gp3"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (gp3(volume_type="st1"), "its type is not gp3/io1/io2"),
        (gp3(volume_type=None), "its type is not known"),
        (gp3(volume_type="io2", multi_attach=True), "several instances may share it"),
        (gp3(None, None, volume_type="io2"), "its IOPS are not known"),
        (gp3(None, 500), "its IOPS are not known"),
    ],
)
def test_other_types_and_what_is_not_known_are_not_judged(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one, used(10, 1)) == why


def test_throughput_takes_four_iops_for_each_mib() -> None:
    assert JUDGED.found(CHECK, gp3(16000, 1000), used(100, 800)).target == "3900 IOPS, 960 MiB/s"


@pytest.mark.parametrize("kind", ["io1", "io2"])
def test_provisioned_iops_go_down_to_the_need(kind: str) -> None:
    one = JUDGED.found(CHECK, gp3(20000, None, volume_type=kind), used(5000, 10))
    assert one.target == "6000 IOPS"
    assert one.new_monthly_cost == Decimal("402.500")  # 12.50 + 6,000 × 0.065
    assert JUDGED.found(CHECK, gp3(20000, None, volume_type=kind), used(0, 0)).target == "100 IOPS"


def test_five_busy_minutes_in_14_days_keep_what_they_used() -> None:
    busy = used(100, 10, peak=9000)
    assert JUDGED.reason(CHECK, gp3(throughput=125), busy) == (
        "it used 9,050 IOPS and 10 MiB/s at most, which leaves no less"
    )
    assert JUDGED.found(CHECK, gp3(throughput=125), used(100, 10)).target == "3000 IOPS, 125 MiB/s"


def test_a_need_just_below_what_is_provisioned_is_no_finding() -> None:
    assert "leaves no less" in JUDGED.reason(CHECK, gp3(6000, 125), used(5000, 10))
    assert JUDGED.found(CHECK, gp3(6100, 125), used(5000, 10)).target == "6000 IOPS, 125 MiB/s"


@pytest.mark.parametrize("metric", ["volumeReadOps", "volumeWriteOps", "volumeReadBytes", "volumeWriteBytes"])
def test_what_was_not_measured_is_never_too_much(metric: str) -> None:
    seen = without(used(10, 1), metric)
    blind = replace(seen, fine={name: one for name, one in seen.fine.items() if name != metric})
    assert "is unknown (Throttled)" in JUDGED.reason(CHECK, gp3(), blind)


def test_hours_hide_the_peaks_and_few_days_the_month() -> None:
    hourly = replace(used(10, 1), fine={})
    hours = replace(hourly, metrics={**hourly.metrics, "volumeReadBytes": flat(1), "volumeWriteBytes": flat(1)})
    assert JUDGED.reason(CHECK, gp3(), hours) == "its reads and writes were not measured by 5 minutes"
    assert JUDGED.reason(CHECK, gp3(), used(10, 1, days=13)).endswith("were read, 14 are needed")
    young = replace(gp3(), created=NOW - timedelta(days=13))
    assert JUDGED.reason(CHECK, young, used(10, 1)) == "it is younger than 14 days"
    assert JUDGED.reason(CHECK, gp3(state="available"), used(10, 1)) == "it is available, not attached"


def test_only_volumes_that_pay_for_performance_are_measured_by_5_minutes() -> None:
    hourly = replace(used(10, 1), fine={})
    assert CHECK.wants_fine(JUDGED.facts(gp3(), hourly), DEFAULTS)
    assert not CHECK.wants_fine(JUDGED.facts(gp3(3000, 125), hourly), DEFAULTS)
    assert not CHECK.wants_fine(JUDGED.facts(gp3(state="available"), hourly), DEFAULTS)
    assert not CHECK.wants_fine(JUDGED.facts(gp3()), DEFAULTS)
    published = {spec.name for spec in KIND.metrics if spec.applies(gp3(3000, 125))}
    assert not published & {"volumeReadBytes", "volumeWriteBytes"}
