"""The status of an ActionRequest: state, votes, execution, outcome, and the rules its history obeys.

Written by the operator alone. The rules stand at the root of the schema, because rules below `status` are not asked
when `status` is removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field

from finops.crds.conditions import Conditions
from finops.crds.part import Part
from finops.crds.rule import Rule, key_rule
from finops.crds.values import Money, ObjectName, Sentence, Time
from finops.domain.decision import TERMINAL, State

APPROVED = "Approved"
DENIED = "Denied"
"""Types of the two conditions that record a decision."""

LONGEST_VALUE: Final = 512
"""Characters of a value of an outcome."""
Values = Annotated[
    Mapping[str, Annotated[str, Field(max_length=LONGEST_VALUE)]],
    Field(default_factory=dict, max_length=32),
    key_rule(
        "[A-Za-z][A-Za-z0-9_.]{0,63}", "has a key with unexpected characters", "use letters, digits, _ and . only"
    ),
]


class Votes(Part):
    """The votes that count."""

    approve: int = Field(default=0, ge=0, le=1000, description="People who approve. Default: 0.")
    deny: int = Field(default=0, ge=0, le=1000, description="People who deny. Default: 0.")
    required: int = Field(ge=1, le=10, description="People who must approve.")
    summary: str = Field(default="", max_length=16, description="Approving of required, for the VOTES column: 1/2.")

    @classmethod
    def of(cls, *, approve: int, deny: int, required: int) -> Self:
        """The votes with their summary."""
        return cls(approve=approve, deny=deny, required=required, summary=f"{approve}/{required}")


class Execution(Part):
    """Where the act is."""

    step: str = Field(default="", max_length=63, description="The step that runs or ran last.")
    attempt: int = Field(default=0, ge=0, le=10_000, description="Attempts at this step, from 1. Default: 0, none yet.")
    started_at: Time | None = Field(default=None, description="When the act started.")
    ledger_sequence: int | None = Field(
        default=None, ge=0, le=2**53, description="Sequence of the act's last record in the ledger."
    )
    ledger_hash: str | None = Field(
        default=None,
        max_length=64,
        description="Hash of the record that ended the act: it names all records before it, so a ledger without it was "
        "cut or rewritten.",
    )
    checkpoint_size: int | None = Field(
        default=None, ge=1, le=2**53, description="Records of the ledger that checkpointRoot stands for."
    )
    checkpoint_root: str | None = Field(
        default=None,
        max_length=64,
        description="Root of the RFC 9162 tree over these records when the act had ended, in hexadecimal: a ledger in "
        "which one of them is missing or another one has another root.",
    )


class Outcome(Part):
    """How the act ended."""

    before: Values = Field(description="What was changed, as it was.")
    after: Values = Field(description="What was changed, as AWS reports it now.")
    monthly_savings: Money | None = Field(default=None, description="What is saved a month, in US dollars.")
    error: Sentence | None = Field(default=None, description="What went wrong, or what it waits for.")
    message: Sentence | None = Field(
        default=None,
        description="How it ended: why, what the resource is like now, and what a person can do next.",
    )


class UndoStatus(Part):
    """Whether and until when the act can be undone, and what became of it when somebody asked."""

    until: Time | None = Field(
        default=None, description="Until when approvers can ask for it. Default: absent, not by the operator."
    )
    answered: ObjectName | None = Field(
        default=None, description="The Approval with which it was asked for last, once answered. Default: absent."
    )
    request: ObjectName | None = Field(
        default=None, description="The latest request that undoes the act. Default: absent, none was made."
    )
    state: State | None = Field(
        default=None, description="The state in which that request ended. Default: absent, it has not."
    )
    message: Sentence | None = Field(default=None, description="What became of it, in a sentence. Default: absent.")

    @property
    def is_open(self) -> bool:
        """Whether a request to undo the act waits or runs."""
        return self.request is not None and self.state is None

    @property
    def is_done(self) -> bool:
        """Whether the act was undone."""
        return self.state is State.SUCCEEDED


class WatchState(StrEnum):
    """What the hours after an act have shown."""

    WATCHING = "Watching"
    WELL = "Well"
    WORSE = "Worse"
    UNKNOWN = "Unknown"


class WatchStatus(Part):
    """What is found in the hours after the act; made of the ledger's records."""

    state: WatchState = Field(
        description="Watching, and nothing bad was found; Worse as soon as something is; at the end Well, or Unknown "
        "when something could not be read."
    )
    until: Time = Field(description="Until when the act is watched.")
    worse: Sentence | None = Field(default=None, description="What became worse, found first. Default: absent.")
    message: Sentence | None = Field(default=None, description="What was found at the end. Default: absent.")


class ActionRequestStatus(Part):
    """The story of the act."""

    state: State | None = Field(
        default=None, description="Where the act stands. Absent until the operator has taken it in."
    )
    conditions: Conditions = Field(
        default=(),
        description="Approved or Denied once decided, never both, never changed. ActsPaused when an act of this action "
        "and policy failed: True while this one, or those behind it, wait for a person to resume them.",
    )
    votes: Votes | None = Field(default=None, description="The votes that count.")
    decided_at: Time | None = Field(default=None, description="When it was decided.")
    scheduled_for: Time | None = Field(default=None, description="When the act may start.")
    first_of_kind: bool | None = Field(
        default=None,
        description="Whether it is the first act of its action and policy, for which the others wait until it is "
        "verified (actions.canary). Default: absent, none waits for it.",
    )
    execution: Execution | None = Field(default=None, description="Where the act is.")
    outcome: Outcome | None = Field(default=None, description="How the act ended.")
    undo: UndoStatus | None = Field(
        default=None, description="How the act can be undone. Default: absent, it has not succeeded."
    )
    watch: WatchStatus | None = Field(
        default=None, description="What is found in the hours after the act. Default: absent, it is not watched."
    )
    fence: int | None = Field(
        default=None, ge=0, le=2**53, description="Fencing token of the writer; a lower one is refused."
    )

    @property
    def is_undone(self) -> bool:
        """Whether the act was undone: what it saved has ended."""
        return self.undo is not None and self.undo.is_done


_DECIDED = "filter(one, one.type in ['Approved', 'Denied'])"
_TERMINAL = ", ".join(f"'{state}'" for state in State if state in TERMINAL)

STATUS_RULES = (
    Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.conditions) || "
        f"oldSelf.status.conditions.{_DECIDED}.all(old, "
        "has(self.status) && has(self.status.conditions) && self.status.conditions.exists(new, "
        "new.type == old.type && new.status == old.status && new.reason == old.reason && "
        "new.lastTransitionTime == old.lastTransitionTime))",
        "changes or removes a decision",
        "conditions Approved and Denied stay as they were set",
    ),
    Rule(
        f"!has(self.status) || !has(self.status.conditions) || self.status.conditions.{_DECIDED}.size() <= 1",
        "is both Approved and Denied",
        "set one of the two conditions",
        lambda request: sum(one.type in {APPROVED, DENIED} for one in request.status.conditions) <= 1,
    ),
    Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.fence) || "
        "(has(self.status) && has(self.status.fence) && self.status.fence >= oldSelf.status.fence)",
        "has a lower fence than before",
        "another operator took over: read the object again and stop writing",
    ),
    Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.state) || "
        f"!(oldSelf.status.state in [{_TERMINAL}]) || "
        "(has(self.status) && has(self.status.state) && self.status.state == oldSelf.status.state)",
        "leaves a state that is final",
        "a finished request stays as it ended: wait for a new one",
    ),
)
