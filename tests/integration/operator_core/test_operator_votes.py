"""Every vote is answered, and only the right ones lead to a call in AWS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.operator_estate import Obj
from tests.support.operator_rig import Case, Rig, eventually, running_rig

from finops.errors import Refused

GROUP = "S0ONCALL01"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("votes")) as rig:
        yield rig


def proposed(rig: Rig, **spec: Any) -> tuple[Case, Obj, Obj]:
    case = rig.case(**spec)
    case.apply()
    first, second = case.proposed()
    return case, first, second


def test_an_approved_stop_is_carried_out_once_and_reported(rig: Rig) -> None:
    case, first, second = proposed(rig)

    vote = case.vote(first)

    assert case.answer(vote)[:2] == ("Counted", "Approve")
    ended = case.wait_state(first, "Succeeded")
    assert ended["status"]["outcome"]["after"]["state"] == "stopped"
    assert case.instance(first)["state"] == "stopped"
    assert case.state(second) == "Pending"
    case.check(StopInstances=1)
    assert {call.source_identity for call in case.calls()} == {"k8s.alice"}


def test_a_vote_of_somebody_who_is_not_named_is_refused(rig: Rig) -> None:
    case, first, _ = proposed(rig)

    result, reason, message = case.answer(case.vote(first, "carol"))

    assert (result, reason) == ("Refused", "NotEligible")
    assert "carol" in message
    assert "alice" in message
    case.stays(first, "Pending", 1.0)
    case.check()


def test_a_vote_for_another_plan_is_refused(rig: Rig) -> None:
    case, first, second = proposed(rig)

    vote = case.vote(first, planHash=second["spec"]["planHash"])

    assert case.answer(vote)[:2] == ("Refused", "WrongPlan")
    case.stays(first, "Pending", 1.0)
    case.check()


def test_a_vote_for_a_request_of_another_time_is_refused(rig: Rig) -> None:
    case, first, second = proposed(rig)
    names = {"name": first["metadata"]["name"], "uid": second["metadata"]["uid"]}

    assert case.answer(case.vote(first, about=names))[:2] == ("Refused", "WrongRequest")
    case.check()


def test_a_second_vote_of_the_same_person_does_not_count(rig: Rig) -> None:
    case, first, _ = proposed(rig, approval={"required": 2})

    assert case.answer(case.vote(first))[0] == "Counted"
    assert case.answer(case.vote(first))[:2] == ("Refused", "AlreadyVoted")
    case.stays(first, "Pending", 1.0)
    assert case.request(first["metadata"]["name"])["status"]["votes"]["summary"] == "1/2"
    case.check()


def test_one_person_in_slack_and_in_kubectl_is_one_vote(rig: Rig) -> None:
    rig.switch("identities", **{"slack.U0ALICE001": "alice"})
    approvers = [{"kubernetesUser": "alice"}, {"slackUser": "U0ALICE001"}, {"slackUser": "U0BOB00001"}]
    case, first, _ = proposed(rig, approval={"required": 2, "approvers": approvers})

    assert case.answer(case.vote_by_slack(first, "U0ALICE001"))[0] == "Counted"
    assert case.answer(case.vote(first, "alice"))[:2] == ("Refused", "AlreadyVoted")
    case.stays(first, "Pending", 1.0)
    case.check()

    assert case.answer(case.vote_by_slack(first, "U0BOB00001"))[0] == "Counted"
    case.wait_state(first, "Succeeded")
    case.check(StopInstances=1)


def test_a_denial_needs_a_reason_and_ends_the_request(rig: Rig) -> None:
    case, first, _ = proposed(rig)

    assert case.answer(case.vote(first, decision="Deny"))[:2] == ("Refused", "ReasonMissing")
    assert case.answer(case.vote(first, decision="Deny", reason="month end"))[0] == "Counted"
    ended = case.wait_state(first, "Denied")
    assert "month end" in ended["status"]["conditions"][0]["message"]
    assert case.answer(case.vote(first, "bob"))[:2] == ("Refused", "AlreadyDecided")
    case.check()


def test_groups_that_the_voter_is_not_in_are_refused_at_the_door(rig: Rig) -> None:
    case, first, _ = proposed(rig, approval={"approvers": [{"kubernetesGroup": "sre"}]})
    claim = {"source": "kubernetes", "username": "bob", "groups": ["sre"]}

    with pytest.raises(Refused, match="group"):
        case.vote(first, "bob", approver=claim)

    assert case.answer(case.vote(first, "bob"))[:2] == ("Refused", "NotEligible")
    case.check()


def test_the_bot_cannot_vote_for_kubernetes_users(rig: Rig) -> None:
    case, first, _ = proposed(rig)

    with pytest.raises(Refused):
        case.vote(first, "bot", approver={"source": "kubernetes", "username": "alice"})
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    voter = {"source": "slack", "slackTeam": "T01", "slackUser": "U01", "attestedAt": stamp}
    with pytest.raises(Refused):
        case.vote(first, "alice", approver=voter)
    case.check()


def test_an_act_by_group_votes_waits_while_the_members_are_stale(rig: Rig) -> None:
    case, first, second = proposed(rig, approval={"approvers": [{"slackUserGroup": GROUP}]})
    rig.members(GROUP, {"U0BOB00001"}, datetime.now(UTC) - timedelta(minutes=61))

    assert case.answer(case.vote_by_slack(first, "U0BOB00001", GROUP))[0] == "Counted"
    assert case.answer(case.vote_by_slack(second, "U0CAROL001", GROUP))[0] == "Counted"
    case.waits_because(first, "seconds ago; the bot is asked")
    case.waits_because(second, "seconds ago; the bot is asked")
    case.check()

    rig.members(GROUP, {"U0BOB00001"})

    case.wait_state(first, "Succeeded")
    left = case.wait_state(second, "Withdrawn")
    assert "0 of 1" in left["status"]["outcome"]["error"]
    case.check(StopInstances=1)


def test_a_resource_changed_by_hand_is_stale_and_nothing_is_called(rig: Rig) -> None:
    case, first, _ = proposed(rig)
    case.change_by_hand(first, type="t2.xlarge")

    case.vote(first)

    ended = case.wait_state(first, "Stale")
    assert "type" in ended["status"]["outcome"]["error"].lower()
    case.check()


def test_a_scan_that_sees_the_change_first_withdraws_the_request(rig: Rig) -> None:
    case, first, second = proposed(rig)
    case.change_by_hand(first, type="t2.xlarge")

    case.scan_now("after the change")

    ended = case.wait_state(first, "Withdrawn")
    assert "changed" in ended["status"]["outcome"]["error"]
    assert case.state(second) == "Pending"
    assert case.answer(case.vote(first))[:2] == ("Refused", "AlreadyDecided")
    case.check()


def test_a_request_made_by_somebody_else_is_never_acted_on(rig: Rig) -> None:
    case, first, _ = proposed(rig)
    bare = case.forge("bare", first["spec"])
    pending = case.forge("pending", first["spec"], "Pending")
    approved = case.forge("approved", first["spec"], "Approved")
    executing = case.forge("executing", first["spec"], "Executing")

    for forged in (bare, pending, approved, executing):
        assert case.answer(case.vote(forged))[:2] == ("Refused", "NotProposed")
    for forged in (approved, executing):
        ended = case.wait_state(forged, "Withdrawn")
        assert "ledger does not know" in ended["status"]["outcome"]["error"]
    assert (case.state(bare), case.state(pending)) == ("", "Pending")
    case.check()


def test_a_forged_request_does_not_keep_the_real_one_from_being_made(rig: Rig) -> None:
    case, first, second = proposed(rig)
    other = rig.case(selector={"includeTags": {"case": ["c39"]}})
    resource = {**first["spec"]["resource"], "id": "i-0"}
    other.forge("squatter", {**second["spec"], "resource": resource}, "Pending")
    other.apply(actions={"maximumOpenRequests": 1})

    found = eventually(lambda: [one for one in other.requests() if one["metadata"]["name"] != "squatter"])

    assert len(found) == 1
    case.check()


def test_an_edited_request_is_never_acted_on(rig: Rig) -> None:
    case, first, second = proposed(rig)
    # The schema forbids every edit; whoever can bypass it deletes the object and makes it anew under the same name.
    name = second["metadata"]["name"]
    rig.requests_as("operator").delete(case.name, name)
    edited = case.forge(name, {**second["spec"], "resource": first["spec"]["resource"]}, "Pending")

    assert case.answer(case.vote(edited))[:2] == ("Refused", "NotProposed")
    case.stays(edited, "Pending", 1.0)
    case.check()


def test_a_withdrawn_approval_stops_an_act_that_waits(rig: Rig) -> None:
    case, first, second = proposed(rig, actions={"limits": {"perHour": 1, "perDay": 100, "percentOfFleet": 100}})
    case.vote(first)
    case.wait_state(first, "Succeeded")
    case.vote(second)
    case.waits_because(second, "allows 1 acts an hour")

    vote = case.vote(second, decision="Withdraw", reason="not now")

    assert case.answer(vote)[0] == "Counted"
    ended = case.wait_state(second, "Withdrawn")
    assert "taken back" in ended["status"]["outcome"]["error"]
    case.check(StopInstances=1)


def test_votes_cast_in_one_second_let_the_withdrawal_win(rig: Rig) -> None:
    case, first, _ = proposed(rig, approval={"required": 2})
    for _ in range(3):
        # The order of the uids inside one second is chance.
        case.vote(first, decision="Approve")
        case.vote(first, decision="Withdraw", reason="slip")
    time.sleep(1.5)

    votes = eventually(lambda: case.request(first["metadata"]["name"])["status"].get("votes"))
    assert votes["approve"] == 0
    case.check()


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_expiry_refuses_late_votes_stops_what_has_not_begun_and_nothing_else(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {"expiresAfter": "1m"}
    pending, late, _ = proposed(rig, approval=short)
    yearly = {"windows": [{"schedule": "0 3 1 1 *", "duration": "1m"}]}
    closed, waiting, _ = proposed(rig, approval=short, actions=yearly)
    running, acting, _ = proposed(rig, approval=short)
    closed.vote(waiting)
    closed.waits_because(waiting, "window")
    expiry = datetime.fromisoformat(acting["spec"]["expiresAt"])
    eventually(lambda: datetime.now(UTC) > expiry - timedelta(seconds=38), 70)
    # The instance stops slowly, so the act that begins just in time is not through when its request would expire.
    monkeypatch.setattr(rig.aws.estate, "delays", replace(rig.aws.estate.delays, state_seconds=45.0))
    running.vote(acting)
    eventually(running.calls)
    assert datetime.now(UTC) < expiry

    pending.wait_state(late, "Expired", seconds=70)
    assert pending.answer(pending.vote(late))[:2] in {("Refused", "AlreadyDecided"), ("Refused", "Expired")}
    assert "Expired" in closed.wait_state(waiting, "Expired")["status"]["outcome"]["error"]
    ended = running.wait_state(acting, "Succeeded")
    finished = [record["time"] for record in running.story("verified")]
    assert datetime.fromisoformat(finished[0]) > expiry, ended
    pending.check()
    closed.check()
    running.check(StopInstances=1)
