"""Which reason of a vote an Approval can hold."""

from __future__ import annotations

import pytest

from finops.crds.approval import LONGEST_REASON
from finops.errors import InvalidInput
from finops_operator.cli.main import main
from finops_operator.cli.voting import checked_reason


@pytest.mark.parametrize("reason", ["", "too early", "x" * LONGEST_REASON, "one\ntwo"])
def test_a_reason_that_an_approval_holds_is_kept_as_it_is(reason: str) -> None:
    assert checked_reason(reason) == reason


@pytest.mark.parametrize(
    ("reason", "words"),
    [("x" * (LONGEST_REASON + 1), "has 2,001 characters, 2,000 at most"), ("   ", "is blank"), ("\n\t", "is blank")],
)
def test_a_reason_that_is_too_long_or_blank_names_the_option_and_what_to_do(reason: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as failed:
        checked_reason(reason)
    assert failed.value.field == "--reason"
    assert failed.value.hint


@pytest.mark.parametrize("command", ["approve", "deny", "snooze", "undo", "wake", "withdraw", "resume"])
@pytest.mark.parametrize("reason", ["   ", "x" * (LONGEST_REASON + 1)])
def test_every_command_that_votes_refuses_such_a_reason_before_it_asks_or_connects(
    command: str, reason: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--until", "14d") if command == "snooze" else ()
    monkeypatch.setattr("sys.argv", ["finops", command, "stop-web", "--reason", reason, *more])
    assert main() == 2
    assert "--reason" in capsys.readouterr().err
