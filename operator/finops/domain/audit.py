"""The ledger's record: what it holds, how it is hashed, how the chain is made. The format is final.

`finops audit verify` does not import this module: the verifier is written apart from the writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from finops.domain.canonical import Json, sha256_hex

GENESIS_HASH: Final = "0" * 64
"""`previousHash` of record 1."""


class RecordKind(StrEnum):
    """What a record tells."""

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
    """One line of the ledger as stored in both sinks."""

    sequence: int
    previous_hash: str
    time: datetime
    fence: int
    entry: Entry

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
        }

    @property
    def hash(self) -> str:
        return sha256_hex(self.to_json())


def record_from_json(document: Mapping[str, Json]) -> Record:
    """Rebuild a record from its document.

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
    )
