"""The ledger's record: what it holds, how it is hashed, how the chains are made.

A record names the one before it twice: by hash in the whole ledger, by sequence among the records of its request, so
that an index which leaves one out is found. The signature is made over the hash, so it covers both.

`finops audit verify` does not import this module: the verifier is written apart from the writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from finops.domain.canonical import Json, sha256_hex

LOSS_ACCEPTED: Final = "accepted"
"""Result of the checkpoint record by which an administrator's acceptance of lost records takes effect."""
GENESIS_HASH: Final = "0" * 64
"""`previousHash` of record 1."""


class RecordKind(StrEnum):
    """What a record is about.

    `acquired`: a process took the lease; the first record under its fence. `corrected`: an earlier record, named by
    sequence and hash, repeats another one and counts for nothing. `protected`: since when the admission policies are in
    force as they are. `acts paused`: an act failed, and others of its kind and policy wait; `acts resumed`: a person
    ended that.
    `snoozed`: a resource is not asked about before a date; `woken`: a person ended that before it. `act denied`: an
    act on a resource is not asked for again before a date. `watched`: what was found in the hours after an act.
    """

    PROPOSED = "proposed"
    POSTED = "posted"
    VOTED = "voted"
    DECIDED = "decided"
    INTENT = "intent"
    OUTCOME = "outcome"
    VERIFIED = "verified"
    UNDONE = "undone"
    FROZEN = "frozen"
    POLICY_CHANGED = "policy changed"
    CHECKPOINT = "checkpoint"
    KEY_CHANGED = "key changed"
    ACQUIRED = "acquired"
    CORRECTED = "corrected"
    PROTECTED = "protected"
    PAUSED = "acts paused"
    RESUMED = "acts resumed"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    ACT_DENIED = "act denied"
    WATCHED = "watched"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a writer wants recorded; sequence, previous hash and time are added by the ledger.

    Attributes:
        operation_id: makes the append idempotent: `request uid:kind:step:attempt` or alike; the same id appends once.
        actor: who caused it: `operator`, a voter's handle, `slack.U0123`.
        request: ActionRequest `namespace/name/uid`, empty for records about no request.
        step, attempt: position inside an execution; empty and 0 elsewhere.
        kind: RecordKind value.
        plan_hash: hash of the plan concerned, empty when none.
        result: one word: `ok`, `rejected`, `unknown`, `recovered`, `counted`, `refused`, a state name.
        detail: allow-listed facts, JSON without floats; never secrets.
    """

    operation_id: str
    actor: str
    kind: RecordKind
    request: str = ""
    step: str = ""
    attempt: int = 0
    plan_hash: str = ""
    result: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the ledger as stored in both sinks.

    Attributes:
        request_previous: sequence of the record before this one that is about the same request, 0 for its first and for
            records about no request.
        key: id of the key that signed it.
        signature: Ed25519 signature over the hash, in hexadecimal; the only part that the hash does not cover.
    """

    sequence: int
    previous_hash: str
    time: datetime
    fence: int
    entry: Entry
    request_previous: int = 0
    key: str = ""
    signature: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return the canonical document whose SHA-256 is the record's hash."""
        entry = self.entry
        return {
            "sequence": self.sequence,
            "previousHash": self.previous_hash,
            "time": self.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "actor": entry.actor,
            "request": entry.request,
            "step": entry.step,
            "attempt": entry.attempt,
            "kind": entry.kind.value,
            "planHash": entry.plan_hash,
            "fence": self.fence,
            "result": entry.result,
            "detail": dict(entry.detail),
            "operationId": entry.operation_id,
            "requestPrevious": self.request_previous,
            "key": self.key,
        }

    @property
    def hash(self) -> str:
        return sha256_hex(self.to_json())


def record_from_json(document: Mapping[str, Json], signature: str = "") -> Record:
    """Rebuild a record from its document and the signature that stood beside it.

    Raises:
        KeyError, ValueError, TypeError: the document is not a record.
    """
    detail = document["detail"]
    if not isinstance(detail, Mapping):
        raise TypeError("detail must be an object")
    return Record(
        sequence=int(str(document["sequence"])),
        previous_hash=str(document["previousHash"]),
        time=datetime.fromisoformat(str(document["time"])),
        fence=int(str(document["fence"])),
        entry=Entry(
            operation_id=str(document["operationId"]),
            actor=str(document["actor"]),
            kind=RecordKind(str(document["kind"])),
            request=str(document["request"]),
            step=str(document["step"]),
            attempt=int(str(document["attempt"])),
            plan_hash=str(document["planHash"]),
            result=str(document["result"]),
            detail=dict(detail),
        ),
        request_previous=int(str(document["requestPrevious"])),
        key=str(document["key"]),
        signature=signature,
    )


def is_loss(record: Record) -> bool:
    """Return whether the record says that records before it were lost, and that an administrator accepted it."""
    return record.entry.kind is RecordKind.CHECKPOINT and record.entry.result == LOSS_ACCEPTED


def request_uid(request: str) -> str:
    """Return the uid in a record's `request` field (`namespace/name/uid`), empty for records about no request."""
    return request.rpartition("/")[2]
