"""A resource that an approver snoozed is not asked about before the date, by any policy of the namespace.

Whatever the action. Read from the ledger before each proposal, so it holds when the request is deleted and after a
restart. It holds as long as the policy that snoozed exists: without it nobody could end it before its date.

| operation id | kind | result | detail |
|---|---|---|---|
| `snoozed:DIGEST:N` | snoozed | snoozed | resource, policy, policyUid, until, reason |
| `woken:DIGEST:N` | woken | woken | resource, vote, reason; all snoozes up to N end |

DIGEST is the SHA-256 of namespace and ARN, 32 digits of it: one tenant's snooze is not the other's. Written by the
decider, right before the decision Snoozed and when a person ends it; read by the proposer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from finops.crds.action_request import ActionRequest
from finops.crds.scan_policy import ScanPolicy
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import Vote
from finops.ports.ledger import Ledger
from finops_operator.decisions.series import Series
from finops_operator.rules.votes import request_reference

_DIGITS: Final = 32

PolicyByName: TypeAlias = Callable[[str, str], ScanPolicy | None]
"""From namespace and name to the policy as it is now, None when it is gone. Raises ClusterUnavailable, Refused."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """One snooze in force.

    Attributes:
        number: its place among those of the resource.
        policy: the one that snoozed, as it is now.
    """

    record: Record
    number: int
    until: datetime
    policy: ScanPolicy

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
                f"To end it before: finops wake {name} -n {namespace} --reason WHY",
            )
            if part
        )


@dataclass(frozen=True, slots=True)
class Snoozes:
    """Snoozes in the ledger.

    Each method raises LedgerUnavailable, LedgerDiverged; those that write FenceLost too; `in_force` and `end` also what
    `policy_of` raises.
    """

    ledger: Ledger
    policy_of: PolicyByName

    def in_force(self, namespace: str, arn: str, now: datetime) -> tuple[Snooze, ...]:
        """Return the snoozes of a resource in a namespace, that which ends last first; empty: it may be asked about."""
        found = []
        for one in self._of(namespace, arn).in_force():
            until, policy = _until(one.record), None
            if until > now:
                policy = self._policy(namespace, one.record)
            if policy is not None:
                found.append(Snooze(one.record, one.number, until, policy))
        return tuple(sorted(found, key=lambda snooze: snooze.until, reverse=True))

    def begin(self, request: ActionRequest, policy: ScanPolicy, vote: Vote, until: datetime) -> None:
        """Record that the resource of a request is snoozed by its policy; once per request."""
        records = self.ledger.of_request(request.metadata.uid or "")
        if any(one.entry.kind is RecordKind.SNOOZED for one in records):
            return
        arn = request.spec.resource.arn
        self._of(request.metadata.namespace or "", arn).begin(
            Entry(
                operation_id="",
                actor=vote.voter.handle,
                kind=RecordKind.SNOOZED,
                request=request_reference(request),
                plan_hash=request.spec.plan_hash,
                result="snoozed",
                detail={
                    "resource": arn,
                    "policy": policy.metadata.name,
                    "policyUid": policy.metadata.uid or "",
                    "until": until.isoformat(),
                    "reason": vote.reason,
                },
            )
        )

    def end(self, request: ActionRequest, vote: Vote, recorded: Record, now: datetime) -> None:
        """Record that a person ended the snoozes that were in force when their vote was counted; may be repeated."""
        namespace, arn = request.metadata.namespace or "", request.spec.resource.arn
        covered = [one for one in self.in_force(namespace, arn, now) if one.record.sequence < recorded.sequence]
        if not covered:
            return
        last = max(covered, key=lambda one: one.number)
        self._of(namespace, arn).end(
            last.number,
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

    def _policy(self, namespace: str, record: Record) -> ScanPolicy | None:
        """Return the policy that snoozed if it still exists: one made anew under its name never snoozed anything."""
        detail = record.entry.detail
        found = self.policy_of(namespace, str(detail["policy"]))
        return found if found is not None and found.metadata.uid == detail["policyUid"] else None

    def _of(self, namespace: str, arn: str) -> Series:
        # A namespace has no line break, so no two pairs make one text.
        digest = hashlib.sha256(f"{namespace}\n{arn}".encode()).hexdigest()[:_DIGITS]
        return Series(self.ledger, RecordKind.SNOOZED, RecordKind.WOKEN, digest)


def _until(record: Record) -> datetime:
    return datetime.fromisoformat(str(record.entry.detail["until"]))
