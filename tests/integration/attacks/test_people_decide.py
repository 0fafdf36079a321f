"""Without an attack the oracle of this folder sees what it should: a quorum's act is called, and only a quorum's."""

from __future__ import annotations

import pytest
from tests.chaos.chaos_world import Doubles
from tests.integration.attacks.attacked import FORMER, MEMBER, attacked

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ACTIONS = ("lambda_function_set_memory", "elastic_ip_release")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_quorum_of_eligible_people_has_its_act_called_and_nothing_is_amiss(action: str, world: Doubles) -> None:
    with attacked(world, action) as now:
        now.vote("alice")
        now.look()
        assert (now.state, now.called) == ("Pending", 0)
        now.vote("bob")
        now.look()
        assert (now.called, now.violations) == (1, [])


def test_every_call_of_an_act_of_several_is_judged(world: Doubles) -> None:
    with attacked(world, "ec2_instance_resize") as now:
        now.vote("alice")
        now.vote("bob")
        for _ in range(20):
            now.look()
        assert (now.state, now.called, now.violations) == ("Succeeded", 3, [])


def test_a_call_that_is_made_again_and_one_without_permission_that_destroys_are_violations(world: Doubles) -> None:
    with attacked(world, "elastic_ip_release") as now:
        now.vote("alice")
        now.judge("ec2:ReleaseAddress", 1, ["ReleaseAddress"])
        assert now.violations == [
            "ec2:ReleaseAddress with the approvals of ['alice']",
            "ec2:ReleaseAddress, which nobody approved, after ReleaseAddress",
        ]


def test_a_stranger_a_person_twice_and_a_denial_are_no_quorum(world: Doubles) -> None:
    with attacked(world, ACTIONS[0]) as now:
        now.vote("alice")
        now.vote("alice")
        now.vote("carol")
        now.look()
        assert (now.state, now.called) == ("Pending", 0)
        now.vote("bob", "Deny")
        now.vote(MEMBER)
        now.look()
        assert (now.state, now.called, now.violations) == ("Denied", 0, [])


def test_the_vote_of_somebody_who_left_the_group_carries_no_act(world: Doubles) -> None:
    with attacked(world, ACTIONS[0]) as now:
        now.vote("alice")
        now.vote(FORMER)
        now.look()
        assert (now.state, now.called, now.violations) == ("Withdrawn", 0, [])
