"""ebs_snapshot_old: old, of a volume that exists and has a newer one; the newest is never named."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.unit.services.ec2.snapshots import SNAPSHOTS, snapshot

from finops.domain.resource import Resource
from finops_operator.services.ec2.checks.ebs_snapshot_old import CHECK
from finops_operator.services.ec2.checks.ebs_snapshot_orphaned import CHECK as ORPHANED


def test_an_old_snapshot_of_a_volume_with_a_newer_one_is_found() -> None:
    one = SNAPSHOTS.found(CHECK, snapshot())
    assert (one.action, one.new_monthly_cost, one.evidence["monthlyCostAtMost"]) == ("", Decimal(0), "2.00")
    assert one.summary == "It was taken 400 days ago, its volume has a newer one, and nothing ends it."


def test_ninety_days_must_pass_and_one_day_less_breaks_it() -> None:
    assert SNAPSHOTS.reason(CHECK, snapshot(age=89.9)) == "it is 89 days old, 90 are needed"
    assert SNAPSHOTS.found(CHECK, snapshot(age=90)).check == CHECK.id
    assert SNAPSHOTS.found(CHECK, snapshot(age=8), minimumAgeDays=Decimal(7)).evidence["thresholdAgeDays"] == "7"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (snapshot(newer_exists=False), "it is the newest snapshot of its volume"),
        (snapshot(newer_exists=None), "whether its volume exists and has a newer snapshot is not known"),
        (snapshot(volume_exists=None), "whether its volume exists and has a newer snapshot is not known"),
        (snapshot(volume_exists=False), "its volume no longer exists, and it may be the last copy"),
        (snapshot(volume_id=""), "it is a copy, and of what is not known"),
        (snapshot(image_id="ami-0a", image_exists=False), "it was made for an image"),
        (snapshot(used_by_image=True), "an image uses it"),
        (snapshot(shared=True), "another account may use it"),
        (snapshot(tags={"dlm:managed": "true"}), "Data Lifecycle Manager keeps it and deletes it by its own rules"),
    ],
)
def test_the_last_point_to_restore_from_and_what_something_holds_are_left_alone(one: Resource, why: str) -> None:
    assert SNAPSHOTS.reason(CHECK, one) == why


def _ours(days: str) -> dict[str, str]:
    return {"finops.dev/request": "u1", "finops.dev/step": "create_snapshot", "finops.dev/expires-after-days": days}


def test_a_snapshot_of_ours_is_named_once_its_days_are_over_though_its_volume_is_gone() -> None:
    one = SNAPSHOTS.found(CHECK, snapshot(age=60, tags=_ours("60"), volume_exists=False, newer_exists=False))
    assert one.action == ""
    assert one.summary.startswith("An act of the operator made it 60 days ago")


@pytest.mark.parametrize("age", [40, 91, 400])
@pytest.mark.parametrize("alone", [True, False])
def test_what_an_act_of_ours_made_is_never_proposed_for_deletion(age: int, alone: bool) -> None:
    for tags in (_ours("90"), {"finops.dev/request": "u1", "finops.dev/step": "create_last_snapshot"}):
        one = snapshot(age=age, tags=tags, volume_exists=False, newer_exists=False, alone=alone)
        said = SNAPSHOTS.reason(ORPHANED, one)
        assert said == "an act of the operator made it, and it may be the only way to undo that"


def test_a_snapshot_of_ours_is_left_alone_while_it_is_to_be_kept() -> None:
    one = snapshot(age=100, tags=_ours("101"), volume_exists=False)
    assert SNAPSHOTS.reason(CHECK, one) == f"it is to be kept until {NOW + timedelta(days=1):%Y-%m-%d}"
    unread = snapshot(age=400, tags=_ours("soon"), volume_exists=False)
    assert SNAPSHOTS.reason(CHECK, unread) == "its tag says no number of days"


def test_a_tag_for_how_long_alone_makes_no_snapshot_ours() -> None:
    one = snapshot(age=60, tags={"finops.dev/expires-after-days": "1"}, volume_exists=False)
    assert SNAPSHOTS.reason(CHECK, one) == "its volume no longer exists, and it may be the last copy"
