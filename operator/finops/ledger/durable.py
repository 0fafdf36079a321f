"""The ledger as everybody writes it: an append returns when the stream and a second sink both hold it durably.

Constructed once by the operator's composition (`open_ledger`); implements `finops.ports.ledger.Ledger`. The stream
gives the sequence, file and bucket follow in order. Without either the ledger still records proposals and votes, but
takes no intent: no second sink, no act.

The store is not trusted. Every record is signed; what is read from the stream is checked against the keys, against the
chain, and against our own note of every operation and of the last record of each request, so that a forged, changed or
hidden record is found instead of believed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from finops.domain.audit import Entry, Record, RecordKind, request_uid
from finops.domain.canonical import canonical_json
from finops.errors import Conflict, FenceLost, InvalidInput, LedgerDiverged, LedgerUnavailable
from finops.ledger.anchor import Anchor, record_of
from finops.ledger.bucket_sink import BucketSink
from finops.ledger.file_sink import FileSink
from finops.ledger.known_records import WROTE, KnownRecords
from finops.ledger.log_sink import LogSink
from finops.ledger.signing import Keyring
from finops.ledger.sinks import Sinks
from finops.ledger.state import BesideFile, InStore, Shelf
from finops.ledger.unfinished import begins_act
from finops.ports.anchor import Witness
from finops.ports.bucket import LockedBucket
from finops.ports.clock import Clock
from finops.ports.ledger import TreeHead
from finops.ports.sink import KeptSink
from finops.store.connection import Store
from finops.store.ledger import AppendResult, Head, LedgerStream

ACT_KINDS: Final = frozenset({RecordKind.INTENT, RecordKind.OUTCOME, RecordKind.VERIFIED, RecordKind.UNDONE})
"""Kinds that accompany a change in AWS: refused without a second sink."""

LARGEST_RECORD: Final = 256 * 1024
"""Bytes of a record's document. What people and the bot write is bounded far below this where it is taken in; it holds
for whatever else comes."""

_ATTEMPTS: Final = 5
_FEW_REQUESTS: Final = 500
"""From here on reading all records page by page is faster than reading those of each request."""


class DurableLedger:
    """Several sinks, one order. Thread-safe; see `finops.ports.ledger.Ledger` for what each method raises."""

    def __init__(
        self,
        stream: LedgerStream,
        kept: Sequence[KeptSink],
        *,
        keys: Keyring,
        clock: Clock,
        fence: Callable[[], int],
        passage: Callable[[str], None],
        anchor: Anchor | None = None,
        log: LogSink | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self._stream = stream
        self._sinks = Sinks(stream, kept, keys, anchor=anchor, log=log, shelf=shelf)
        self._keys = keys
        self._clock = clock
        self._fence = fence
        self._passage = passage
        self._lock = threading.RLock()

    @property
    def has_second_sink(self) -> bool:
        return bool(self._sinks.kept)

    @property
    def problem(self) -> str:
        """Why nothing may be acted upon: what the sinks disagree on. Empty while they agree."""
        return self._sinks.diverged

    def start(self, *, moved: Callable[[], None] = lambda: None, held: Callable[[], bool] = lambda: True) -> int:
        """Compare all sinks and copy what one lacks; returns the number of records copied.

        Called at every acquisition of the lease, and again by hand once a divergence was cleared up. `moved` is called
        with each record that is read: a medium that hangs in a read raises nothing. `held` says whether the lease is
        still ours, when something was found: another holder writes on meanwhile.

        Raises:
            FenceLost: it was not, so that what was found proves nothing.
            LedgerUnavailable: a sink does not answer.
            ClusterUnavailable, Refused: the anchor cannot be read or written.
            LedgerDiverged: a sink is ahead of the stream, is another one, or they do not continue what was anchored.
                Every later append raises it too.
        """
        with self._lock, _as_holder(self._sinks, held):
            self._sinks.moved = moved
            copied = self._sinks.reconcile()
            _record_key(self._sinks.followed(), self._keys.key, self.append)
            anchor = self._sinks.anchor
            loss = anchor.accepted_loss() if anchor is not None else None
            if anchor is not None and loss is not None:
                anchor.announce(self.append(loss).entry)
            self.keep_anchor(at_once=True)
            return copied

    def keep_anchor(self, *, at_once: bool = False) -> int:
        """Anchor a checkpoint outside of the sinks when one is due; returns how many records are anchored.

        Called every second or so while the lease is held, and `at_once` before it is given up. Gives the sinks that
        no append waits for what they lack. When no checkpoint is due it verifies another part of what the start did not
        read, and packs old records.

        Raises:
            FenceLost: this process does not hold the lease any more.
            ClusterUnavailable, Refused, LedgerUnavailable: not anchored; the next call tries again.
            LedgerDiverged: a sink was changed. Every later append raises it too.
        """
        self._sinks.bring_up()
        anchor = self._sinks.anchor
        if anchor is None:
            return 0
        with self._lock:
            known = self._sinks.durable()
            checkpoint = anchor.due(known, 1 + len(self._sinks.kept), at_once=at_once) if known is not None else None
            entry, picture = None, None
            if checkpoint is not None and known is not None:
                entry = record_of(checkpoint, known)
                picture = self._sinks.pictures.due(known, at_once=at_once)
        if checkpoint is None:
            self._sinks.tend()
        else:
            # Not under the lock: a slow API server must not keep an act from being recorded.
            anchor.write(checkpoint)
            self._stream.keep_checkpoint(checkpoint.text)
            if picture is not None:
                self._sinks.pictures.keep(picture)
            # After it is anchored: a ledger that holds a checkpoint is one that has an anchor.
            if entry is not None:
                anchor.announce(self.append(entry).entry)
        return anchor.size

    def claim(
        self, entry: Entry, *, moved: Callable[[], None] = lambda: None, held: Callable[[], bool] = lambda: True
    ) -> Record:
        """Append the first record under a new fence, to the stream alone; `start` copies it with what else is missing.

        `moved` and `held` as in `start`.

        Raises:
            LedgerUnavailable: the stream does not answer.
            ClusterUnavailable, Refused: the anchor cannot be read.
            LedgerDiverged: the stream is behind another sink, or does not continue what was anchored.
            FenceLost: another process has written with this fence, or with a later one.
        """
        with self._lock, _as_holder(self._sinks, held):
            self._sinks.moved, self._sinks.current = moved, False
            self._sinks.check_anchor()
            # A new key signs this record already: what it follows has to say so.
            _record_key(self._sinks.followed(), self._keys.key, lambda change: self._append_to_stream(change, None))
            record = self._append_to_stream(entry, None)
            if record.entry != entry:
                raise FenceLost(
                    f"fence {record.fence} is in use by {record.entry.detail.get('holder', 'another process')}"
                )
            return record

    def append(self, entry: Entry, *, after: int | None = None, unless: Sequence[str] = ()) -> Record:
        with self._lock:
            if self._sinks.diverged:
                raise LedgerDiverged(
                    self._sinks.diverged, hint="nothing is acted upon until a person has compared both sinks"
                )
            if not self._sinks.kept and entry.kind in ACT_KINDS:
                raise LedgerUnavailable(
                    "the ledger has one sink only, nothing can be acted upon",
                    code="NoSecondSink",
                    hint="set FINOPS_LEDGER_PATH (chart: ledger.persistence) or FINOPS_LEDGER_S3 (ledger.s3)",
                )
            record = self._append_to_stream(entry, after, unless)
            self._passage(f"ledger.{entry.kind.value}.after-stream")
            try:
                # What an act rests on is in every sink before its first call; then no slow one holds it half way.
                self._sinks.catch_up(record, everywhere=begins_act(entry))
            except LedgerDiverged as error:
                if _has_lost(self._fence, record):
                    self._sinks.diverged = ""
                    raise FenceLost(f"the lease was lost while record {record.sequence} was written") from error
                raise
            return record

    def find(self, operation_id: str) -> Record | None:
        known = self._sinks.known
        # Asked before reading: what is appended meanwhile may be shown or not.
        recorded = known is not None and known.has(operation_id)
        record = self._stream.find(operation_id)
        if record is None:
            if recorded:
                raise _hidden_operation(operation_id)
            return None
        return _shown(record, operation_id, self._sinks.known)

    def of_request(self, request_uid: str) -> tuple[Record, ...]:
        # Resolved before reading: what is appended meanwhile may be shown or not.
        known = self._sinks.known.last.get(request_uid, 0) if self._sinks.known is not None else 0
        found = self._stream.of_request(request_uid)
        last = 0
        for record in found:
            if record.request_previous != last or not record.entry.request.endswith(f"/{request_uid}"):
                hidden = f"the store hides records of request {request_uid} after record {last}"
                raise LedgerDiverged(hidden, hint=WROTE)
            if self._sinks.known is not None:
                self._sinks.known.check(record)
            last = record.sequence
        if last < known:
            raise LedgerDiverged(f"the store hides record {known} of request {request_uid}", hint=WROTE)
        return found

    def tree_head(self) -> TreeHead:
        with self._lock:
            known = self._sinks.durable()
            read = self._sinks.known
            if known is None and read is not None and read.head.sequence and not self._sinks.diverged:
                # A record whose append ended half way reaches the others here, when no other one follows it.
                self._sinks.catch_up(self._stream.at(read.head.sequence), everywhere=True)
                known = self._sinks.durable()
            if known is None:
                raise LedgerUnavailable("not every sink has all records of the ledger now")
            return TreeHead(known.head.sequence, known.growth.tree.root().hex())

    def read(self, start: int = 1) -> Iterator[Record]:
        return self._stream.read(start)

    def unfinished(self) -> Iterator[Record]:
        known = self._sinks.known
        if known is None or len(known.unfinished.requests) > _FEW_REQUESTS:
            # A take-over waits for it as long as for its own reading, and must not seem to stand still meanwhile.
            for record in self._stream.read():
                self._sinks.moved()
                yield record
            return
        found = {one.sequence: one for uid in known.unfinished.requests for one in self.of_request(uid)}
        for sequence in known.unfinished.notes.values():
            record = found[sequence] = self._stream.at(sequence)
            known.check(record)
        yield from (found[sequence] for sequence in sorted(found))

    def head(self) -> Head:
        """Return the stream's head; its fence is the highest that ever wrote: a new lease must start above it."""
        return self._stream.head()

    def _append_to_stream(self, entry: Entry, after: int | None, unless: Sequence[str] = ()) -> Record:
        failure: LedgerUnavailable | None = None
        read_again = False
        for _ in range(_ATTEMPTS):
            try:
                record = self._next_record(entry)
                recorded = self._sinks.followed().has(entry.operation_id)
                if not recorded and after not in {None, record.request_previous}:
                    # Our own note of it, once it is as new as the stream: the store's index need not be believed.
                    if read_again:
                        raise _changed(record, after, self._sinks.followed().head.fence)
                    read_again, self._sinks.current = True, False
                    continue
                if not recorded and any(self._sinks.followed().has(one) for one in unless):
                    # Our own note of it: the store's index need not be believed.
                    raise _forestalled(unless)
                answer = self._stream.append(record, after=after, unless=unless, recorded=recorded)
            except LedgerUnavailable as error:
                # Perhaps stored, perhaps not: the same operation id makes the next try show it.
                failure, self._sinks.current = error, False
                continue
            if answer.result is AppendResult.STORED:
                self._sinks.followed().learn(record)
                return record
            if answer.result is AppendResult.EXISTING:
                self._sinks.current = False
                return _shown(self._stream.at(answer.sequence), entry.operation_id, self._sinks.known)
            if answer.result is AppendResult.HIDDEN:
                raise _hidden_operation(entry.operation_id)
            if answer.result is AppendResult.FENCED:
                raise _fenced(record, answer.sequence)
            if answer.result is AppendResult.FORESTALLED:
                raise _forestalled(unless)
            if answer.result is AppendResult.CHANGED:
                raise _meanwhile(answer.sequence, after)
            self._sinks.current = False
        raise failure or LedgerUnavailable("the ledger's head moved under every try to append")

    def _next_record(self, entry: Entry) -> Record:
        known = self._sinks.followed()
        known.check_key(self._keys.key, known.head.sequence + 1)
        uid = request_uid(entry.request)
        record = Record(
            known.head.sequence + 1,
            known.head.hash,
            self._clock.now(),
            self._fence(),
            entry,
            request_previous=known.last.get(uid, 0) if uid else 0,
        )
        size = len(canonical_json(record.to_json()))
        if size > LARGEST_RECORD:
            what = f"a record of kind {entry.kind.value} would have {size} bytes, the ledger takes {LARGEST_RECORD}"
            raise InvalidInput(what, code="RecordTooLarge", source=entry.request)
        return self._keys.sign(record)


def _record_key(known: KnownRecords, key: str, append: Callable[[Entry], Record]) -> None:
    """Record that another key signs from here on."""
    if known.head.sequence and known.key != key:
        name = f"key:{known.head.sequence}:{key}"
        append(Entry(name, "operator", RecordKind.KEY_CHANGED, result=key, detail={"from": known.key, "to": key}))


def _shown(record: Record, operation_id: str, known: KnownRecords | None) -> Record:
    """Return what the store shows for an operation. Raises LedgerDiverged when that was never recorded so."""
    if record.entry.operation_id != operation_id:
        raise LedgerDiverged(f"the store shows record {record.sequence} for another operation", hint=WROTE)
    if known is not None:
        known.check(record)
    return record


@contextmanager
def _as_holder(sinks: Sinks, held: Callable[[], bool]) -> Iterator[None]:
    """Take nothing for a divergence that was found while another process held the lease and wrote on.

    Raises:
        FenceLost: instead of what was found.
    """
    try:
        yield
    except LedgerDiverged as error:
        if held():
            raise
        sinks.diverged = ""
        raise FenceLost(f"the lease was lost while the ledger was read ({error})") from error


def _has_lost(fence: Callable[[], int], record: Record) -> bool:
    """Return whether the lease went elsewhere since `record` was made.

    Who holds it now copies what the file lacks and writes on. A former holder that stood still meanwhile finds a longer
    file: that is no divergence, and must not freeze the acts of its successor.
    """
    try:
        return fence() != record.fence
    except FenceLost:
        return True


def _hidden_operation(operation_id: str) -> LedgerDiverged:
    return LedgerDiverged(f"the store hides operation {operation_id}, which was recorded", hint=WROTE)


def _changed(record: Record, after: int | None, fence: int) -> Conflict | FenceLost:
    """Return why a record that must follow record `after` of its request does not; `fence` is the ledger's highest."""
    return _fenced(record, fence) if record.fence < fence else _meanwhile(record.request_previous, after)


def _meanwhile(last: int, after: int | None) -> Conflict:
    return Conflict(f"the last record of the request is {last} by now, not {after}", code="RecordsChanged")


def _fenced(record: Record, fence: int) -> FenceLost:
    return FenceLost(f"fence {record.fence} is older than {fence}: another process has written")


def _forestalled(unless: Sequence[str]) -> Conflict:
    return Conflict(f"{' or '.join(unless)} was recorded meanwhile", code="RecordsChanged")


def _no_passage(name: str) -> None:
    """Stand in for the kill points of the operator: the core does not know them."""


def open_ledger(
    store: Store,
    path: Path | None,
    *,
    keys: Keyring,
    clock: Clock,
    fence: Callable[[], int],
    file_timeout_seconds: float = 2.0,
    passage: Callable[[str], None] = _no_passage,
    witness: Witness | None = None,
    log: LogSink | None = None,
    bucket: LockedBucket | None = None,
) -> DurableLedger:
    """Return the ledger on all its sinks; call `start()` before the first append.

    Args:
        store: from `open_ledger_connection`: its client resends nothing.
        path: file of the second sink, None when there is none.
        keys: what signs records, and whose signatures count.
        clock: time of the records.
        fence: current fencing token of this process (`spec.leaseTransitions` of the Lease).
        file_timeout_seconds: after which a hanging volume counts as unreachable.
        passage: `killpoint` of the operator; called with the name of each boundary.
        witness: keeps the latest checkpoint outside of all sinks; without it their owner can cut them.
        log: takes every record besides, and is never read back.
        bucket: of a sink in S3: the second one without a file, else a further one.
    """
    file = None if path is None else FileSink(path, timeout_seconds=file_timeout_seconds)
    stream = LedgerStream(store, keys.check)
    kept: list[KeptSink] = [] if file is None else [file]
    if bucket is not None:
        kept.append(BucketSink(bucket))
    return DurableLedger(
        stream,
        kept,
        keys=keys,
        clock=clock,
        fence=fence,
        passage=passage,
        anchor=None if witness is None else Anchor(witness, keys, clock),
        log=log,
        shelf=InStore(stream) if file is None else BesideFile(file),
    )
