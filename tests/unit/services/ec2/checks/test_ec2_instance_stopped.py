"""ec2_instance_stopped: what a long stop leaves on the bill, and what is not known about it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import instance
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.ec2.checks.ec2_instance_stopped import CHECK
from finops_operator.services.ec2.instance import KIND

JUDGED = Bench(KIND)


def stopped(since: str = "2026-10-25 12:00:00", **attributes: Json) -> Resource:
    return instance("stopped", tags=None, **{"state_transition_reason": f"User initiated ({since} GMT)", **attributes})


def test_an_instance_stopped_for_thirty_days_still_costs_its_elastic_address() -> None:
    held = stopped(public_ipv4=["192.0.2.1"], elastic=[True])
    one = JUDGED.found(CHECK, held)
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert JUDGED.cost(held).monthly == Decimal("3.65")
    assert (one.evidence["stoppedDays"], one.evidence["stoppedSince"]) == (30, "2026-10-25T12:00:00+00:00")
    assert (one.evidence["volumesStillBilled"], one.evidence["elasticAddressesStillBilled"]) == (1, 1)


def test_one_second_less_than_thirty_days_is_left_alone() -> None:
    assert JUDGED.reason(CHECK, stopped("2026-10-25 12:00:01")) == "it was stopped 29 days ago, 30 are needed"
    assert JUDGED.found(CHECK, stopped("2026-10-25 12:00:01"), minimumStoppedDays=Decimal(29)).check == CHECK.id


@pytest.mark.parametrize(
    "reason", ["", None, "User initiated", "Server.ScheduledStop", "User initiated (2026-13-41 99:00:00 GMT)"]
)
def test_a_stop_without_a_time_is_not_judged(reason: str | None) -> None:
    one = instance("stopped", state_transition_reason=reason)
    assert JUDGED.reason(CHECK, one) == "since when it is stopped is not known"


def test_a_running_instance_and_one_that_leaves_nothing_are_left_alone() -> None:
    assert JUDGED.reason(CHECK, instance("running")) == "it is running, not stopped"
    assert JUDGED.reason(CHECK, stopped(volume_ids=[])) == "nothing of it is billed"
    assert JUDGED.found(CHECK, stopped(volume_ids=None)).evidence["volumesStillBilled"] is None


def test_what_an_auto_scaling_group_keeps_stopped_is_left_alone() -> None:
    warm = stopped(auto_scaling_group="web", public_ipv4=["192.0.2.1"], elastic=[True])
    assert JUDGED.reason(CHECK, warm) == "its Auto Scaling group keeps it stopped, in a warm pool or in standby"
