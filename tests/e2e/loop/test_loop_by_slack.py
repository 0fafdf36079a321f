"""The main job as people see it: a card in Slack, a click, the act, the card that says so, the ledger as proof."""

from __future__ import annotations

import json

import pytest
from tests.e2e.loop.world import CHANNEL, Loop, state_of

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(240)]

ALICE, BOB, DAVE = "U0ALICE001", "U0BOB00001", "U0DAVE0001"


@pytest.fixture(autouse=True)
def slack_understood_everything(loop: Loop) -> object:
    """The double met nothing in a story that Slack would not know."""
    yield
    assert loop.slack.observed.failures() == []


def test_a_click_on_approve_resizes_and_the_card_ends_verified(loop: Loop) -> None:
    request = loop.next_worker()
    name = request["metadata"]["name"]
    sent = loop.click(request, ALICE)
    assert sent["acked"]
    assert sent["ack_ms"] < 1000
    assert state_of(loop.ended(name)) == "Succeeded"
    loop.assert_resized_once(request)
    card = loop.shown(request, "erified")
    assert "finops_approve" not in json.dumps(card["blocks"])
    thread = loop.slack.observed.messages(channel=CHANNEL, thread=card["ts"])
    assert len(thread) > 2
    sessions = {call["sourceIdentity"] for call in loop.aws.changes(request["spec"]["resource"]["id"])}
    assert sessions == {f"slack.{ALICE}"}
    voted = next(one for one in loop.records(request) if one["kind"] == "voted")
    assert ALICE in json.dumps(voted)


def test_deny_asks_for_a_reason_and_keeps_it(loop: Loop) -> None:
    request = loop.next_worker()
    loop.click(request, BOB, "finops_deny")
    answer = loop.slack.people.submit_view(user=BOB, values={"reason": {"text": "Needed for the audit."}})
    assert not answer["errors"]
    assert state_of(loop.ended(request["metadata"]["name"])) == "Denied"
    loop.shown(request, "Needed for the audit.")
    assert not loop.aws.changes(request["spec"]["resource"]["id"])
    assert "Needed for the audit." in json.dumps(loop.records(request))


def test_a_click_by_somebody_outside_the_group_is_answered_and_does_nothing(loop: Loop) -> None:
    request = loop.next_worker()
    loop.click(request, DAVE)
    wait = loop.answered(DAVE, "S0SRE00001")
    assert wait
    seen = loop.request(request["metadata"]["name"])
    assert state_of(seen) == "Pending"
    assert not loop.aws.changes(request["spec"]["resource"]["id"])


def test_deleting_a_volume_takes_a_click_and_another_persons_vote(loop: Loop) -> None:
    request = loop.next_volume()
    name, target = request["metadata"]["name"], request["spec"]["resource"]["id"]
    loop.click(request, BOB)
    loop.shown(request, "1")
    loop.answered(BOB, "1")
    assert state_of(loop.request(name)) == "Pending"
    assert not loop.aws.changes(target)
    # The same person by another way is still one person: the administrator said who Bob is in Slack, and that Alice
    # is somebody else. Without both names a vote by kubectl would not add up with one in Slack here.
    identities = json.dumps({"data": {f"slack.{BOB}": "bob", "k8s.alice": "alice"}})
    loop.cluster.kubectl(
        *("patch", "configmap", f"{loop.release.full_name}-identities", "-n", loop.release.namespace, "-p", identities)
    )
    assert loop.vote(request, "bob")["status"]["reason"] == "AlreadyVoted"
    loop.vote(request, "alice")
    assert state_of(loop.ended(name)) == "Succeeded"
    assert [call["action"] for call in loop.aws.changes(target)] == ["CreateSnapshot", "CreateSnapshot", "DeleteVolume"]
    loop.assert_every_change_has_its_intent(request)
    loop.shown(request, "erified")


def test_a_bot_killed_after_a_click_loses_nothing(loop: Loop) -> None:
    request = loop.next_worker()
    loop.click(request, ALICE)
    loop.release.kill("slackbot")
    assert state_of(loop.ended(request["metadata"]["name"])) == "Succeeded"
    loop.assert_resized_once(request)
    loop.shown(request, "erified")
