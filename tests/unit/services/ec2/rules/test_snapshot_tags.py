"""Snapshots before a deletion carry the volume's own tags, ours, and for how long they are to be kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.action_cases import VOLUME

from finops.crds.action_request import PlannedStep
from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.errors import InvalidInput
from finops_operator.plugins.action import Parameters
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_detach_delete import ACTION as DETACH_DELETE
from finops_operator.services.ec2.rules.volume_again import origin

_DAYS: Parameters = {"snapshotExpiryDays": 90}
_OURS = ["finops.dev/expires-after-days", "finops.dev/request", "finops.dev/step"]


def _assumed(tags: dict[str, str]) -> dict[str, str]:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {
        "state": "available",
        "volumeType": "gp2",
        "sizeGiB": "8",
        **origin({"Tags": listed, "AvailabilityZone": "us-east-1a"}),
    }


def _plan(tags: dict[str, str], parameters: Parameters = _DAYS) -> Plan:
    return DELETE.plan(VOLUME, parameters, _assumed(tags))


def _tags(plan: Plan, step: str = "create_snapshot") -> dict[str, str]:
    call: dict[str, Any] = next(dict(one.parameters) for one in plan.steps if one.id == step)
    listed = call["TagSpecifications"][0]["Tags"]
    tags = {one["Key"]: one["Value"] for one in listed}
    assert len(tags) == len(listed) <= 50
    return tags


def test_both_snapshots_carry_the_volumes_own_tags_ours_and_their_days() -> None:
    plan = _plan({"team": "data", "cost-centre": "4711"})
    for step in ("create_snapshot", "create_last_snapshot"):
        assert _tags(plan, step) == {
            "cost-centre": "4711",
            "finops.dev/expires-after-days": "90",
            "finops.dev/request": "$(request.uid)",
            "finops.dev/step": step,
            "team": "data",
        }


def test_a_volume_of_a_stopped_instance_keeps_its_tags_likewise() -> None:
    place = {"instanceId": "i-1", "device": "/dev/sdf"}
    plan = DETACH_DELETE.plan(VOLUME, {**place, **_DAYS}, _assumed({"team": "data"}))
    assert dict(plan.parameters) == {**place, **_DAYS}
    assert _tags(plan, "create_last_snapshot")["team"] == "data"


def test_the_hash_that_people_approve_covers_tags_and_days() -> None:
    hashes = {
        _plan({"team": "data"}).hash,
        _plan({"team": "web"}).hash,
        _plan({"team": "data"}, {"snapshotExpiryDays": 91}).hash,
    }
    assert len(hashes) == 3


def test_ours_win_over_what_the_volume_says_and_tags_of_aws_are_not_given() -> None:
    tags = _tags(_plan({"finops.dev/request": "old", "finops.dev/step": "x", "aws:cloudformation:stack-name": "s"}))
    assert sorted(tags) == _OURS
    assert (tags["finops.dev/request"], tags["finops.dev/step"]) == ("$(request.uid)", "create_snapshot")


def test_of_fifty_tags_those_that_fit_beside_ours_are_given_and_people_are_warned() -> None:
    own = {f"tag{number:02}": "x" for number in range(50)}
    assert sorted(_tags(_plan(own))) == sorted([*_OURS, *(f"tag{number:02}" for number in range(47))])
    seen = Observation(exists=True, facts={"tags": dict(own)})
    assert DELETE.warnings(seen, _DAYS)[-1] == (
        "They get those tags of the volume that fit beside ours and finops.dev/expires-after-days = 90; "
        "nothing deletes them by it."
    )


def test_a_tag_without_room_is_left_out_and_the_short_ones_behind_it_are_not() -> None:
    own = {"A": "漢" * 256, "B": "漢" * 256, "C": "漢" * 256, "CostCenter": "42", "Owner": "me"}
    assert sorted(_tags(_plan(own)).keys() - set(_OURS)) == ["A", "B", "CostCenter", "Owner"]


def test_tags_of_aws_take_no_room_from_the_volumes_own() -> None:
    stacks = {f"aws:cloudformation:x{number}": "s" * 250 for number in range(12)}
    own = {f"cost{number:02}": "abc" * 5 for number in range(20)}
    assert _tags(_plan({**stacks, **own})).keys() - set(_OURS) == own.keys()


def test_people_are_warned_of_the_tags_and_the_days() -> None:
    seen = Observation(exists=True, facts={"tags": {"team": "data"}})
    assert DELETE.warnings(seen, _DAYS)[-1] == (
        "They get all tags of the volume and finops.dev/expires-after-days = 90; nothing deletes them by it."
    )


@given(st.dictionaries(st.text(min_size=1, max_size=128), st.text(max_size=256), max_size=50))
def test_whatever_the_tags_the_call_fits_into_the_request_that_shows_it(own: dict[str, str]) -> None:
    plan = _plan(own)
    for step in plan.steps:
        PlannedStep.of(step)
    assert _plan(own).hash == plan.hash
    assert all(own[key] == value for key, value in _tags(plan).items() if key not in _OURS)


def test_a_rule_of_ones_own_that_gives_no_days_has_ninety() -> None:
    plan = _plan({"team": "data"}, {})
    assert (dict(plan.parameters), _tags(plan)) == ({}, _tags(_plan({"team": "data"})))


@pytest.mark.parametrize("days", [0, 3651, "90", True])
def test_what_is_no_number_of_days_makes_no_plan(days: Any) -> None:
    with pytest.raises(InvalidInput, match="is no number of days"):
        _plan({}, {"snapshotExpiryDays": days})


def test_the_volume_that_an_undo_makes_is_not_tagged_with_days() -> None:
    undo = DELETE.undo
    assert undo is not None
    chosen = undo.parameters(_plan({"team": "data"}), {"create_last_snapshot": "snap-1"})
    again = DELETE.plan(VOLUME, chosen, {})
    assert "expires-after-days" not in json.dumps([dict(step.parameters) for step in again.steps])
