"""ebs_volume_idle: an attached volume that nobody reads or writes, and everything that is no proof of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from tests.support.facts import NOW, flat, summarize, volume
from tests.support.judging import Bench, used, without

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.ec2.checks.ebs_volume_idle import CHECK
from finops_operator.services.ec2.volume import KIND

JUDGED = Bench(KIND)
DAY: Final = 86_400
METRICS = ("volumeReadOps", "volumeWriteOps", "volumeReadOpsByDay", "volumeWriteOpsByDay")


def attached(state: str = "in-use", **attributes: Json) -> Resource:
    return volume(state, tags=None, **{"attached_device": "/dev/sdf", "volume_type": "gp3", **attributes})


def did(days: float = 32, /, **other: MetricSummary) -> Utilization:
    """Return hours of 14 days and points of more days, all of them zero unless stated otherwise."""
    hours, whole = flat(0), flat(0, days=days, period=DAY)
    quiet = {name: whole if name.endswith("ByDay") else hours for name in METRICS}
    return used("vol", month=None, **{**quiet, **other})


def test_a_volume_that_was_neither_read_nor_written_for_32_days_could_be_a_snapshot() -> None:
    one = JUDGED.found(CHECK, attached(), did())
    assert (one.action, one.new_monthly_cost) == ("", Decimal("5.00"))  # 100 GiB × 0.05
    assert one.evidence["operations"] == "0"
    assert one.summary == "Attached to a running instance, and neither read nor written for 32 days."


@pytest.mark.parametrize("metric", METRICS)
def test_a_single_operation_shows_that_something_uses_it(metric: str) -> None:
    once = summarize([0.0] * 31 + [1.0], period=DAY) if metric.endswith("ByDay") else summarize([0.0] * 335 + [1.0])
    assert JUDGED.reason(CHECK, attached(), did(**{metric: once})) == "it was read and written 1 times"


def test_31_days_without_anything_are_not_enough() -> None:
    assert JUDGED.reason(CHECK, attached(), did(31)) == (
        "only 31 days of volume read ops by day were read, 32 are needed"
    )
    young = replace(attached(), created=NOW - timedelta(days=31))
    assert JUDGED.reason(CHECK, young, did()) == "it is younger than 32 days"


@pytest.mark.parametrize("reason", ["Throttled", "NotPublished"])
@pytest.mark.parametrize("metric", METRICS)
def test_what_was_not_measured_is_never_idle(metric: str, reason: str) -> None:
    assert f"is unknown ({reason})" in JUDGED.reason(CHECK, attached(), without(did(), metric, reason=reason))


def test_a_window_with_holes_is_not_judged() -> None:
    holes = summarize([0.0] * 300, expected=336)
    assert "covers 89.2 % of its window" in JUDGED.reason(CHECK, attached(), did(volumeReadOps=holes))
    days = summarize([0.0] * 30, period=DAY, expected=32)
    assert "covers 93.7 % of its window" in JUDGED.reason(CHECK, attached(), did(volumeWriteOpsByDay=days))


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (attached("available"), "it is available, not attached"),
        (attached(attached_device="/dev/xvda"), "it is the root volume of its instance"),
        (attached(attached_device="/dev/sda1"), "it is the root volume of its instance"),
        (attached(attached_device=""), "as which device it is attached is not known"),
        (
            attached(volume_type="sc1", size_gb=500),
            "the snapshot taken first could cost as much as the volume",
        ),
    ],
)
def test_detached_root_and_cheap_volumes_are_left_alone(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one, did()) == why


def test_a_policy_may_ask_for_fewer_days() -> None:
    assert JUDGED.found(CHECK, attached(), did(14), minimumIdleDays=Decimal(14)).check == CHECK.id
    assert CHECK.window_parameter == "minimumIdleDays"


def test_a_volume_that_several_instances_may_share_waits_perhaps_for_a_failover() -> None:
    assert JUDGED.reason(CHECK, attached(multi_attach=True), did()) == "several instances may share it"
    assert JUDGED.found(CHECK, attached(multi_attach=False), did()).check == CHECK.id
