"""ebs_volume_magnetic: gp3 where the requests make it the cheaper one, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from tests.support.facts import NOW, flat, in_region, volume
from tests.support.judging import Bench, used, without

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.services.ec2.checks.ebs_volume_magnetic import CHECK
from finops_operator.services.ec2.volume import KIND

JUDGED = Bench(KIND)
DAY: Final = 86_400
READS, WRITES = "volumeReadOpsByDay", "volumeWriteOpsByDay"
BREAK_EVEN: Final = 60_000_000 * 720 / 730
"""Of 100 GiB: 3 USD a month more for gp3's storage, at 0.05 USD a million requests."""


def magnetic(state: str = "in-use", **attributes: Json) -> Resource:
    return volume(state, tags=None, **{"volume_type": "standard", "iops": None, **attributes})


def did(operations: float, days: float = 30) -> Utilization:
    """Return so many operations in 30 days, half of them reads."""
    half = flat(operations / 60, days=days, period=DAY)
    return used("vol", month={READS: operations / 2, WRITES: operations / 2}, **{READS: half, WRITES: half})


def test_a_busy_magnetic_volume_would_cost_less_as_gp3() -> None:
    one = JUDGED.found(CHECK, magnetic(), did(300e6))
    assert (one.action, one.target, one.new_monthly_cost) == ("", "gp3", Decimal("8.00"))
    assert one.evidence["operations30Days"] == "300000000"
    # 5.00 for the storage and 304,166,667 requests in 730 hours
    assert JUDGED.cost(magnetic(), did(300e6)).monthly == Decimal("20.21")


def test_at_the_same_cost_nothing_is_said() -> None:
    quiet = "gp3 would not cost less than its storage and requests"
    assert JUDGED.reason(CHECK, magnetic(), did(0)) == quiet
    assert JUDGED.reason(CHECK, magnetic(), did(BREAK_EVEN - 1e4)) == quiet
    assert JUDGED.found(CHECK, magnetic(), did(BREAK_EVEN + 1e4)).target == "gp3"


@pytest.mark.parametrize("metric", [READS, WRITES])
def test_requests_that_nobody_counted_prove_nothing(metric: str) -> None:
    assert "is unknown (Throttled)" in JUDGED.reason(CHECK, magnetic(), without(did(300e6), metric))
    assert "were read, 14 are needed" in JUDGED.reason(CHECK, magnetic(), did(300e6, days=13))
    young = replace(magnetic(), created=NOW - timedelta(days=13))
    assert JUDGED.reason(CHECK, young, did(300e6)) == "it is younger than 14 days"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (volume("in-use", volume_type="st1"), "its type is not standard"),
        (volume("in-use", volume_type=None), "its type is not known"),
        (magnetic("available"), "it is available, not attached"),
        (magnetic(size_gb=None), "its size is not known"),
    ],
)
def test_another_type_and_what_is_not_known_are_left_alone(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one, did(300e6)) == why


def test_without_prices_there_is_no_saving_to_speak_of() -> None:
    reason = JUDGED.reason(CHECK, in_region(magnetic(), "nowhere-1"), did(300e6))
    assert reason.startswith("the saving is not known (")
