"""Who is a person of this workspace, what may run at once, and which codes mean what."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from finops_slackbot.button_targets import ClickResult
from finops_slackbot.click_answers import ClickAnswers
from finops_slackbot.events.intake import Intake, Person, person_of
from finops_slackbot.guards.groups import Membership, VotingGroups
from finops_slackbot.guards.people import FRESH_SECONDS, People
from finops_slackbot.killpoint import kill_at
from finops_slackbot.metrics import Metrics
from finops_slackbot.slack_calls import Identity, SlackCalls
from finops_slackbot.slack_errors import SlackRateLimited, SlackRefused, SlackUnavailable
from finops_slackbot.workers import Workers

HOME = Identity("T0HOME", "", "U0BOT", "Home")
GRID = Identity("T0HOME", "E0GRID", "U0BOT", "Home")
PERSON = Person("U1", "alice", "T0HOME", "C1", "")


@dataclass
class ManualClock:
    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Directory:
    """Slack's people and groups as plain data: what the Web API answers, without the way there."""

    records: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)

    def user(self, user: str) -> Mapping[str, Any]:
        return cast(
            "Mapping[str, Any]",
            self._answer(user, self.records.get(user, SlackRefused("users.info", "user_not_found"))),
        )

    def group_members(self, group: str) -> frozenset[str]:
        return cast("frozenset[str]", self._answer(group, self.groups[group]))

    def post_ephemeral(self, channel: str, user: str, text: str) -> None:
        self.told.append((channel, user, text))

    def _answer(self, key: str, found: Any) -> Any:
        self.asked.append(key)
        if isinstance(found, Exception):
            raise found
        return found


def people(records: Mapping[str, Any], clock: ManualClock | None = None) -> tuple[People, Directory]:
    directory = Directory(records=records)
    return People(cast("SlackCalls", directory), clock or ManualClock()), directory


@pytest.mark.parametrize(
    ("record", "objection"),
    [
        ({"team_id": "T0HOME"}, ""),
        ({}, ""),
        ({"team_id": "T0HOME", "is_email_confirmed": True}, ""),
        ({"team_id": "T0HOME", "deleted": True}, "a deactivated account"),
        ({"team_id": "T0HOME", "is_bot": True}, "a bot"),
        ({"team_id": "T0HOME", "is_workflow_bot": True}, "a bot"),
        ({"team_id": "T0HOME", "is_stranger": True}, "a member of another workspace"),
        ({"team_id": "T0OTHER"}, "a member of another workspace"),
        ({"team_id": "T0HOME", "is_restricted": True}, "a guest"),
        ({"team_id": "T0HOME", "is_ultra_restricted": True}, "a guest"),
        ({"team_id": "T0HOME", "is_email_confirmed": False}, "an account with an unconfirmed e-mail address"),
    ],
)
def test_only_full_members_of_the_workspace_may_vote(record: dict[str, Any], objection: str) -> None:
    guard, _ = people({"U1": record})
    assert guard.objection("U1", "T0HOME", HOME) == objection


def test_a_click_from_another_workspace_is_refused_without_asking() -> None:
    guard, directory = people({"U1": {"team_id": "T0HOME"}})
    assert guard.objection("U1", "T0OTHER", HOME) == "a member of another workspace"
    assert guard.objection("U1", "", HOME) == "a member of another workspace"
    assert directory.asked == []
    assert guard.objection("U1", "E0GRID", GRID) == ""


def test_an_unknown_account_is_refused_and_no_answer_of_slack_is_not_an_answer() -> None:
    silent, refused = SlackUnavailable("users.info", "timeout"), SlackRefused("users.info", "missing_scope")
    guard, _ = people({"U2": silent, "U3": refused})
    assert "does not know" in guard.objection("U1", "T0HOME", HOME)
    with pytest.raises(SlackUnavailable):
        guard.objection("U2", "T0HOME", HOME)
    with pytest.raises(SlackRefused):
        guard.objection("U3", "T0HOME", HOME)


def test_a_persons_record_is_read_again_after_ten_seconds() -> None:
    clock = ManualClock()
    guard, directory = people({"U1": {"team_id": "T0HOME"}}, clock)
    for seconds in (0.0, FRESH_SECONDS - 1, FRESH_SECONDS):
        clock.seconds = seconds
        guard.objection("U1", "T0HOME", HOME)
    assert directory.asked == ["U1", "U1"]


def test_groups_are_read_fresh_and_unreadable_ones_are_named() -> None:
    clock = ManualClock()
    missing = SlackRefused("usergroups.users.list", "no_such_subteam")
    directory = Directory(groups={"S1": frozenset({"U1"}), "S2": frozenset(), "S3": missing})
    groups = VotingGroups(cast("SlackCalls", directory), clock)
    expected = Membership(("S1",), (("S3", "no_such_subteam"),))
    assert groups.of("U1", ["S2", "S1", "S3", "S1"]) == expected
    clock.seconds = FRESH_SECONDS - 1
    assert groups.of("U1", ["S1"]).groups == ("S1",)
    clock.seconds = FRESH_SECONDS
    groups.of("U1", ["S1"])
    assert directory.asked == ["S1", "S2", "S3", "S1"]


def test_a_group_that_slack_does_not_give_now_is_not_guessed() -> None:
    directory = Directory(groups={"S1": SlackRateLimited("usergroups.users.list", 30)})
    with pytest.raises(SlackRateLimited):
        VotingGroups(cast("SlackCalls", directory), ManualClock()).of("U1", ["S1"])


def test_workers_refuse_what_their_queue_cannot_hold_and_can_be_drained() -> None:
    workers = Workers(threads=1, queue=1)
    gate = threading.Event()
    first = workers.submit(gate.wait)
    second = workers.submit(lambda: "second")
    assert first is not None
    assert second is not None
    assert workers.submit(lambda: "third") is None
    assert not workers.drain(0.05)
    gate.set()
    assert workers.drain(5)
    assert second.result(5) == "second"
    workers.close()
    assert workers.submit(lambda: "late") is None
    assert workers.drain(0)


def test_a_job_that_fails_is_logged_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    workers = Workers(threads=1, queue=0)

    def fail() -> None:
        raise ValueError("a defect")

    assert workers.submit(fail) is not None
    assert workers.drain(5)
    workers.close()
    assert "a defect" in caplog.text


def intake() -> tuple[Intake, Directory, Workers, Metrics]:
    directory, metrics = Directory(), Metrics(CollectorRegistry())
    workers = Workers(threads=2, queue=2)
    return Intake(workers, ClickAnswers(cast("SlackCalls", directory)), metrics), directory, workers, metrics


def test_an_answer_is_sent_after_the_acknowledgement() -> None:
    door, directory, workers, _ = intake()
    acks: list[dict[str, Any]] = []
    door.run(lambda **body: acks.append(body), PERSON, lambda: ClickResult("said", "word"))
    assert workers.drain(5)
    assert acks == [{}]
    assert directory.told == [("C1", "U1", "said")]


def test_slow_work_is_acknowledged_in_time_and_answered_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finops_slackbot.events.intake.ACK_SECONDS", 0.05)
    door, directory, workers, _ = intake()
    gate = threading.Event()
    acks: list[dict[str, Any]] = []

    def slow() -> ClickResult:
        gate.wait(5)
        return ClickResult("said late", "word")

    door.run(lambda **body: acks.append(body), PERSON, slow)
    assert acks == [{}]
    assert directory.told == []
    gate.set()
    assert workers.drain(5)
    assert directory.told == [("C1", "U1", "said late")]


def test_a_full_house_says_so() -> None:
    door, directory, workers, metrics = intake()
    workers.close()
    door.run(lambda **_: None, PERSON, lambda: ClickResult("never", "word"))
    assert "too much to do" in directory.told[0][2]
    assert metrics.registry.get_sample_value("finops_slackbot_clicks_total", {"outcome": "busy"}) == 1


def test_a_duplicate_is_acknowledged_and_not_answered() -> None:
    door, directory, workers, metrics = intake()
    door.run(lambda **_: None, PERSON, lambda: None)
    assert workers.drain(5)
    assert directory.told == []
    assert metrics.registry.get_sample_value("finops_slackbot_clicks_total", {"outcome": "duplicate"}) == 1


@pytest.mark.parametrize("body", [{}, {"user": "U1"}, {"user": {"id": 7}}, {"user": None}])
def test_a_payload_that_is_not_slacks_names_nobody(body: dict[str, Any]) -> None:
    assert person_of(body) is None


def test_an_answer_without_any_way_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    answering = ClickAnswers(cast("SlackCalls", Directory()))
    assert not answering.send(channel="", user="U1", text="said")
    assert "did not reach" in caplog.text


def test_no_boundary_kills_unless_it_is_named() -> None:
    kill_at("")("bot.click.received")
    kill_at("bot.card.posted")("bot.click.received")


def test_every_refusal_carries_slacks_word_and_where_known_the_remedy() -> None:
    error = SlackRefused("chat.postMessage", "not_in_channel", "detail")
    assert error.code == "not_in_channel"
    assert "/invite" in str(error)
    assert SlackRefused("m", "something_new").hint == ""
