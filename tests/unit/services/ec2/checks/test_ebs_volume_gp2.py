"""ebs_volume_gp2: the same performance for less, with all that gp3 charges."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import cost, facts_of, in_region, volume

from finops.domain.price import Price, PriceQuery
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.ec2.checks.ebs_volume_gp2 import CHECK, gp3_performance


def judge(resource: Resource) -> Finding | NotRecommended:
    return CHECK.evaluate(facts_of(resource), {})


def reason(resource: Resource) -> str:
    verdict = judge(resource)
    assert isinstance(verdict, NotRecommended)
    return verdict.reason


def test_a_small_volume_becomes_gp3_with_explicit_figures_and_pays_for_three_mebibytes() -> None:
    found = judge(volume(size_gb=100))
    assert isinstance(found, Finding)
    assert found.action == "ebs_volume_modify"
    assert found.parameters == {"volumeType": "gp3", "iops": 3000, "throughput": 128}
    assert found.new_monthly_cost == Decimal("8.12")


@pytest.mark.parametrize(
    ("size", "iops", "throughput"),
    [(1, 3000, 128), (170, 3000, 128), (171, 3000, 250), (1000, 3000, 250), (2000, 6000, 250), (16000, 16000, 250)],
)
def test_the_target_is_never_slower_than_gp2_or_below_gp3s_free_part(size: int, iops: int, throughput: int) -> None:
    assert gp3_performance(size) == (iops, throughput)


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

    verdict = CHECK.evaluate(facts_of(volume(), lookup=no_gp2), {})
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
