"""Undo in Slack: the button on the card of an act that succeeded, and the card of the undo in the same thread."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.integration.slackbot.bot_world import ALICE, BOB, CHANNEL, DAVE, NAMESPACE, World
from tests.support.sample_requests import resize_request

from finops.crds.action_request import ActionRequest, UndoneAct
from finops.crds.approver import Approver
from finops.crds.metadata import Metadata
from finops.crds.request_status import Votes
from finops.domain.decision import Choice


def succeeded(world: World) -> ActionRequest:
    """Return a request whose act has succeeded and can be undone for two weeks."""
    request = world.propose()
    until = (datetime.now(UTC) + timedelta(days=14)).isoformat(timespec="seconds")
    world.shown(request, "finops_approve")
    act = world.set_status(request, state="Succeeded", undo={"until": until})
    world.shown(act, "finops_undo")
    return act


def undo_of(world: World, act: ActionRequest) -> ActionRequest:
    """Propose the undo as the operator does: the same money the other way round, the act's thread."""
    made = resize_request(name=f"{act.metadata.name}-undo", resource_id=act.spec.resource.id, created=None)
    undoes = UndoneAct(name=act.metadata.name, uid=act.metadata.uid or "", required=1)
    before = act.spec.estimate
    figures = {
        "current_monthly_cost": before.new_monthly_cost,
        "new_monthly_cost": before.current_monthly_cost,
        "monthly_savings": Decimal("0.00"),
    }
    spec = made.spec.model_copy(
        update={
            "undoes": undoes,
            "estimate": before.model_copy(update=figures),
            "expires_at": datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1),
        }
    )
    request = world.requests.create(
        ActionRequest(metadata=Metadata(name=made.metadata.name, namespace=NAMESPACE), spec=spec)
    )
    return world.set_status(request, state="Pending", votes=Votes.of(approve=0, deny=0, required=1).to_dict())


def test_an_undo_is_asked_for_by_a_button_and_voted_on_in_the_same_thread(world: World) -> None:
    with world.bot():
        act = succeeded(world)
        card = world.shown(act, "It can be undone until")
        assert "finops_approve" not in str(card["blocks"])

        sent = world.click(act, ALICE, "finops_undo", confirm=True)

        assert sent["acked"]
        assert "at least as many approvals as the act did" in world.answered(ALICE, "You asked to undo the act on")
        (ask,) = world.votes()
        assert (ask.spec.decision, ask.spec.request.uid) == (Choice.UNDO, act.metadata.uid)
        assert ask.spec.plan_hash == act.spec.plan_hash
        world.said(act, f"Undo asked for by <@{ALICE}>")
        undo = undo_of(world, act)
        answered = {
            "answered": ask.metadata.name,
            "request": undo.metadata.name,
            "message": "Request 2 needs 1 approval.",
        }
        undo_status = act.status.undo
        assert undo_status is not None
        act = world.set_status(act, undo={**undo_status.to_dict(), **answered})
        world.said(act, "Request 2 needs 1 approval.")
        in_thread = world.until(lambda: [one for one in thread_of(world, act) if uid_of(one) == undo.metadata.uid])
        assert "more a month" in str(in_thread[0]["blocks"])
        world.until(lambda: "finops_undo" not in str(world.card(act)["blocks"]))

        world.control.people.click(user=ALICE, action="finops_approve", message=in_thread[0]["ts"], confirm=True)

        world.answered(ALICE, "Your approval on")
        world.until(lambda: "Approved by" in "".join(one["text"] for one in thread_of(world, act)))
        done = {**answered, "state": "Succeeded", "message": "Undone by request 2."}
        world.set_status(act, undo={**undo_status.to_dict(), **done})
        world.shown(act, "Undone")
        assert "Undone by request 2." in str(world.card(act)["blocks"])


def test_whoever_is_no_approver_has_nothing_undone(world: World) -> None:
    with world.bot():
        act = succeeded(world)
        world.click(act, DAVE, "finops_undo", confirm=True)
        assert "not an approver" in world.answered(DAVE, "Not counted on")


def test_a_button_that_came_too_late_records_nothing(world: World) -> None:
    with world.bot():
        act = succeeded(world)
        past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")
        world.set_status(act, undo={"until": past})
        world.shown(act, f"until <!date^{int(datetime.fromisoformat(past).timestamp())}")

        world.click(act, ALICE, "finops_undo", confirm=True)

        world.answered(ALICE, "could be undone until")
        assert world.votes() == []


def thread_of(world: World, act: ActionRequest) -> list[dict[str, Any]]:
    return list(world.control.observed.messages(channel=CHANNEL, thread=world.card(act)["ts"]))


def uid_of(message: dict[str, Any]) -> str:
    return str((message.get("metadata") or {}).get("event_payload", {}).get("uid", ""))


def test_groups_that_the_policy_names_by_now_are_attested_to_whoever_asks_for_an_undo(world: World) -> None:
    """The act's request names a person who has left; a newer one of the policy shows the group that may ask now."""
    with world.bot():
        request = world.propose(approvers=[Approver(slack_user=ALICE)])
        until = (datetime.now(UTC) + timedelta(days=14)).isoformat(timespec="seconds")
        world.shown(request, "finops_approve")
        act = world.set_status(request, state="Succeeded", undo={"until": until})
        world.shown(act, "finops_undo")
        newer = world.propose(approvers=[Approver(slack_user_group="S0SRE00001")])
        world.until(lambda: world.card(newer))

        world.click(act, BOB, "finops_undo", confirm=True)

        (vote,) = world.until(world.votes)
        assert vote.spec.approver.groups == ("S0SRE00001",)
