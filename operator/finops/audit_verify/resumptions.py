"""Checks that paused acts were resumed by people: each `resumed` record rests on a pause and on a counted vote.

A `paused` record numbers the failures of one kind of act and one policy (`paused:NAMESPACE/POLICY/ACTION:N`). A
`resumed` record of the same scope and number names a later vote of choice Resume, and its actor is that voter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Resumptions:
    """Follows the whole ledger.

    Attributes:
        paused: operation id of each pause → its sequence.
        votes: operation id of each counted vote to resume → its sequence and voter.
    """

    paused: dict[str, int] = field(default_factory=dict)
    votes: dict[str, tuple[int, str]] = field(default_factory=dict)

    def problem(self, record: dict[str, Any]) -> str:
        """Take in the next record that names a request; return what is wrong with it, empty when nothing is."""
        kind, operation = record["kind"], record["operationId"]
        if kind == "paused":
            self.paused[operation] = record["sequence"]
        elif kind == "voted" and record["result"] == "counted" and record["detail"].get("choice") == "Resume":
            self.votes[operation] = record["sequence"], record["actor"]
        elif kind == "resumed":
            return self._resumed(record)
        return ""

    def _resumed(self, record: dict[str, Any]) -> str:
        pause = self.paused.get(f"paused:{record['operationId'].removeprefix('resumed:')}")
        vote = self.votes.get(str(record["detail"].get("vote")))
        if pause is None:
            return "acts were resumed that were not paused"
        if vote is None or vote[0] < pause or vote[1] != record["actor"]:
            return "acts were resumed without a counted vote of that person after the pause"
        return ""
