"""A vote shows the act before it asks, in the words that the request carries."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
import typer
from tests.support.scan_samples import recommendation, request

from finops.domain.decision import State
from finops.errors import InvalidInput
from finops_operator.cli.asking import confirm, facts_of, money_of, preview

REQUEST = request(recommendation(), State.PENDING)
WORDS: dict[str, Any] = {
    "verb": "Resize",
    "kind": "EC2 instance",
    "change": "m5.2xlarge → m5.xlarge: 8 → 4 vCPU, 32 → 16 GiB",
    "expectation": "Expected CPU about 31 %.",
    "performanceRisk": "Low",
    "consequence": "It is stopped, changed and started again.",
    "downtime": "A few minutes",
    "undo": "If the start fails, it returns to m5.2xlarge by itself.",
    "evidence": [
        {"label": "CPU, highest 5 minutes", "value": "31 %"},
        {"label": "Processor", "value": "Intel → AMD"},
    ],
    "warnings": ["Its public address changes."],
}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_words_of_the_request_are_shown_as_on_the_card() -> None:
    shown = dict(facts_of(REQUEST, REQUEST.to_object()["spec"], WORDS))

    assert shown["Act"] == "Resize web"
    assert str(shown["Resource"]).startswith("EC2 instance i-")
    for label, key in (("Change", "change"), ("Expect", "expectation"), ("Then", "consequence"), ("Undo", "undo")):
        assert shown[label] == WORDS[key]
    assert shown["Risk"] == "Performance risk low"
    assert shown["Warning"] == "Its public address changes."


def test_the_evidence_is_shown_with_what_changes_of_the_platform() -> None:
    lines = list(facts_of(REQUEST, REQUEST.to_object()["spec"], WORDS))

    start = lines.index(("Evidence", "CPU, highest 5 minutes: 31 %"))
    assert lines[start + 1] == ("", "Processor: Intel → AMD")


def test_a_risk_of_two_words_is_written_as_two() -> None:
    shown = dict(facts_of(REQUEST, REQUEST.to_object()["spec"], {**WORDS, "performanceRisk": "VeryLow"}))

    assert shown["Risk"] == "Performance risk very low"


def test_a_request_without_words_is_shown_by_its_ids() -> None:
    shown = dict(facts_of(REQUEST, REQUEST.to_object()["spec"], {}))

    assert shown["Act"] == "stop web"
    assert shown["Saves"] == "65.21 USD a month (66.82 → 1.61)"
    assert shown["Steps"] == "1. Stop the instance"
    assert shown["Approvals"] == "0 of 1"


def test_what_is_saved_once_is_not_shown_as_saved_a_month() -> None:
    spec = REQUEST.to_object()["spec"]
    shown = dict(facts_of(REQUEST, {**spec, "estimate": {**spec["estimate"], "lastsDays": 7}}, WORDS))

    assert shown["Saves"] == "65.21 USD once, in at most 7 days (66.82 → 1.61)"


def test_no_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    assert max(map(len, preview(REQUEST))) <= 60


@pytest.mark.parametrize(
    ("answer", "sent"), [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_only_a_clear_yes_sends_the_vote(monkeypatch: pytest.MonkeyPatch, answer: str, sent: bool) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal(answer))
    if sent:
        confirm(REQUEST, "approve", yes=False)
        return
    with pytest.raises(typer.Exit) as ended:
        confirm(REQUEST, "approve", yes=False)
    assert ended.value.exit_code == 1


def test_where_nobody_can_be_asked_the_way_for_scripts_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    with pytest.raises(InvalidInput, match="--yes"):
        confirm(REQUEST, "deny", yes=False)
    confirm(REQUEST, "deny", yes=True)


def test_a_saving_that_nobody_can_know_is_said_with_its_reason() -> None:
    spec: dict[str, Any] = {"estimate": {"currentMonthlyCost": "12.00", "savingUnknown": "AWS does not say it"}}
    assert money_of(spec) == ("Saves", "unknown: AWS does not say it")
    assert money_of({**spec, "undoes": {}})[0] == "Costs"


def test_a_start_is_said_with_what_it_costs_more() -> None:
    estimate = {"currentMonthlyCost": "0.00", "newMonthlyCost": "280.32", "monthlySavings": "0.00"}
    assert money_of({"estimate": estimate}) == ("Costs", "280.32 USD more a month (0.00 → 280.32)")
