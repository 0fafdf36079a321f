"""An act that people denied is not asked for again for a while, also when its request is deleted with its namespace.

While the request exists, `finops_operator.rules.candidates` finds the denial in its status. Afterwards the ledger
has it.

| operation id | kind | result | detail |
|---|---|---|---|
| `act denied:DIGEST:N` | act denied | denied | resource, action, dryRun, until |

DIGEST is the SHA-256 of ARN, action and whether it was a dry run, 32 digits of it. The namespace is no part of it: what
one policy's people denied is not asked for by another one either, as long as the request exists or not. Written by the
decider right before the decision Denied; read by the proposer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import State, Vote
from finops.ports.ledger import Ledger
from finops_operator.decisions.series import Numbers
from finops_operator.rules.candidates import QUIET_AFTER
from finops_operator.rules.votes import request_reference

_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Denials:
    """Denials in the ledger. Each method raises LedgerUnavailable, LedgerDiverged; `record` FenceLost too."""

    ledger: Ledger

    def why(self, arn: str, action: str, now: datetime, *, dry_run: bool) -> str:
        """Return why an act is not asked for now in a sentence, empty when no denial stands against it."""
        denied = self._of(arn, action, dry_run=dry_run)
        last = denied.get(denied.last())
        if last is None or _until(last) <= now:
            return ""
        entry = last.entry
        request = entry.request.rpartition("/")[0]
        return f"{entry.actor} denied the same act in {request}; it is asked again on {_until(last):%Y-%m-%d}."

    def record(self, request: ActionRequest, vote: Vote, now: datetime) -> None:
        """Record that the act of a request is denied, once per request; that of an undo is no denial of the act."""
        if request.spec.undoes is not None:
            return
        records = self.ledger.of_request(request.metadata.uid or "")
        if any(one.entry.kind is RecordKind.ACT_DENIED for one in records):
            return
        spec = request.spec
        self._of(spec.resource.arn, spec.action, dry_run=spec.dry_run).add(
            Entry(
                operation_id="",
                actor=vote.voter.handle,
                kind=RecordKind.ACT_DENIED,
                request=request_reference(request),
                plan_hash=spec.plan_hash,
                result="denied",
                detail={
                    "resource": spec.resource.arn,
                    "action": spec.action,
                    "dryRun": spec.dry_run,
                    "until": (now + QUIET_AFTER[State.DENIED]).isoformat(),
                },
            )
        )

    def _of(self, arn: str, action: str, *, dry_run: bool) -> Numbers:
        # Neither an ARN nor an action has a line break, so no two acts make one text.
        subject = f"{arn}\n{action}\n{'dry run' if dry_run else 'act'}"
        digest = hashlib.sha256(subject.encode()).hexdigest()[:_DIGITS]
        return Numbers(self.ledger, RecordKind.ACT_DENIED, digest)


def _until(record: Record) -> datetime:
    return datetime.fromisoformat(str(record.entry.detail["until"]))
