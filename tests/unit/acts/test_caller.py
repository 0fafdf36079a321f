"""Calls and dry runs are read by the rules that the action declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from finops.domain.decision import State
from finops.domain.execution import Result
from finops.errors import AwsOutcomeUnknown, AwsRejected
from finops_operator.acts.caller import NO_DRY_RUN, call_once, dry_run_end, dry_run_once
from finops_operator.plugins.action import CallRules

RULES = CallRules(created=("LineId",), not_done=frozenset({"NoLineFree"}), dry_run_passed="WouldHaveWorked")


class Client:
    """Answers every call, or raises; keeps what it was asked."""

    def __init__(self, answer: Mapping[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[Mapping[str, Any]] = []

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        assert operation == "fax:OrderLine"
        self.asked.append(parameters)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_what_a_call_made_is_kept_under_awss_name_and_ours() -> None:
    answer = call_once(Client({"LineId": "l-1", "Pin": "secret"}), "fax:OrderLine", {}, RULES)
    assert (answer.result, answer.detail) == (Result.OK, {"LineId": "l-1", "created": "l-1"})


@pytest.mark.parametrize(("code", "result"), [("NoLineFree", Result.REJECTED), ("InternalError", Result.UNKNOWN)])
def test_only_a_code_that_the_action_declares_says_that_nothing_was_done(code: str, result: Result) -> None:
    failing = Client(AwsOutcomeUnknown("no", operation="fax:OrderLine", code=code))
    assert call_once(failing, "fax:OrderLine", {}, RULES).result is result


@pytest.mark.parametrize(
    ("code", "unanswered", "result"),
    [
        ("LineIsOrdered", False, Result.REJECTED),
        ("LineIsOrdered", True, Result.UNKNOWN),
        ("Denied", True, Result.REJECTED),
    ],
)
def test_a_refused_repetition_of_an_unanswered_call_does_not_say_that_nothing_was_done(
    code: str, unanswered: bool, result: Result
) -> None:
    rules = CallRules(repeated=frozenset({"LineIsOrdered"}))
    refusing = Client(AwsRejected("no", operation="fax:OrderLine", code=code))
    assert call_once(refusing, "fax:OrderLine", {}, rules, unanswered=unanswered).result is result


def test_an_api_without_dry_runs_is_never_called_for_one() -> None:
    client = Client({"LineId": "l-1"})
    answer = dry_run_once(client, "fax:OrderLine", {}, CallRules())
    assert client.asked == []
    assert answer.detail["code"] == NO_DRY_RUN
    state, words = dry_run_end([{"operation": "fax:OrderLine", **answer.detail}], CallRules())
    assert state is State.SUCCEEDED
    assert "was not asked about (its API has no dry run)" in words


@pytest.mark.parametrize(("code", "state"), [("WouldHaveWorked", State.SUCCEEDED), ("Denied", State.ROLLED_BACK)])
def test_a_dry_run_ends_as_the_act_would(code: str, state: State) -> None:
    client = Client(AwsRejected("no", operation="fax:OrderLine", code=code))
    answer = dry_run_once(client, "fax:OrderLine", {"Pin": 1}, RULES)
    assert client.asked == [{"Pin": 1, "DryRun": True}]
    assert dry_run_end([{"operation": "fax:OrderLine", **answer.detail}], RULES)[0] is state
