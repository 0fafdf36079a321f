"""ebs_volume_instance_stopped: an attached volume that no running instance has, and what is no proof of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW, flat, volume
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.services.ec2.checks.ebs_volume_instance_stopped import CHECK
from finops_operator.services.ec2.volume import KIND

JUDGED = Bench(KIND)
METRICS = ("volumeReadOpsByDay", "volumeWriteOpsByDay", "volumeReadOps", "volumeWriteOps", "volumeIdleSeconds")


def attached(**attributes: Json) -> Resource:
    return volume("in-use", tags=None, **{"attached_instance_id": "i-0a", "attached_device": "/dev/sdf", **attributes})


def unpublished(days: float = 30, /, **other: str) -> Utilization:
    start = NOW - timedelta(days=days)
    return Utilization(
        "vol", unknown={**dict.fromkeys(METRICS, "NotPublished"), **other}, asked_from=dict.fromkeys(METRICS, start)
    )


def test_an_attached_volume_about_which_nothing_is_published_belongs_to_a_stopped_instance() -> None:
    one = JUDGED.found(CHECK, attached(), unpublished())
    assert (one.action, one.new_monthly_cost) == ("ebs_volume_detach_delete", Decimal("5.00"))
    assert one.parameters == {"instanceId": "i-0a", "device": "/dev/sdf", "snapshotExpiryDays": 90}
    assert one.evidence["noActivitySince"] == "2026-10-25T12:00:00+00:00"
    assert one.evidence["metricsWithoutData"] == ", ".join(METRICS)
    assert one.summary.startswith("Its instance has not run since 2026-10-25,")


def test_without_the_device_it_is_advice_alone() -> None:
    one = JUDGED.found(CHECK, attached(attached_device=""), unpublished())
    assert (one.action, one.parameters) == ("", {})


def test_a_single_hour_with_data_shows_that_the_instance_ran() -> None:
    ran = replace(unpublished(), metrics={"volumeIdleSeconds": flat(3600, days=0.05)})
    assert JUDGED.reason(CHECK, attached(), ran) == "a running instance used it lately"
    before = replace(unpublished(), metrics={"volumeReadOpsByDay": flat(0, days=1, period=86_400)})
    assert JUDGED.reason(CHECK, attached(), before) == "a running instance used it within the last 30 days"


def test_29_days_are_not_enough() -> None:
    assert JUDGED.reason(CHECK, attached(), unpublished(29)) == "its metrics were not read for all of 30 days"
    young = replace(attached(), created=NOW - timedelta(days=29))
    assert JUDGED.reason(CHECK, young, unpublished()) == "it is younger than 30 days"


@pytest.mark.parametrize("metric", METRICS)
def test_a_question_that_failed_proves_nothing(metric: str) -> None:
    reason = JUDGED.reason(CHECK, attached(), unpublished(**{metric: "Throttled"}))
    assert reason.endswith("is unknown (Throttled), so its use is not known")
    assert "not measured" in JUDGED.reason(CHECK, attached(), Utilization("vol"))


def test_a_detached_volume_and_one_that_is_cheaper_than_its_snapshot_are_left_alone() -> None:
    assert JUDGED.reason(CHECK, volume("available"), unpublished()) == "it is available, not attached"
    cold = attached(volume_type="sc1", size_gb=500)
    assert "could cost as much" in JUDGED.reason(CHECK, cold, unpublished())


@pytest.mark.parametrize("instance", ["", None])
def test_a_volume_that_a_service_holds_names_no_instance_and_is_left_alone(instance: str | None) -> None:
    held = attached(attached_instance_id=instance)
    assert JUDGED.reason(CHECK, held, unpublished()) == "it is attached to no instance that AWS names"
