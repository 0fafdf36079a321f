"""A Slack channel that takes no cards is told on the policy that names it, once, and taken back when it is mended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import NOW, policy, summary

from finops.crds.scan_policy import ScanPolicy
from finops.domain.realised import Realised
from finops.errors import StoreUnavailable
from finops.store.slack_status import SlackProblem, SlackStatus
from finops_operator.rules import policy_status
from finops_operator.rules.policy_status import PolicyFigures
from finops_operator.upkeep.channels import problem_of

CHANNEL = "C0123456789"
NOTIFY = {"slack": {"channel": CHANNEL}}
REFUSED = "Slack refused chat.postMessage: not_in_channel (invite the app to the channel: /invite @finops)"


def problem(message: str = REFUSED, code: str = "not_in_channel") -> SlackProblem:
    return SlackProblem(code, datetime(2026, 3, 10, tzinfo=UTC), message)


def scanned(parts: Parts, name: str, **spec: Any) -> ScanPolicy:
    made = policy(name=name, **spec)
    made = made.model_copy(update={"metadata": made.metadata.model_copy(update={"uid": None, "generation": None})})
    standing = PolicyFigures(0, Realised(summary().monthly_cost))
    return parts.policies.write_status(
        parts.policies.create(made),
        lambda now: policy_status.scanned(
            now,
            summary(),
            next_time=None,
            requested_at="",
            generation=now.metadata.generation,
            standing=standing,
            now=NOW,
        ),
    )


def ready(parts: Parts, name: str) -> str:
    found = parts.policies.api.get(NAMESPACE, name)
    assert found is not None
    (condition,) = [one for one in found.status.conditions if one.type == "Ready"]
    assert condition.status == "True"
    return condition.message


def events(parts: Parts, name: str) -> list[dict[str, Any]]:
    return [one for one in parts.double.objects("events") if one["involvedObject"]["name"] == name]


def test_a_channel_without_the_app_is_reported_on_its_policy_and_in_one_event(parts: Parts) -> None:
    scanned(parts, "told", notify=NOTIFY)
    scanned(parts, "other", notify={"slack": {"channel": "C0999999999"}})
    scanned(parts, "silent")
    SlackStatus(parts.store).fail(problem(), CHANNEL)
    for _ in range(3):
        parts.housekeeping.run_duties()

    assert ready(parts, "told") == f"Scanned 10 resources without gaps. No card reaches Slack: {CHANNEL}: {REFUSED}"
    for name in ("other", "silent"):
        assert ready(parts, name) == "Scanned 10 resources without gaps."
        assert events(parts, name) == []
    (event,) = events(parts, "told")
    assert (event["type"], event["reason"]) == ("Warning", "NoCardReachesSlack")
    assert "/invite @finops" in event["message"]

    SlackStatus(parts.store).clear(CHANNEL)
    parts.housekeeping.run_duties()
    assert ready(parts, "told") == "Scanned 10 resources without gaps."
    assert len(events(parts, "told")) == 1


def test_a_dead_token_is_reported_on_every_policy_with_a_channel(parts: Parts) -> None:
    scanned(parts, "first", notify=NOTIFY)
    scanned(parts, "second", notify={"slack": {"channel": "C0999999999"}})
    SlackStatus(parts.store).fail(problem("Slack refused auth.test: token_revoked", "token_revoked"))
    parts.housekeeping.run_duties()

    for name in ("first", "second"):
        assert "token_revoked" in ready(parts, name)


def test_only_the_holder_of_the_lease_writes(parts: Parts) -> None:
    scanned(parts, "waits", notify=NOTIFY)
    SlackStatus(parts.store).fail(problem(), CHANNEL)
    parts.writable = False
    parts.housekeeping.run_duties()

    assert "Slack" not in ready(parts, "waits")
    assert events(parts, "waits") == []


def test_a_message_of_slack_is_one_short_printable_line() -> None:
    told = problem_of(policy(notify=NOTIFY), {CHANNEL: problem("no\n\x1b[2J" + "a" * 900)})
    assert told.isprintable()
    assert len(told) == 300


def test_a_store_that_does_not_answer_leaves_the_status_as_it_is(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned(parts, "kept", notify=NOTIFY)
    SlackStatus(parts.store).fail(problem(), CHANNEL)
    parts.housekeeping.run_duties()

    def silent(_: SlackStatus) -> None:
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr(SlackStatus, "read", silent)
    parts.housekeeping.run_duties()
    assert "No card reaches Slack" in ready(parts, "kept")


def test_what_cannot_be_read_stops_nothing(parts: Parts) -> None:
    made = scanned(parts, "unread", notify=NOTIFY)
    parts.store.client.hset(parts.store.keys.slack("status"), f"error:{CHANNEL}", "nonsense")
    parts.slack_channels.refresh()

    assert ready(parts, made.metadata.name) == "Scanned 10 resources without gaps."
