"""What this process has read of the ledger itself, so that a store which shows something else later is found out.

Used by `finops.ledger.durable` alone. The store's indexes and its stream are only believed as far as they agree with
it: a record that was read once cannot be hidden, moved or replaced, and a key that was replaced signs nothing more.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

from finops.domain.audit import Record, RecordKind, request_uid
from finops.errors import LedgerDiverged
from finops.ledger.growth import Growth
from finops.ledger.unfinished import Unfinished
from finops.store.ledger import Head

WROTE: Final = "somebody wrote to the store: compare both sinks with `finops audit verify`"


@dataclass(slots=True)
class KnownRecords:
    """How far the ledger is known: its end, the last record of each request, and every operation up to there.

    Attributes:
        key: which signed the last record.
        last: uid of a request → sequence of its last record.
        replaced: id of a key that was replaced → sequence of the record that says so.
        salt: key of the hashes in `operations`: whoever chooses an operation id cannot choose its hash.
        operations: operation id → its record, 8 bytes of a hash each: a ledger may have hundreds of thousands.
    """

    head: Head = field(default_factory=Head)
    key: str = ""
    last: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    growth: Growth = field(default_factory=Growth)
    unfinished: Unfinished = field(default_factory=Unfinished)
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    operations: dict[int, int] = field(default_factory=dict)

    def has(self, operation_id: str) -> bool:
        """Return whether the operation was recorded."""
        return self._short(operation_id) in self.operations

    def learn(self, record: Record) -> None:
        """Take in the next record.

        Raises:
            LedgerDiverged: it does not follow what is known.
        """
        head, uid, digest = self.head, request_uid(record.entry.request), record.hash
        before = self.last.get(uid, 0) if uid else 0
        if record.sequence != head.sequence + 1 or record.previous_hash != head.hash:
            raise LedgerDiverged(f"record {record.sequence} does not continue the ledger after record {head.sequence}")
        if record.request_previous != before:
            raise LedgerDiverged(f"record {record.sequence} does not follow record {before} of its request")
        operation = record.entry.operation_id
        if self.has(operation):
            raise LedgerDiverged(f"record {record.sequence} repeats operation {operation}", hint=WROTE)
        self._learn_key(record)
        # Others read meanwhile without a lock: a record is known before the head says so.
        self.operations[self._short(operation)] = self._short(digest)
        if uid:
            self.last[uid] = record.sequence
        self.growth.learn(record, digest)
        self.unfinished.learn(record)
        self.head = Head(record.sequence, digest, max(head.fence, record.fence))

    def check(self, record: Record, shown_by: str = "the store") -> None:
        """Refuse a record that a sink shows, when another one was read in its place or a replaced key signed it.

        Raises:
            LedgerDiverged: the sink shows what was never written so.
        """
        if record.sequence > self.head.sequence:
            self.check_key(record.key, record.sequence)
        elif self.operations.get(self._short(record.entry.operation_id)) != self._short(record.hash):
            raise LedgerDiverged(
                f"record {record.sequence} in {shown_by} is not the one that was read before", hint=WROTE
            )

    def _short(self, text: str) -> int:
        content = text.encode("utf-8", errors="surrogatepass")
        return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=self.salt).digest(), "big")

    def check_key(self, key: str, sequence: int) -> None:
        """Refuse a signature made after its key was replaced. Raises LedgerDiverged."""
        if key in self.replaced:
            raise LedgerDiverged(
                f"record {sequence} is signed by key {key}, which was replaced at record {self.replaced[key]}",
                hint="somebody has the old key, or it was put back: make a new key, never use an old one again",
            )

    def _learn_key(self, record: Record) -> None:
        """A key may be followed by another one only where a record says so, and never comes back."""
        self.check_key(record.key, record.sequence)
        if self.key not in {"", record.key}:
            entry = record.entry
            if entry.kind is not RecordKind.KEY_CHANGED or entry.detail != {"from": self.key, "to": record.key}:
                raise LedgerDiverged(
                    f"record {record.sequence} is signed by key {record.key}, and no record says that it follows "
                    f"key {self.key}",
                    hint=WROTE,
                )
            self.replaced[self.key] = record.sequence
        self.key = record.key
