"""Whoever takes a vote back may give it again, and nobody's object swallows another person's click."""

from __future__ import annotations

import signal

from tests.integration.slackbot.bot_world import ALICE, BOB, NAMESPACE, World
from tests.integration.slackbot.test_bot_outages import connected, process

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval, ApprovalSpec, RequestReference, Source, Voter
from finops.domain.decision import Choice, VoteResult
from finops.k8s.connection import connect
from finops.k8s.kinds import approvals

BY_KUBECTL = Voter(source=Source.KUBERNETES, username="admin")


def vote_of(request: ActionRequest, voter: Voter, choice: Choice = Choice.APPROVE) -> Approval:
    reference = RequestReference(name=request.metadata.name, uid=request.metadata.uid or "")
    spec = ApprovalSpec(
        request=reference, plan_hash=request.spec.plan_hash, decision=choice, reason="why", approver=voter
    )
    return Approval.of(NAMESPACE, spec)


def send_by_kubectl(world: World, vote: Approval) -> None:
    approvals(connect(str(world.cluster.kubeconfig), "admin")).create(vote)


def sit_on_the_name(world: World, request: ActionRequest, user: str) -> str:
    """Put a stranger's vote under the name that the click of `user` will have."""
    attested = Voter(
        source=Source.SLACK, slack_team="T0FINOPS1", slack_user=user, attested_at=request.metadata.creation_timestamp
    )
    name = vote_of(request, attested).metadata.name
    foreign = vote_of(request, BY_KUBECTL)
    send_by_kubectl(world, foreign.model_copy(update={"metadata": foreign.metadata.model_copy(update={"name": name})}))
    return name


def by_click(world: World) -> list[Approval]:
    return [vote for vote in world.votes() if vote.spec.approver.source is Source.SLACK]


def test_who_took_a_click_back_by_kubectl_may_click_again(world: World) -> None:
    world.same_person[f"slack.{ALICE}"] = "admin"
    with world.bot():
        request = world.propose(required=2)
        world.click(request, ALICE)
        assert "1 of 2" in world.answered(ALICE, "Your approval on")
        send_by_kubectl(world, vote_of(request, BY_KUBECTL, Choice.WITHDRAW))
        world.shown(request, "0 of 2 approvals")

        world.click(request, ALICE)

        world.shown(request, "1 of 2 approvals")
        world.until(lambda: len(world.control.observed.ephemerals(user=ALICE)) == 2)
        assert "counts" in world.control.observed.ephemerals(user=ALICE)[1]["text"]
        first, second = sorted(by_click(world), key=lambda vote: len(vote.metadata.name))
        assert second.metadata.name == f"{first.metadata.name}-2"
        assert second.status.result is VoteResult.COUNTED


def test_a_strangers_object_under_the_name_of_a_click_does_not_swallow_it(world: World) -> None:
    with world.bot():
        request = world.propose()
        name = sit_on_the_name(world, request, BOB)

        world.click(request, BOB)

        assert "1 of 1" in world.answered(BOB, "Your approval on")
        (vote,) = by_click(world)
        assert (vote.metadata.name, vote.spec.approver.slack_user) == (f"{name}-2", BOB)


def test_a_bot_killed_after_a_vote_under_another_name_leaves_its_verdict_to_the_next(world: World) -> None:
    world.judging.clear()
    with process(world, FINOPS_KILL_POINT="bot.approval.created") as bot:
        world.until(lambda: connected(world))
        request = world.propose()
        sit_on_the_name(world, request, BOB)
        world.until(lambda: world.card(request))
        world.click(request, BOB)
        assert bot.wait(10) == -signal.SIGKILL
    world.judging.set()
    with world.bot():
        world.answered(BOB, "Your approval on", 40)
        assert len(by_click(world)) == 1
