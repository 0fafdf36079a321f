"""ebs_volume_io1: gp3 or io2 with as many IOPS, and what is not known or costs the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import in_region, volume
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.ec2.checks.ebs_volume_io1 import CHECK
from finops_operator.services.ec2.volume import KIND

JUDGED = Bench(KIND)


def io1(iops: int | None, state: str = "in-use", **attributes: Json) -> Resource:
    return volume(
        state, tags=None, **{"volume_type": "io1", "size_gb": 500, "iops": iops, "multi_attach": False, **attributes}
    )


@pytest.mark.parametrize(
    ("iops", "target_iops", "throughput", "cost"),
    [
        (100, 3000, 125, "40.00"),  # 500 × 0.08, the rest within the price
        (3000, 3000, 500, "55.00"),  # and 375 MiB/s × 0.04
        (16000, 16000, 500, "120.00"),  # and 13,000 IOPS × 0.005
    ],
)
def test_gp3_keeps_iops_and_throughput_and_costs_less(iops: int, target_iops: int, throughput: int, cost: str) -> None:
    one = JUDGED.found(CHECK, io1(iops))
    assert (one.action, one.target) == ("", "gp3")
    assert (one.evidence["targetIops"], one.evidence["targetThroughputMibps"]) == (target_iops, throughput)
    assert one.new_monthly_cost == Decimal(cost)


def test_above_32000_iops_the_tiers_of_io2_cost_less() -> None:
    one = JUDGED.found(CHECK, io1(40000, size_gb=1000))
    assert (one.target, one.evidence["targetIops"]) == ("io2", 40000)
    # 1,000 × 0.125, 32,000 × 0.065 and 8,000 × 0.0455
    assert one.new_monthly_cost == Decimal("2569.0000")


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (io1(16001), "io2 would not cost less"),
        (
            io1(5000, multi_attach=True),
            "several instances may share it, and AWS does not change the type of such a volume",
        ),
        (io1(5000, multi_attach=None), "whether several instances may share it is not known"),
        (io1(None), "its IOPS are not known"),
        (io1(5000, "creating"), "it is creating"),
        (volume(volume_type="io2", iops=5000), "its type is not io1"),
        (volume(volume_type=None), "its type is not known"),
    ],
)
def test_what_saves_nothing_or_is_not_known_is_left_alone(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one) == why


def test_without_prices_there_is_no_saving_to_speak_of() -> None:
    assert JUDGED.reason(CHECK, in_region(io1(5000), "nowhere-1")).startswith("the saving is not known (")
