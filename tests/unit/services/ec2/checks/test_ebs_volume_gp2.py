"""ebs_volume_gp2: the same performance for less, with all that gp3 charges."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import NOW, cost, flat, in_region, summarize, volume
from tests.support.judging import Bench

from finops.domain.price import Price, PriceQuery
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.ec2.checks.ebs_volume_gp2 import CHECK, Performance, needed, nominal
from finops_operator.services.ec2.judging.busiest import Busiest
from finops_operator.services.ec2.volume import KIND

JUDGED: Final = Bench(KIND)
FIVE_MINUTES: Final = 300
MIB: Final = 2**20


def judge(resource: Resource, utilization: Utilization | None = None) -> Finding | NotRecommended:
    return JUDGED.judged(CHECK, resource, utilization)


def reason(resource: Resource, utilization: Utilization | None = None) -> str:
    return JUDGED.reason(CHECK, resource, utilization)


def hours(iops: float, days: float = 14) -> Utilization:
    """Return hours in which so many operations a second happened, half of them reads."""
    half = flat(iops / 2 * 3600, days=days)
    return Utilization("vol", metrics={"volumeReadOps": half, "volumeWriteOps": half})


def by_five_minutes(iops: float, mibps: float, days: float = 14, peak_mibps: float | None = None) -> Utilization:
    """Return 5 minutes of it; in a single one of them `peak_mibps` were read."""
    points = int(days * 288)

    def rate(per_second: float, peak: float | None = None) -> MetricSummary:
        values = [per_second * FIVE_MINUTES] * points
        return summarize([*values[1:], values[0] if peak is None else peak * FIVE_MINUTES], period=FIVE_MINUTES)

    peak = None if peak_mibps is None else peak_mibps * MIB
    fine = {
        "volumeReadOps": rate(iops / 2),
        "volumeWriteOps": rate(iops / 2),
        "volumeReadBytes": rate(mibps * MIB / 2, peak),
        "volumeWriteBytes": rate(mibps * MIB / 2),
    }
    return replace(hours(iops, days), fine=fine)


def wants_fine(resource: Resource, utilization: Utilization) -> bool:
    return CHECK.wants_fine(JUDGED.facts(resource, utilization), {spec.name: spec.default for spec in CHECK.parameters})


def test_a_small_volume_becomes_gp3_with_explicit_figures_that_cost_nothing_more() -> None:
    found = judge(volume(size_gb=170))
    assert isinstance(found, Finding)
    assert found.action == "ebs_volume_modify"
    assert found.parameters == {"volumeType": "gp3", "iops": 3000, "throughput": 125}
    assert found.new_monthly_cost == Decimal("13.60")
    assert found.summary == "gp3 with 3,000 IOPS and 125 MiB/s is about as fast and costs less."
    facts = {fact.label: fact.value for fact in found.facts}
    assert facts["Performance of gp3"] == "3,000 IOPS, 125 MiB/s; gp2 gives up to 3,000 IOPS and 128 MiB/s"


def test_a_small_volume_that_was_seen_to_need_more_keeps_what_gp2_gives() -> None:
    found = judge(volume(size_gb=100), by_five_minutes(500, 10, peak_mibps=122))
    assert isinstance(found, Finding)
    assert found.parameters["throughput"] == 128
    assert found.summary.endswith("is at least as fast and costs less.")


@pytest.mark.parametrize(
    ("size", "iops", "throughput"),
    [(1, 3000, 128), (170, 3000, 128), (171, 3000, 250), (1000, 3000, 250), (2000, 6000, 250), (16000, 16000, 250)],
)
def test_what_gp2_gives_is_known_by_size_and_never_below_gp3s_free_part(size: int, iops: int, throughput: int) -> None:
    assert nominal(size) == Performance(iops, throughput)


def test_a_larger_volume_about_which_nothing_is_known_keeps_all_that_gp2_gives() -> None:
    for nothing in (None, hours(10, days=13), Utilization("vol", unknown={"volumeReadOps": "Throttled"})):
        found = judge(volume(size_gb=2000), nothing)
        assert isinstance(found, Finding)
        assert found.parameters == {"volumeType": "gp3", "iops": 6000, "throughput": 250}
    young = replace(volume(size_gb=2000), created=NOW - timedelta(days=13))
    assert JUDGED.found(CHECK, young, hours(10)).parameters["iops"] == 6000
    detached = volume("available", size_gb=2000)
    assert JUDGED.found(CHECK, detached, hours(10)).parameters["throughput"] == 250


def test_quiet_hours_show_that_the_free_part_is_enough_without_5_minutes() -> None:
    # 24 a second: all of an hour's 86,400 within 5 minutes were 288 a second and 72 MiB/s, with headroom 86.
    found = JUDGED.found(CHECK, volume(size_gb=200), hours(24))
    assert found.parameters == {"volumeType": "gp3", "iops": 3000, "throughput": 125}
    assert found.new_monthly_cost == Decimal("16.00")
    assert (found.evidence["highestIops"], found.evidence["highestThroughputMibps"]) == ("288", "72")
    assert "Used in the busiest 5 minutes, no more than" in {fact.label for fact in found.facts}
    assert not wants_fine(volume(size_gb=200), hours(24))


def test_busy_hours_of_a_larger_volume_ask_for_5_minutes_which_decide() -> None:
    busy = volume(size_gb=2000)
    assert wants_fine(busy, hours(2000))
    assert not wants_fine(volume(size_gb=170), hours(2000))
    assert not wants_fine(volume("available", size_gb=2000), hours(2000))
    assert not wants_fine(volume(volume_type="gp3", size_gb=2000, iops=3000, throughput=125), hours(2000))
    assert not wants_fine(busy, hours(2000, days=13))
    # Until they are there the hours bound it from above, by what gp2 gives at most.
    assert JUDGED.found(CHECK, busy, hours(2000)).parameters == {
        "volumeType": "gp3",
        "iops": 6000,
        "throughput": 250,
    }
    found = JUDGED.found(CHECK, busy, by_five_minutes(3000, 100, peak_mibps=60))
    assert found.parameters == {"volumeType": "gp3", "iops": 4000, "throughput": 150}  # 3,600 and 132, in whole steps
    assert found.summary == "gp3 with 4,000 IOPS and 150 MiB/s carries what it uses and costs less."


@given(st.integers(171, 16384), st.floats(0, 20000), st.floats(0, 300), st.integers(0, 200))
def test_a_target_is_never_below_what_was_seen_or_is_free_nor_above_what_gp2_gives(
    size: int, iops: float, mibps: float, headroom: int
) -> None:
    most = nominal(size)
    chosen = needed(size, Busiest(iops, mibps, True, flat(0)), headroom)
    assert min(iops, most.iops) <= chosen.iops <= most.iops
    assert min(mibps, most.throughput) <= chosen.throughput <= most.throughput
    assert chosen.iops >= 3000
    assert chosen.throughput >= 125


def test_a_volume_that_would_not_get_cheaper_is_left_alone() -> None:
    assert reason(volume(size_gb=200)) == "gp3 with 3000 IOPS and 250 MiB/s would not cost less"
    assert reason(volume(size_gb=250)) == "gp3 with 3000 IOPS and 250 MiB/s would not cost less"
    assert isinstance(judge(volume(size_gb=251)), Finding)


def test_charged_iops_are_part_of_the_new_cost() -> None:
    found = judge(volume(size_gb=2000))
    assert isinstance(found, Finding)
    assert found.new_monthly_cost == Decimal("180.000")
    assert found.evidence["chargedIops"] == 3000


def test_an_unknown_price_of_either_type_gives_no_advice() -> None:
    assert reason(in_region(volume(size_gb=2000), "mx-central-1")).startswith("the saving is not known (iops_month")
    assert reason(in_region(volume(), "cn-north-1")).startswith("the saving is not known (gb_month")

    def no_gp2(query: PriceQuery) -> Price | None:
        return None if ("volume_type", "gp2") in query.attributes else SOURCE.lookup(query)

    verdict = replace(JUDGED, lookup=no_gp2).judged(CHECK, volume())
    assert isinstance(verdict, NotRecommended)


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (volume(volume_type="gp3", iops=3000, throughput=125), "its type is not gp2"),
        (volume("creating"), "it is creating"),
        (volume(size_gb=None), "its size is not known"),
    ],
)
def test_volumes_that_cannot_be_changed_say_why(resource: Resource, why: str) -> None:
    assert reason(resource) == why


@given(st.integers(1, 16384), st.sampled_from(["us-east-1", "eu-west-1", "sa-east-1", "ap-southeast-7"]))
def test_advice_always_saves(size: int, region: str) -> None:
    resource = in_region(volume(size_gb=size), region)
    verdict = judge(resource)
    if isinstance(verdict, Finding):
        now = cost(resource).unrounded_monthly
        assert verdict.new_monthly_cost is not None
        assert now is not None
        assert verdict.new_monthly_cost < now
