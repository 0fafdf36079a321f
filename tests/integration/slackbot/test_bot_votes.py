"""A person clicks: what is recorded, and what that person reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.slackbot.bot_world import ALICE, BOB, CHANNEL, DAVE, NAMESPACE, World, running_world
from tests.support.slack_workspace import workspace_of_a_larger_app

from finops.crds.approval import Source
from finops.crds.approver import Approver
from finops.domain.decision import Choice
from finops_slackbot.bootstrap import Bot


def test_a_click_becomes_an_approval_and_its_verdict_is_posted(world: World) -> None:
    with world.bot():
        request = world.propose()
        sent = world.click(request, BOB)
        assert sent["acked"]
        assert sent["ack_ms"] < 1000
        assert "1 of 1" in world.answered(BOB, "Your approval on")
        (vote,) = world.votes()
        assert vote.spec.request.uid == request.metadata.uid
        assert vote.spec.plan_hash == request.spec.plan_hash
        assert vote.spec.decision is Choice.APPROVE
        approver = vote.spec.approver
        assert (approver.source, approver.slack_team, approver.slack_user) == (Source.SLACK, "T0FINOPS1", BOB)
        assert approver.groups == ("S0SRE00001",)
        assert approver.attested_at is not None
        assert datetime.now(UTC) - approver.attested_at < timedelta(seconds=30)
        assert vote.metadata.owner_references[0].uid == request.metadata.uid
        card = world.shown(request, "Approved")
        assert "finops_approve" not in str(card["blocks"])
        world.until(lambda: f"Approved by <@{BOB}>" in world.thread(request))


def test_two_people_are_needed_where_the_policy_says_so(world: World) -> None:
    with world.bot():
        request = world.propose(required=2)
        world.click(request, BOB)
        assert "1 of 2" in world.answered(BOB, "Your approval on")
        world.shown(request, "1 of 2 approvals")
        world.click(request, BOB)
        assert "counts once" in world.answered(BOB, "You have voted already")
        world.click(request, ALICE)
        assert "2 of 2" in world.answered(ALICE, "Your approval on")
        assert len(world.votes()) == 2


def test_a_denial_asks_for_the_reason_and_closes_the_request(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.click(request, ALICE, "finops_deny")
        (view,) = world.until(lambda: world.control.observed.views(user=ALICE))
        assert view["callback_id"] == "finops_deny_reason"
        answer = world.control.people.submit_view(
            user=ALICE, values={"reason": {"text": "Month-end <!channel> closing."}}
        )
        assert answer["acked"]
        assert not answer["errors"]
        assert "nothing will be done" in world.answered(ALICE, "Your denial on")
        (vote,) = world.votes()
        assert (vote.spec.decision, vote.spec.reason) == (Choice.DENY, "Month-end <!channel> closing.")
        card = world.shown(request, "Denied")
        assert "&lt;!channel&gt;" in str(card["blocks"])


def test_a_vote_with_a_reason_for_everything_goes_through_the_modal(world: World) -> None:
    with world.bot():
        request = world.propose(require_reason="Always")
        world.click(request, ALICE, confirm=None)
        (view,) = world.until(lambda: world.control.observed.views(user=ALICE))
        assert view["callback_id"] == "finops_approve_reason"
        world.control.people.submit_view(user=ALICE, values={"reason": {"text": "Checked with the team."}})
        world.answered(ALICE, "Your approval on")
        assert world.votes()[0].spec.reason == "Checked with the team."


def test_who_is_not_an_approver_learns_who_is(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.click(request, DAVE)
        assert "<!subteam^S0SRE00001>" in world.answered(DAVE, "not an approver")
        assert world.votes()[0].spec.approver.groups == ()
        world.shown(request, "0 of 1 approval")


def test_who_joins_the_group_later_may_vote_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finops_slackbot.guards.groups.FRESH_SECONDS", 0.0)
    with world.bot():
        request = world.propose()
        world.click(request, DAVE)
        world.answered(DAVE, "not an approver")
        world.control.workspace.change_group(group="S0SRE00001", add=[DAVE])
        world.click(request, DAVE)
        world.answered(DAVE, "Your approval on")


@pytest.mark.parametrize(("user", "who"), [("U0GUEST001", "a guest"), ("U0STRANGE1", "a member of another workspace")])
def test_guests_and_strangers_are_refused_before_anything_is_recorded(world: World, user: str, who: str) -> None:
    with world.bot():
        request = world.propose(approvers=(Approver(slack_user=user),))
        world.click(request, user)
        assert who in world.answered(user, "Not recorded")
        assert world.votes() == []


def test_closed_requests_say_why_they_take_no_vote(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))
        for status, text in (
            ({"state": "Executing"}, "being worked on already"),
            ({"state": "Superseded"}, "replaced by a newer one"),
        ):
            world.set_status(request, **status)
            world.until(lambda: "finops_approve" not in str(world.card(request)["blocks"]))
            world.click(request, BOB, stale=True)
            world.answered(BOB, text)
        assert world.votes() == []


def test_an_expired_request_is_answered_as_such(world: World) -> None:
    with world.bot():
        request = world.propose(expires=datetime.now(UTC) + timedelta(seconds=1))
        world.until(lambda: world.card(request))
        world.until(lambda: datetime.now(UTC) > request.spec.expires_at)
        world.click(request, BOB)
        world.answered(BOB, "expired")
        assert world.votes() == []


def test_a_superseded_card_leads_to_the_newer_one(world: World) -> None:
    with world.bot():
        old = world.propose(resource_id="i-0same")
        world.until(lambda: world.card(old))
        new = world.propose(resource_id="i-0same")
        world.until(lambda: world.card(new))
        world.set_status(old, state="Superseded")
        world.shown(old, "Replaced by a newer proposal")
        world.click(old, BOB, stale=True)
        assert world.card(new)["ts"].replace(".", "") in world.answered(BOB, "Go to the newer card")


def test_the_same_envelope_twice_is_one_vote_and_one_answer(world: World) -> None:
    with world.bot() as bot:
        request = world.propose()
        world.click(request, BOB)
        world.answered(BOB, "Your approval on")
        world.control.conditions.duplicate(retry_attempt=1)
        world.until(lambda: _counter(bot, "duplicate") == 1)
        assert len(world.votes()) == 1
        assert len([one for one in world.control.observed.ephemerals(user=BOB) if "counts" in one["text"]]) == 1


def test_a_redelivery_to_the_other_replica_is_still_one_vote(world: World) -> None:
    with world.bot() as one, world.bot() as two:
        request = world.propose()
        world.click(request, BOB)
        world.answered(BOB, "Your approval on")
        world.control.conditions.duplicate(connection="other", retry_attempt=1)
        world.until(lambda: _counter(one, "duplicate") + _counter(two, "duplicate") == 1)
        assert len(world.votes()) == 1
        assert world.card(request)


def test_the_voter_learns_when_the_operator_does_not_answer_and_again_when_it_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops_slackbot.verdicts._PATIENCE_MS", 300)
    world.judging.clear()
    with world.bot():
        request = world.propose()
        world.click(request, DAVE)
        assert "not among the approvers" in world.answered(DAVE, "recorded; the operator has not answered yet")
        world.judging.set()
        world.answered(DAVE, "not an approver")


def test_details_open_for_everybody_in_the_channel(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.click(request, DAVE, "finops_details")
        (view,) = world.until(lambda: world.control.observed.views(user=DAVE))
        assert "ec2:StopInstances" in json.dumps(view)


def test_a_card_made_with_another_key_records_nothing(world: World) -> None:
    with world.bot(button_key="yesterday's key"):
        request = world.propose()
        world.until(lambda: world.card(request))
    with world.bot(button_key="today's key"):
        world.click(request, BOB, stale=True)
        # The card is repaired with the new key as well; only the old button is refused.
        assert world.until(lambda: world.control.observed.ephemerals(user=BOB) or world.votes())


def test_unknown_interactions_are_acknowledged(tmp_path: Path, valkey_url: str) -> None:
    workspace = workspace_of_a_larger_app(tmp_path)
    with running_world(tmp_path, valkey_url, workspace=workspace) as world, world.bot():
        sent = world.control.people.slash(user=BOB, text="pending", channel=CHANNEL)
        assert sent["acked"]
        assert world.control.people.open_home(user=BOB)["acked"]


def test_a_request_deleted_meanwhile_is_unknown_and_its_card_loses_the_buttons(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))
        world.requests.delete(NAMESPACE, request.metadata.name)
        world.shown(request, "No longer in the cluster")
        world.click(request, BOB, stale=True)
        world.answered(BOB, "no longer exists")


def _counter(bot: Bot, outcome: str) -> float:
    value: Any = bot.metrics.registry.get_sample_value("finops_slackbot_clicks_total", {"outcome": outcome})
    return float(value or 0.0)


def test_a_snooze_asks_for_a_day_and_ends_the_request_until_then(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.click(request, ALICE, "finops_snooze")
        (view,) = world.until(lambda: world.control.observed.views(user=ALICE))
        assert view["callback_id"] == "finops_snooze_date"
        day = (datetime.now(UTC) + timedelta(days=20)).date()
        answer = world.control.people.submit_view(
            user=ALICE, values={"until": {"date": day.isoformat()}, "reason": {"text": "Month-end closing."}}
        )
        assert answer["acked"]
        assert not answer["errors"]
        assert "nobody is asked before" in world.answered(ALICE, "Your snooze on")
        (vote,) = world.votes()
        assert (vote.spec.decision, vote.spec.reason) == (Choice.SNOOZE, "Month-end closing.")
        assert vote.spec.until == datetime(day.year, day.month, day.day, tzinfo=UTC)
        card = world.shown(request, "Not now.")
        assert "finops_approve" not in str(card["blocks"])
