"""Checks that people ended what only people may end: pauses after a failed act, and snoozes before their date.

A record of kind `acts paused` numbers the failures of one action and one policy, a `snoozed` record the snoozes of one
resource (operation ids `KIND:SUBJECT:N`). One of kind `acts resumed` or `woken`, of the same subject and number, names
a later counted vote of choice Resume or Wake, and its actor is that voter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_BEGINS = frozenset({"acts paused", "snoozed"})
_ENDS = {"acts resumed": ("acts paused", "Resume"), "woken": ("snoozed", "Wake")}
"""Kind of the record that ends something → kind of the one that began it, and what the vote says."""


@dataclass(slots=True)
class Words:
    """Follows the whole ledger.

    Attributes:
        begun: operation id of each pause and snooze → its sequence.
        votes: operation id of each counted vote that may end one → its sequence, voter and choice.
    """

    begun: dict[str, int] = field(default_factory=dict)
    votes: dict[str, tuple[int, str, str]] = field(default_factory=dict)

    def problem(self, record: dict[str, Any]) -> str:
        """Take in the next record that names a request; return what is wrong with it, empty when nothing is."""
        kind, choice = record["kind"], record["detail"].get("choice")
        if kind in _BEGINS:
            self.begun[record["operationId"]] = record["sequence"]
        elif kind == "voted" and record["result"] == "counted":
            if not isinstance(choice, str):
                return "a counted vote whose choice is no word"
            if choice in {"Resume", "Wake"}:
                self.votes[record["operationId"]] = record["sequence"], record["actor"], choice
        elif kind in _ENDS:
            return self._ended(record, *_ENDS[kind])
        return ""

    def _ended(self, record: dict[str, Any], began: str, choice: str) -> str:
        subject = record["operationId"].removeprefix(f"{record['kind']}:")
        begun, vote = self.begun.get(f"{began}:{subject}"), self.votes.get(str(record["detail"].get("vote")))
        if begun is None:
            return f"a record of kind {record['kind']} that follows no record of kind {began}"
        if vote is None or vote[0] < begun or vote[1:] != (record["actor"], choice):
            return f"a record of kind {record['kind']} without a counted {choice} of that person since"
        return ""
