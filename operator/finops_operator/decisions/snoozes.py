"""A resource that an approver snoozed is not asked about before the date, by any policy, whatever the action.

Read from the ledger before each proposal, so it holds when the request is deleted and after a restart.

| operation id | kind | result | detail |
|---|---|---|---|
| `snoozed:DIGEST:N` | snoozed | snoozed | resource, until, reason; DIGEST is the SHA-256 of the ARN, 32 digits of it |
| `woken:DIGEST:N` | woken | woken | resource, vote, reason; all snoozes up to N end |

Written by the decider, right before the decision Snoozed and when a person ends it; read by the proposer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import Vote
from finops.ports.ledger import Ledger
from finops_operator.decisions.series import Series
from finops_operator.rules.votes import request_reference

_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Snooze:
    """One snooze in force."""

    record: Record
    until: datetime

    @property
    def request(self) -> str:
        """`namespace/name` of the request that was snoozed."""
        return self.record.entry.request.rpartition("/")[0]

    @property
    def uid(self) -> str:
        return self.record.entry.request.rpartition("/")[2]

    @property
    def sentence(self) -> str:
        """Why the resource is not asked about now, and what ends that."""
        who, reason = self.record.entry.actor, str(self.record.entry.detail["reason"]).strip()
        namespace, _, name = self.request.partition("/")
        return " ".join(
            part
            for part in (
                f"Snoozed until {self.until:%Y-%m-%d %H:%M} UTC by {who} ({self.request}).",
                reason,
                f"To end it before: finops wake {name} -n {namespace}",
            )
            if part
        )


@dataclass(frozen=True, slots=True)
class Snoozes:
    """Snoozes in the ledger. Each method raises LedgerUnavailable, LedgerDiverged; those that write FenceLost too."""

    ledger: Ledger

    def in_force(self, arn: str, now: datetime) -> Snooze | None:
        """Return the snooze of a resource that ends last, None when it may be asked about."""
        found = (Snooze(one.record, _until(one.record)) for one in self._of(arn).in_force())
        return max((one for one in found if one.until > now), key=lambda one: one.until, default=None)

    def begin(self, request: ActionRequest, vote: Vote, until: datetime) -> None:
        """Record that the resource of a request is snoozed; once per request."""
        records = self.ledger.of_request(request.metadata.uid or "")
        if any(one.entry.kind is RecordKind.SNOOZED for one in records):
            return
        arn = request.spec.resource.arn
        self._of(arn).begin(
            Entry(
                operation_id="",
                actor=vote.voter.handle,
                kind=RecordKind.SNOOZED,
                request=request_reference(request),
                plan_hash=request.spec.plan_hash,
                result="snoozed",
                detail={"resource": arn, "until": until.isoformat(), "reason": vote.reason},
            )
        )

    def end(self, request: ActionRequest, vote: Vote, recorded: Record) -> None:
        """Record that a person ended the snoozes that were in force when their vote was counted; may be repeated."""
        arn = request.spec.resource.arn
        series = self._of(arn)
        last = next((one for one in series.in_force() if one.record.sequence < recorded.sequence), None)
        if last is None:
            return
        series.end(
            last,
            Entry(
                operation_id="",
                actor=vote.voter.handle,
                kind=RecordKind.WOKEN,
                request=last.record.entry.request,
                plan_hash=last.record.entry.plan_hash,
                result="woken",
                detail={"resource": arn, "vote": recorded.entry.operation_id, "reason": vote.reason},
            ),
        )

    def _of(self, arn: str) -> Series:
        digest = hashlib.sha256(arn.encode()).hexdigest()[:_DIGITS]
        return Series(self.ledger, RecordKind.SNOOZED, RecordKind.WOKEN, digest)


def _until(record: Record) -> datetime:
    return datetime.fromisoformat(str(record.entry.detail["until"]))
