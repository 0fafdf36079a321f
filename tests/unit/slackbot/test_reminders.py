"""Which reminder is due, and what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.sample_requests import CREATED, delete_request, resize_request, vote, votes

from finops.crds.action_request import DigestEntry
from finops.domain.decision import STEP_UP_MISSING, State
from finops_sandbox.slack.blocks import check_message
from finops_slackbot.card_facts import CardFacts, card_facts
from finops_slackbot.reminders import Reminder, due_reminder
from finops_slackbot.views.thread import reminder_line, thread_blocks

TEAM = {"slackUserGroup": "S0ALL00001"}
CHIEF = {"slackUser": "U0CHIEF001"}
BOTH = ({"after": "48h", "to": TEAM}, {"after": "48h", "to": CHIEF})


def facts_of(remind: Sequence[str] = (), escalate: Sequence[Any] = (), **changes: Any) -> CardFacts:
    expires = CREATED + timedelta(hours=96)
    request = resize_request(remind_after=remind, escalate=escalate, expires=expires, **changes)
    return card_facts(request, (), demo=False)


def at(facts: CardFacts, hours: float, said: Sequence[str] = ()) -> tuple[str, tuple[str, ...]] | None:
    found = due_reminder(facts, CREATED + timedelta(hours=hours), said)
    if found is None:
        return None
    return found.key, tuple(str(one.slack_user_group or one.slack_user) for one in found.mentions)


@pytest.mark.parametrize(
    ("remind", "escalate", "hours", "said", "expected"),
    [
        pytest.param([], (), 90, [], None, id="without terms nobody is reminded"),
        pytest.param(["24h"], (), 23.99, [], None, id="not before its time"),
        pytest.param(["24h"], (), 24, [], ("waits:1440", ()), id="at its time"),
        pytest.param(["24h"], (), 90, ["vote:a"], ("waits:1440", ()), id="late when the bot was away"),
        pytest.param(["24h"], (), 90, ["waits:1440"], None, id="once"),
        pytest.param(["1h", "24h"], (), 30, [], ("waits:1440", ()), id="of a backlog only the latest"),
        pytest.param(["24h", "1h"], (), 30, ["waits:1440"], None, id="and what is older never, in any order"),
        pytest.param(["1h", "24h"], (), 30, ["waits:60"], ("waits:1440", ()), id="the second after the first"),
        pytest.param([], BOTH, 47, [], None, id="nobody is mentioned before the time"),
        pytest.param([], BOTH, 48, [], ("waits:2880", ("S0ALL00001", "U0CHIEF001")), id="one message for one time"),
        pytest.param(["24h"], BOTH, 50, [], ("waits:2880", ("S0ALL00001", "U0CHIEF001")), id="it is the reminder too"),
        pytest.param(["60h"], BOTH[:1], 61, [], ("waits:3600", ("S0ALL00001",)), id="a later reminder mentions them"),
        pytest.param(["60h"], BOTH, 61, ["waits:2880"], ("waits:3600", ()), id="unless they were mentioned before"),
        pytest.param(
            [], (BOTH[0], {"after": "60h", "to": CHIEF}), 61, [], ("waits:3600", ("U0CHIEF001",)), id="the last mention"
        ),
        pytest.param(["95h"], (), 95.99, [], ("waits:5700", ()), id="as long as it waits"),
        pytest.param(["95h"], (), 96, [], None, id="not when it has expired"),
    ],
)
def test_what_is_due(
    remind: list[str], escalate: Sequence[Any], hours: float, said: list[str], expected: tuple[str, tuple[str, ...]]
) -> None:
    assert at(facts_of(remind, escalate), hours, said) == expected


@pytest.mark.parametrize("state", list(State))
def test_only_a_request_that_waits_for_votes_is_reminded_of(state: State) -> None:
    facts = replace(facts_of(["24h"], BOTH), state=state)
    assert (at(facts, 50) is not None) is (state is State.PENDING)


def test_with_enough_approvals_nobody_is_reminded_while_the_decision_is_on_its_way() -> None:
    assert at(replace(facts_of(["24h"]), counted=1), 25) is None


def test_a_reminder_says_what_it_is_how_many_approvals_are_missing_and_until_when() -> None:
    facts = facts_of(["24h"], required=3)
    key, text = reminder_line(replace(facts, counted=1), Reminder(timedelta(hours=24)))
    until = CREATED + timedelta(hours=96)
    assert key == "waits:1440"
    assert text.startswith("Reminder: 2 approvals are missing; people can vote until <!date^")
    assert f"{until:%Y-%m-%d %H:%M} UTC" in text


def test_a_reminder_says_why_an_approval_of_somebody_does_not_count() -> None:
    request = delete_request(status={"state": "Pending", "votes": votes(1, required=2)})
    cast = [
        vote(request, slack_user="U0BOB00001", message="Approve counted."),
        vote(
            request, slack_user="U0CAROL001", message=f"Approve counted. {STEP_UP_MISSING}", at=CREATED + timedelta(1)
        ),
    ]
    text = reminder_line(card_facts(request, cast, demo=False), Reminder(timedelta(hours=24)))[1]
    assert text.startswith("Reminder: 1 approval is missing; ")
    assert text.endswith(STEP_UP_MISSING)


def test_a_mention_names_who_is_meant_and_that_it_gives_no_vote() -> None:
    facts = facts_of((), BOTH)
    reminder = due_reminder(facts, CREATED + timedelta(hours=49), ())
    assert reminder is not None
    line = reminder_line(facts, reminder)
    assert line[1].startswith("<!subteam^S0ALL00001>, <@U0CHIEF001> Reminder: this has waited for 48 hours, ")
    assert "1 approval is missing" in line[1]
    assert line[1].endswith("being mentioned here gives no vote.")
    assert check_message(json.loads(json.dumps(thread_blocks((line,))))) == []


def test_in_the_thread_of_a_digest_a_reminder_says_which_act_it_is_about() -> None:
    facts = facts_of(["24h"], digest=DigestEntry(id="d", position=1, size=2))
    assert reminder_line(facts, Reminder(timedelta(hours=24)))[1].startswith("*Resize web-1 (i-0abc1234def567890):* ")
