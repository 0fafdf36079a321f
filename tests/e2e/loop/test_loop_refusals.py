"""What the real API server and the real operator refuse: forged requests, forged votes, votes that do not count."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.e2e.cluster import Object
from tests.e2e.documents import vote
from tests.e2e.loop.world import Loop, state_of

from finops.domain.decision import Choice

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(180)]

ONLY_OPERATOR = "only the finops operator makes and changes ActionRequests and answers Approvals"


@pytest.fixture(scope="module")
def request_to_refuse(loop: Loop) -> Object:
    """Return a pending request that all tests here fail to decide."""
    return loop.next_worker()


@pytest.fixture(autouse=True)
def undecided(loop: Loop, request_to_refuse: Object) -> object:
    """Whatever was tried, the request still waits and nothing was called."""
    yield
    assert state_of(loop.request(request_to_refuse["metadata"]["name"])) == "Pending"
    assert not loop.aws.changes(request_to_refuse["spec"]["resource"]["id"])


def _bot(loop: Loop) -> str:
    return f"system:serviceaccount:{loop.release.namespace}:{loop.release.full_name}-slackbot"


def _slack_vote(request: Object, **voter: str) -> Object:
    document = vote(request, "alice")
    document["metadata"]["name"] = "apv-forged"
    document["spec"]["approver"] = {
        "source": "slack",
        "slackTeam": "T0FINOPS1",
        "slackUser": "U0ALICE001",
        "attestedAt": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        **voter,
    }
    return document


def test_nobody_but_the_operator_makes_an_action_request(loop: Loop, request_to_refuse: Object) -> None:
    copy = {key: request_to_refuse[key] for key in ("apiVersion", "kind", "spec")}
    copy["metadata"] = {"name": "forged", "namespace": loop.team}
    assert ONLY_OPERATOR in loop.cluster.try_create(copy).stderr
    assert ONLY_OPERATOR in loop.cluster.try_create(copy, _bot(loop)).stderr or "forbidden" in (
        loop.cluster.try_create(copy, _bot(loop)).stderr
    )


@pytest.mark.parametrize(
    ("subresource", "patch"),
    [
        ((), {"metadata": {"labels": {"approved": "yes"}}}),
        (("--subresource=status",), {"status": {"state": "Approved"}}),
        (("--subresource=status",), {"status": {"votes": {"approve": 9, "deny": 0, "required": 1}}}),
    ],
)
def test_nobody_but_the_operator_edits_one(
    loop: Loop, request_to_refuse: Object, subresource: tuple[str, ...], patch: Object
) -> None:
    where = ("actionrequests", request_to_refuse["metadata"]["name"], "-n", loop.team, *subresource)
    said = loop.cluster.refusal("patch", *where, "--type=merge", "-p", json.dumps(patch))
    assert ONLY_OPERATOR in said


def test_the_plan_cannot_be_edited(loop: Loop, request_to_refuse: Object) -> None:
    where = ("actionrequests", request_to_refuse["metadata"]["name"], "-n", loop.team)
    said = loop.cluster.refusal("patch", *where, "--type=merge", "-p", '{"spec":{"action":"ec2_instance_stop"}}')
    assert "cannot be changed" in said or ONLY_OPERATOR in said


def test_the_bot_votes_for_slack_alone(loop: Loop, request_to_refuse: Object) -> None:
    own = vote(request_to_refuse, _bot(loop))
    assert "vouches for others and has no vote of its own" in loop.cluster.try_create(own, _bot(loop)).stderr
    for_alice = vote(request_to_refuse, "alice")
    assert "is not the user who sends this" in loop.cluster.try_create(for_alice, _bot(loop)).stderr


@pytest.mark.parametrize("user", ["alice", "carol"])
def test_nobody_else_vouches_for_slack(loop: Loop, request_to_refuse: Object, user: str) -> None:
    assert "may not vouch for" in loop.cluster.try_create(_slack_vote(request_to_refuse), user).stderr


def test_a_vote_in_another_name_or_with_borrowed_groups_is_refused(loop: Loop, request_to_refuse: Object) -> None:
    assert "is not the user who sends this" in loop.cluster.try_create(vote(request_to_refuse, "alice"), "carol").stderr
    grouped = vote(request_to_refuse, "carol")
    grouped["spec"]["approver"]["groups"] = ["system:masters"]
    assert "names a group the sender is not in" in loop.cluster.try_create(grouped, "carol").stderr


def test_who_was_not_granted_the_right_cannot_vote_at_all(loop: Loop, request_to_refuse: Object) -> None:
    assert "cannot create resource" in loop.cluster.try_create(vote(request_to_refuse, "mallory"), "mallory").stderr


def test_a_voter_whom_the_policy_does_not_name_is_answered(loop: Loop, request_to_refuse: Object) -> None:
    status = loop.vote(request_to_refuse, "carol")["status"]
    assert (status["result"], status["reason"]) == ("Refused", "NotEligible")


def test_a_vote_for_another_plan_is_answered(loop: Loop, request_to_refuse: Object) -> None:
    other = vote(request_to_refuse, "bob")
    other["metadata"]["name"] = "apv-other-plan"
    other["spec"]["planHash"] = "0" * 64
    status = loop.send(other, "bob")["status"]
    assert (status["result"], status["reason"]) == ("Refused", "WrongPlan")


def test_a_vote_for_a_request_that_is_gone_is_answered(loop: Loop, request_to_refuse: Object) -> None:
    other = vote(request_to_refuse, "alice")
    other["metadata"]["name"] = "apv-other-uid"
    other["spec"]["request"]["uid"] = "00000000-0000-0000-0000-000000000000"
    status = loop.send(other, "alice")["status"]
    assert (status["result"], status["reason"]) == ("Refused", "WrongRequest")


def test_the_same_vote_twice_is_one(loop: Loop) -> None:
    volume = loop.next_volume()
    first = vote(volume, "alice")
    assert loop.send(first, "alice")["status"]["result"] == "Counted"
    assert "AlreadyExists" in loop.cluster.try_create(first, "alice").stderr
    again = vote(volume, "alice")
    again["metadata"]["name"] = "apv-again"
    status = loop.send(again, "alice")["status"]
    assert (status["result"], status["reason"]) == ("Refused", "AlreadyVoted")
    seen = loop.request(volume["metadata"]["name"])
    assert (state_of(seen), seen["status"]["votes"]["summary"]) == ("Pending", "1/2")
    # A vote can be taken back, and its answer cannot be rewritten by the voter.
    where = ("approvals", first["metadata"]["name"], "-n", loop.team, "--subresource=status")
    said = loop.cluster.refusal("patch", *where, "--type=merge", "-p", '{"status":{"result":"Refused"}}')
    assert ONLY_OPERATOR in said
    taken_back = loop.vote(volume, "alice", Choice.WITHDRAW, reason="The team needs it after all.")
    assert taken_back["status"]["result"] == "Counted", taken_back["status"]
    assert loop.request(volume["metadata"]["name"])["status"]["votes"]["summary"] == "0/2"
