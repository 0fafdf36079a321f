"""The ledger's sinks side by side: how far they are known, and what they disagree on.

Used by `finops.ledger.durable` alone, under its lock. The stream gives the order and the others follow it; those that
can be read back are compared with it, so that a sink which lost or changed records is found before anything is appended
behind it.

An append waits for the first of the kept sinks. A further one has what an act rests on, and that it began, before its
first call is made, and everything else a second or two later: an act's end is shown only once all of them hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final

from finops.domain.audit import Record
from finops.errors import LedgerDiverged
from finops.ledger.anchor import Anchor
from finops.ledger.known_records import KnownRecords
from finops.ledger.lines import line_of
from finops.ledger.log_sink import LogSink
from finops.ledger.pictures import Pictures
from finops.ledger.signing import Keyring
from finops.ledger.state import Shelf
from finops.ports.sink import KeptSink, Sink
from finops.store.ledger import LedgerStream
from finops.store.packed_records import LOOSE

_COMPARE: Final = "nothing is acted upon until a person has compared both sinks with `finops audit verify`"

_COPIED: Final = 500
"""Records that a sink is given at a time."""


class Sinks:
    """Stream and followers of one ledger.

    Attributes:
        kept: the sinks that can be read back; an append waits for the first one. Empty: nothing can be acted upon.
        log: a sink that is only written, None when there is none.
        pictures: where a start goes on.
        known: what this process has read of the ledger itself; None before the first reading.
        current: whether nobody else is known to have appended to the stream since it was read last.
        diverged: what the sinks disagree on; empty while they agree.
        anchor: the checkpoint outside of all of them; None where none is kept.
        moved: called with each step of a long reading, which may never end where a medium hangs.
    """

    def __init__(
        self,
        stream: LedgerStream,
        kept: Sequence[KeptSink],
        keys: Keyring,
        *,
        anchor: Anchor | None = None,
        log: LogSink | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self._stream = stream
        self.kept = tuple(kept)
        self.pictures = Pictures(self.kept, keys, shelf)
        self.log = log
        self.anchor = anchor
        self.known: KnownRecords | None = None
        self.current = False
        self.diverged = ""
        self.moved: Callable[[], None] = lambda: None

    def reconcile(self) -> int:
        """Compare all sinks from the last picture on and copy what they lack; returns how many records at most.

        Raises:
            LedgerUnavailable: a sink does not answer.
            LedgerDiverged: the sinks disagree; `diverged` says so until a later comparison finds them equal.
        """
        self.known = None
        try:
            copied = self._compare()
        except LedgerDiverged as error:
            self.diverged = error.message
            raise
        self.diverged = ""
        return copied

    def followed(self) -> KnownRecords:
        """Return how far the ledger is known, after reading what others appended to the stream meanwhile."""
        known = self.known = self.known or self.pictures.begin().known
        if not self.current:
            try:
                self._check_head(known)
                for record in self._stream.read(known.head.sequence + 1):
                    known.learn(record)
                    self.moved()
            except LedgerDiverged as error:
                self.diverged = error.message
                raise
            self.current = True
        return known

    def check_anchor(self, kept: Sequence[KeptSink] = ()) -> None:
        """Refuse a ledger that does not continue what was anchored outside; `kept` are the sinks whose end is known.

        Raises:
            LedgerDiverged: something is missing or was replaced; `diverged` says so.
            LedgerUnavailable, ClusterUnavailable, Refused: not known now.
        """
        if self.anchor is None:
            return
        try:
            self.anchor.check(self.followed(), self._stream, {sink.title: sink.sequence for sink in kept})
        except LedgerDiverged as error:
            self.diverged = error.message
            raise

    def durable(self) -> KnownRecords | None:
        """Return what is known of the ledger when all of it is durable in every sink, else None."""
        known = self.known
        if known is None or self.diverged or any(one.sequence != known.head.sequence for one in self._followers()):
            return None
        return known

    def tend(self) -> None:
        """Verify that the stream has all records and another part of what a start did not read; pack old records.

        Raises:
            LedgerDiverged: it was changed; `diverged` says so.
            LedgerUnavailable: it cannot be read now.
        """
        if self.diverged:
            return
        try:
            self._stream.whole_head()
            self.pictures.verify()
            known = self.durable()
            if known is not None:
                self._stream.pack(known.head.fence, loose=LOOSE)
        except LedgerDiverged as error:
            self.diverged = error.message
            raise

    def catch_up(self, record: Record, *, everywhere: bool) -> None:
        """Bring the sinks up to `record`; earlier records that one missed while it was down go first.

        Args:
            record: the stream has it.
            everywhere: also those sinks that an append need not wait for.
        """
        try:
            for sink in self._followers():
                if everywhere or sink not in self.kept[1:]:
                    if record.sequence > sink.sequence + 1:
                        self._copy(sink, record.sequence - 1)
                    sink.append(record)
        except LedgerDiverged as error:
            self.diverged = error.message
            raise

    def bring_up(self) -> None:
        """Give the sinks that no append waited for what they lack. Not under the ledger's lock: they may be slow.

        Raises:
            LedgerUnavailable: one does not answer.
            LedgerDiverged: somebody else wrote to one; `diverged` says so.
        """
        known = self.known
        if known is None or self.diverged:
            return
        try:
            for sink in self.kept[1:]:
                self._copy(sink, known.head.sequence)
        except LedgerDiverged as error:
            self.diverged = error.message
            raise

    def _followers(self) -> tuple[Sink, ...]:
        """Return the sinks that follow the stream; those first that can be read back."""
        return self.kept if self.log is None else (*self.kept, self.log)

    def _copy(self, sink: Sink, end: int) -> int:
        """Give a sink the records of the stream up to `end`, many at a time; returns how many it lacked."""
        begun = sink.sequence
        records = self._stream.read(begun + 1, count=end - begun) if begun < end else iter(())
        while part := tuple(islice(records, _COPIED)):
            sink.append(*part)
            self.moved()
        return max(0, end - begun)

    def _compare(self) -> int:
        begin = self.pictures.begin()
        known = begin.known
        self.current = False
        for sink in self.kept:
            sink.open(self._line, partial(_take, known, sink, self.moved), begin.places.get(sink.name))
            self._check_end(sink)
        self.known = known
        self.followed()
        # What a sink lacks is copied only once it is known that it may lack it.
        self.check_anchor(self.kept)
        copied = max((self._copy(sink, known.head.sequence) for sink in self.kept), default=0)
        self._write_log(known.head.sequence)
        return copied

    def _line(self, sequence: int) -> bytes | None:
        """Return the line that the stream has for a sequence."""
        found: Iterator[Record] = self._stream.read(sequence, count=1)
        return next(map(line_of, found), None)

    def _write_log(self, end: int) -> None:
        """Write again what the log may lack: all that no anchored checkpoint covers, up to record `end`."""
        if self.log is None:
            return
        self.log.go_on_after(min(self.anchor.covered if self.anchor is not None else 0, end))
        self._copy(self.log, end)

    def _check_head(self, known: KnownRecords) -> None:
        """Refuse a store that came back with less than the kept sinks or we ourselves have seen of it."""
        head = self._stream.whole_head()
        for sink in self.kept:
            if sink.sequence > head.sequence:
                raise LedgerDiverged(_lost(sink.title, sink.sequence, head.sequence), hint=_COMPARE)
        if known.head.sequence > head.sequence:
            raise LedgerDiverged(_lost("the ledger", known.head.sequence, head.sequence), hint=_COMPARE)

    def _check_end(self, sink: KeptSink) -> None:
        """Compare a sink's last record, which names all before it by its hash, with the keys and with the stream."""
        end = sink.place
        if not end.sequence:
            return
        head = self._stream.head()
        if end.sequence > head.sequence:
            raise LedgerDiverged(_lost(sink.title, end.sequence, head.sequence), hint=_COMPARE)
        if self._stream.at(end.sequence).hash != end.hash:
            raise LedgerDiverged(f"record {end.sequence} differs between {sink.title} and its stream")


def _take(known: KnownRecords, sink: KeptSink, moved: Callable[[], None], record: Record) -> None:
    """Learn the next record, or compare one that another sink has shown already. Raises LedgerDiverged."""
    moved()
    if record.sequence > known.head.sequence:
        known.learn(record)
    else:
        known.check(record, sink.title)


def _lost(title: str, end: int, stream: int) -> str:
    return (
        f"{title} ends at record {end}, its stream at {stream}: the store lost records or was restored "
        "from an older backup"
    )
