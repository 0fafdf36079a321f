"""Compares the ledger with the checkpoint that is kept outside its sinks, and keeps that checkpoint up to date.

Sinks that agree with each other prove nothing when one person owns both: cut at the same place, deleted or replaced
together, they are a ledger in good order. What was anchored elsewhere has to be in them. The comparison is made before
the first record under a new fence and again before the file is brought up to the stream, so that what was found stays
as it was found.

A loss is never accepted by itself. An administrator who knows what happened names exactly what is left (`SIZE HEAD`);
the acceptance becomes a record that quotes the checkpoint which no longer holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from finops.domain.audit import GENESIS_HASH, LOSS_ACCEPTED, Entry, RecordKind
from finops.domain.canonical import Json
from finops.errors import LedgerDiverged
from finops.ledger.checkpoint import Checkpoint, parse_checkpoint
from finops.ledger.known_records import KnownRecords
from finops.ledger.signing import Keyring
from finops.ports.anchor import Anchored, Witness
from finops.ports.clock import Clock
from finops.store.ledger import LedgerStream

EVERY_RECORDS: Final = 100
EVERY_SECONDS: Final = 60.0
FIRST: Final = "first"
MADE: Final = "made"

_BEFORE_THE_FIRST: Final = 2
"""Records of a new ledger when it is anchored for the first time: the lease was acquired, perhaps a key changed."""

_AROUND_A_START: Final = frozenset({RecordKind.ACQUIRED, RecordKind.KEY_CHANGED, RecordKind.CHECKPOINT})
"""Kinds that the operator itself appends between an acceptance and the moment it counts."""


@dataclass(frozen=True, slots=True)
class _Loss:
    """What an administrator accepted: why the ledger did not fit, and what had been anchored."""

    problem: str
    accepted: str
    before: tuple[Checkpoint, ...]


class Anchor:
    """The checkpoint outside of the sinks. Used by the ledger under its lock, except for `write`.

    Attributes:
        covered: how many records the checkpoints cover that `check` found last.
    """

    def __init__(self, witness: Witness, keys: Keyring, clock: Clock) -> None:
        self._witness = witness
        self._keys = keys
        self._clock = clock
        self._loss: _Loss | None = None
        self._size = 0
        self.covered = 0
        self._at: float | None = None

    @property
    def size(self) -> int:
        """How many records the checkpoint covers that this process anchored last."""
        return self._size

    def check(self, known: KnownRecords, stream: LedgerStream, ends: Mapping[str, int]) -> None:
        """Refuse a ledger that does not continue what was anchored.

        Args:
            known: the ledger as it was read to its end.
            stream: the first sink.
            ends: title of each sink that can be read back, and the sequence at which it ends; empty when that is not
                known yet, or when there is none.

        Raises:
            LedgerDiverged: records are missing or are others than they were.
            ClusterUnavailable, Refused: the anchor cannot be read.
            LedgerUnavailable: the stream does not answer.
        """
        before, self._loss = self._loss, None
        anchored = self._witness.read()
        self.covered = max((one.size for one in self._readable(anchored)), default=0)
        try:
            self._compare(anchored, known, stream, ends)
        except LedgerDiverged as error:
            if not _is_accepted(anchored.accepted, known, stream):
                left = f"{known.head.sequence} {known.head.hash}"
                hint = (
                    "compare store and file with `finops audit verify --checkpoint`, and restore what is missing; only "
                    f"if it cannot be restored, accept what is left: {self._witness.how_to_accept(left)}"
                )
                raise LedgerDiverged(error.message, hint=hint) from error
            # What was found first is what was lost; the records of this start change how it appears.
            same = before is not None and before.accepted == anchored.accepted
            self._loss = before if same else _Loss(error.message, anchored.accepted, self._readable(anchored))

    def _compare(self, anchored: Anchored, known: KnownRecords, stream: LedgerStream, ends: Mapping[str, int]) -> None:
        if not anchored.checkpoints and known.growth.checkpointed:
            raise LedgerDiverged(
                f"record {known.growth.checkpointed} of the ledger is a checkpoint, but none is anchored any more: "
                "somebody removed the anchor"
            )
        for place, text in anchored.checkpoints.items():
            try:
                checkpoint = self._signed(text, known)
                _compare(checkpoint, known, stream, ends)
            except LedgerDiverged as error:
                raise LedgerDiverged(f"{error.message} (checkpoint in {place})") from error

    def _signed(self, text: str, known: KnownRecords) -> Checkpoint:
        checkpoint = parse_checkpoint(text)
        checkpoint.check(self._keys)
        replaced = known.replaced.get(checkpoint.key)
        if replaced is not None and checkpoint.size >= replaced:
            raise LedgerDiverged(
                f"a checkpoint of {checkpoint.size} records is signed by key {checkpoint.key}, which was replaced at "
                f"record {replaced}"
            )
        return checkpoint

    def _readable(self, anchored: Anchored) -> tuple[Checkpoint, ...]:
        found = []
        for text in anchored.checkpoints.values():
            try:
                checkpoint = parse_checkpoint(text)
                checkpoint.check(self._keys)
            except LedgerDiverged:
                # What nobody trusted has signed may be anything: it is no part of the record.
                continue
            found.append(checkpoint)
        return tuple(found)

    def accepted_loss(self) -> Entry | None:
        """Return the record of a loss that `check` found accepted, None when it found none."""
        if self._loss is None:
            return None
        before: list[Json] = [one.to_json() for one in self._loss.before]
        return Entry(
            operation_id=f"checkpoint:{LOSS_ACCEPTED}:{self._loss.accepted}",
            actor="operator",
            kind=RecordKind.CHECKPOINT,
            result=LOSS_ACCEPTED,
            detail={"accepted": self._loss.accepted, "problem": self._loss.problem, "anchored": before},
        )

    def due(self, known: KnownRecords, sinks: int, *, at_once: bool = False) -> Checkpoint | None:
        """Return the checkpoint to anchor now: after a record that decides, 100 records or 60 seconds.

        Args:
            known: the ledger as far as it is durable in all sinks.
            sinks: how many these are.
            at_once: make one wherever the ledger stands.
        """
        head, growth = known.head, known.growth
        fresh = head.sequence - self._size
        late = self._at is None or self._clock.monotonic() - self._at >= EVERY_SECONDS
        wanted = growth.urgent > self._size or fresh >= EVERY_RECORDS or (fresh > 0 and late)
        if not head.sequence or not (wanted or at_once):
            return None
        bare = Checkpoint(head.sequence, growth.tree.root().hex(), head.hash, self._clock.now(), sinks)
        return bare.signed_by(self._keys)

    def write(self, checkpoint: Checkpoint) -> None:
        """Anchor a checkpoint. Raises as `finops.ports.anchor.Witness.write`."""
        self._witness.write(checkpoint.text)
        self._size, self._at = checkpoint.size, self._clock.monotonic()

    def announce(self, entry: Entry) -> None:
        """Let administrators know of a record about the anchor that concerns them."""
        size = str(entry.detail.get("size", "0"))
        if entry.result == LOSS_ACCEPTED:
            self._witness.announce(
                f"A loss of the ledger was accepted and recorded. What had been found: {entry.detail['problem']}."
            )
        elif entry.result == FIRST and int(size) > _BEFORE_THE_FIRST:
            self._witness.announce(
                f"The ledger has its first checkpoint outside of store and file. It covers the {size} records that "
                "were there; whether any had been cut off before, it cannot show: compare with a head noted earlier "
                "(finops audit verify --expected-head)."
            )


def record_of(checkpoint: Checkpoint, known: KnownRecords) -> Entry | None:
    """Return the ledger's own record of a checkpoint: of its first one, and then of one in a hundred records.

    From the first one on a ledger without an anchor is one whose anchor was removed.
    """
    before = known.growth.checkpointed
    if before and checkpoint.size - before < EVERY_RECORDS:
        return None
    return Entry(
        operation_id=f"checkpoint:{checkpoint.size}",
        actor="operator",
        kind=RecordKind.CHECKPOINT,
        result=MADE if before else FIRST,
        detail=checkpoint.to_json(),
    )


def _compare(checkpoint: Checkpoint, known: KnownRecords, stream: LedgerStream, ends: Mapping[str, int]) -> None:
    """Refuse a ledger that does not hold what a checkpoint covers. Raises LedgerDiverged."""
    size, end = checkpoint.size, known.head.sequence
    when = checkpoint.time.isoformat(timespec="seconds")
    if size > end:
        raise LedgerDiverged(
            f"the ledger ends at record {end}, but had {size} records at {when}: its end was cut off, or store and "
            "file come from an older backup"
        )
    short = {title: last for title, last in ends.items() if last < size}
    # One that was added since may be short, but as many as had all records then, without the stream, have them now.
    if len(ends) - len(short) < min(checkpoint.sinks - 1, len(ends)):
        title, last = next(iter(short.items()))
        raise LedgerDiverged(
            f"{title} ends at record {last}, but had {size} records at {when}: it was cut, deleted or replaced"
        )
    record = stream.at(size)
    known.check(record)
    if record.hash != checkpoint.head:
        raise LedgerDiverged(
            f"record {size} is not the one that stood there at {when}: the ledger was rewritten, or is another one"
        )


def _is_accepted(accepted: str, known: KnownRecords, stream: LedgerStream) -> bool:
    """Return whether an administrator has accepted this ledger: it ends there, but for records of a start."""
    size, _, head = accepted.partition(" ")
    if not size.isdecimal() or int(size) > known.head.sequence:
        return False
    number = int(size)
    found = stream.at(number).hash if number else GENESIS_HASH
    return found == head and all(one.entry.kind in _AROUND_A_START for one in stream.read(number + 1))
