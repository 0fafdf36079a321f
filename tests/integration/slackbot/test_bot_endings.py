"""A person ends a pause after a failed act, or a snooze before its date, without ever leaving Slack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.slackbot.bot_world import ALICE, BOB, DAVE, World

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Source
from finops.crds.approver import Approver
from finops.domain.decision import Choice

WHY = "ec2_instance_resize of policy production is paused: r-1 was rolled back: no capacity."


def condition(*, paused: bool) -> list[dict[str, Any]]:
    return [
        {
            "type": "ActsPaused",
            "status": "True" if paused else "False",
            "reason": "ActFailed" if paused else "NonePaused",
            "message": WHY if paused else "No act waits.",
            "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    ]


def failed(world: World, **changes: Any) -> ActionRequest:
    """A request whose act was rolled back, so that others wait."""
    return world.set_status(world.propose(**changes), state="RolledBack", conditions=condition(paused=True))


def open_modal(world: World, request: ActionRequest, user: str, action: str) -> dict[str, Any]:
    world.shown(request, action)
    world.click(request, user, action)
    (view,) = world.until(lambda: world.control.observed.views(user=user))
    return dict(view)


def send(world: World, user: str, reason: str) -> dict[str, Any]:
    return dict(world.control.people.submit_view(user=user, values={"reason": {"text": reason}}))


def test_an_approver_resumes_paused_acts_from_the_card_of_the_one_that_failed(world: World) -> None:
    with world.bot():
        request = failed(world)
        view = open_modal(world, request, BOB, "finops_resume")
        assert WHY in str(view["blocks"]), "whoever resumes reads what failed"
        assert not send(world, BOB, "The quota was raised.")["errors"]

        assert "resumed" in world.answered(BOB, "Acts of this kind are resumed")
        (vote,) = world.votes()
        approver = vote.spec.approver
        assert (vote.spec.decision, vote.spec.reason) == (Choice.RESUME, "The quota was raised.")
        assert (approver.source, approver.slack_user, approver.groups) == (Source.SLACK, BOB, ("S0SRE00001",))
        assert vote.spec.plan_hash == request.spec.plan_hash
        world.said(request, "Acts of this kind were resumed by")

        world.set_status(request, conditions=condition(paused=False))
        world.until(lambda: "finops_resume" not in str(world.card(request)["blocks"]))


def test_the_card_of_an_act_that_waits_resumes_too(world: World) -> None:
    with world.bot():
        request = world.set_status(world.propose(), state="Approved", conditions=condition(paused=True))
        open_modal(world, request, BOB, "finops_resume")
        send(world, BOB, "The quota was raised.")
        world.answered(BOB, "Acts of this kind are resumed")
        current = world.requests.get("team-a", request.metadata.name)
        assert current is not None
        assert current.status.state == "Approved"


def test_who_is_no_approver_of_the_policy_resumes_nothing_and_reads_who_may(world: World) -> None:
    with world.bot():
        open_modal(world, failed(world), DAVE, "finops_resume")
        send(world, DAVE, "Go on.")
        assert "is not an approver of policy production" in world.answered(DAVE, "not counted")


@pytest.mark.parametrize("blank", ["", "   "])
def test_without_a_reason_the_modal_stays_and_nothing_is_recorded(world: World, blank: str) -> None:
    with world.bot():
        open_modal(world, failed(world, require_reason="Never"), BOB, "finops_resume")
        assert send(world, BOB, blank)["errors"]
        assert world.votes() == []


def test_a_modal_that_was_left_open_while_another_person_resumed_records_nothing(world: World) -> None:
    with world.bot() as bot:
        request = failed(world)
        open_modal(world, request, BOB, "finops_resume")
        world.set_status(request, conditions=condition(paused=False))
        uid = request.metadata.uid or ""

        def bot_knows() -> bool:
            seen = bot.mirror.request(uid)
            return seen is not None and seen.status.conditions[0].status == "False"

        world.until(bot_knows)
        send(world, BOB, "The quota was raised.")
        assert "not paused any more" in world.answered(BOB, "Not recorded")
        assert world.votes() == []


def test_groups_that_the_policy_names_by_now_are_attested_also_on_an_old_request(world: World) -> None:
    """The old request names a person who has left; a newer one of the policy shows the group that may vote now."""
    with world.bot():
        request = failed(world, approvers=[Approver(slack_user=ALICE)])
        newer = world.propose(approvers=[Approver(slack_user_group="S0SRE00001")])
        world.until(lambda: world.card(newer))
        open_modal(world, request, BOB, "finops_resume")
        send(world, BOB, "The quota was raised.")
        (vote,) = world.until(world.votes)
        assert vote.spec.approver.groups == ("S0SRE00001",)


def snoozed(world: World) -> ActionRequest:
    request = world.propose()
    world.click(request, ALICE, "finops_snooze")
    world.until(lambda: world.control.observed.views(user=ALICE))
    day = (datetime.now(UTC) + timedelta(days=20)).date()
    values = {"until": {"date": day.isoformat()}, "reason": {"text": "Month-end closing."}}
    assert not world.control.people.submit_view(user=ALICE, values=values)["errors"]
    world.shown(request, "Not now.")
    return request


def test_an_approver_ends_a_snooze_from_its_card(world: World) -> None:
    with world.bot():
        request = snoozed(world)
        view = open_modal(world, request, BOB, "finops_wake")
        assert "Snoozed until" in str(view["blocks"])
        assert not send(world, BOB, "The closing is done.")["errors"]

        world.answered(BOB, "The snooze on")
        (vote,) = [one for one in world.votes() if one.spec.decision is Choice.WAKE]
        assert (vote.spec.reason, vote.spec.approver.slack_user) == ("The closing is done.", BOB)
        world.said(request, "The snooze was ended by")
        world.until(lambda: "finops_wake" not in str(world.card(request)["blocks"]))


@pytest.mark.parametrize(("days", "reason", "field"), [(-1, "why", "until"), (400, "why", "until"), (5, " ", "reason")])
def test_what_is_wrong_with_a_snooze_is_said_in_the_modal(world: World, days: int, reason: str, field: str) -> None:
    with world.bot():
        request = world.propose()
        world.click(request, ALICE, "finops_snooze")
        world.until(lambda: world.control.observed.views(user=ALICE))
        day = (datetime.now(UTC) + timedelta(days=days)).date()
        values = {"until": {"date": day.isoformat()}, "reason": {"text": reason}}
        answer = world.control.people.submit_view(user=ALICE, values=values)
        assert list(answer["errors"]) == [field]
        assert world.votes() == []
