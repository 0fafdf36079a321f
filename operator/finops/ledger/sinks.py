"""The ledger's two sinks side by side: how far both are known, and what they disagree on.

Used by `finops.ledger.durable` alone, under its lock. The stream gives the order and the file follows it; both are read
here, so that a sink which lost or changed records is found before anything is appended behind it.
"""

from __future__ import annotations

from typing import Final

from finops.domain.audit import Record
from finops.errors import LedgerDiverged
from finops.ledger.anchor import Anchor
from finops.ledger.file_sink import FileSink, Place
from finops.ledger.known_records import KnownRecords
from finops.ledger.lines import line_of
from finops.ledger.log_sink import LogSink
from finops.ledger.scrub import Scrub
from finops.ledger.signing import Keyring
from finops.ledger.state import SUFFIX, Picture, pack, read_picture
from finops.ports.sink import Sink
from finops.store.ledger import Head, LedgerStream

_COMPARE: Final = "nothing is acted upon until a person has compared both sinks with `finops audit verify`"

_SCRUBBED: Final = 200
"""Records verified at a time, some 30 ms of work."""


class Sinks:
    """Stream and file of one ledger.

    Attributes:
        file: the second sink, None when there is none.
        log: a sink that is only written, None when there is none.
        known: what this process has read of the ledger itself; None before the first reading.
        current: whether nobody else is known to have appended to the stream since it was read last.
        diverged: what the sinks disagree on; empty while they agree.
        anchor: the checkpoint outside of both; None where none is kept.
    """

    def __init__(
        self,
        stream: LedgerStream,
        file: FileSink | None,
        keys: Keyring,
        anchor: Anchor | None = None,
        log: LogSink | None = None,
    ) -> None:
        self._stream = stream
        self._keys = keys
        self._pictured = 0
        self._scrub: Scrub | None = None
        self.file = file
        self.log = log
        self.anchor = anchor
        self.known: KnownRecords | None = None
        self.current = False
        self.diverged = ""

    def reconcile(self) -> int:
        """Compare both sinks from the last picture on and copy what the file lacks; returns how many records.

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
        known = self.known = self.known or self._begin().known
        if not self.current:
            try:
                self._check_head(known)
                for record in self._stream.read(known.head.sequence + 1):
                    known.learn(record)
            except LedgerDiverged as error:
                self.diverged = error.message
                raise
            self.current = True
        return known

    def check_anchor(self, file: int | None = None) -> None:
        """Refuse a ledger that does not continue what was anchored outside; `file` is where the second sink ends.

        Raises:
            LedgerDiverged: something is missing or was replaced; `diverged` says so.
            LedgerUnavailable, ClusterUnavailable, Refused: not known now.
        """
        if self.anchor is None:
            return
        try:
            self.anchor.check(self.followed(), self._stream, file)
        except LedgerDiverged as error:
            self.diverged = error.message
            raise

    def durable(self) -> KnownRecords | None:
        """Return what is known of the ledger when all of it is durable in every sink, else None."""
        known = self.known
        if known is None or self.diverged or any(one.sequence != known.head.sequence for one in self._followers()):
            return None
        return known

    def picture(self, every: int) -> bytes | None:
        """Return the picture from which the next start goes on, when `every` records came since the last one."""
        known, file = self.durable(), self.file
        if known is None or file is None or known.head.sequence - self._pictured < every:
            return None
        self._pictured = known.head.sequence
        return pack(Picture(known, file.place), self._keys)

    def keep_picture(self, picture: bytes) -> None:
        """Keep a picture beside the file. Raises LedgerUnavailable."""
        if self.file is not None:
            self.file.keep_beside(SUFFIX, picture)

    def _begin(self) -> Picture:
        """Return what is known before anything is read: the last picture when the file holds it, else nothing."""
        file = self.file
        kept = None if file is None else read_picture(file.path.with_name(file.path.name + SUFFIX), self._keys)
        if kept is None or file is None or not file.holds(kept.place):
            return Picture(KnownRecords(), Place())
        self._pictured = kept.place.sequence
        self._scrub = Scrub(file.path, self._keys.check, kept.place)
        return kept

    def scrub(self) -> None:
        """Verify another part of what a start did not read of the file.

        Raises:
            LedgerDiverged: it was changed; `diverged` says so.
            LedgerUnavailable: it cannot be read now.
        """
        if self._scrub is None or self.diverged:
            return
        try:
            self._scrub.step(_SCRUBBED)
        except LedgerDiverged as error:
            self.diverged = error.message
            raise
        if self._scrub.done:
            self._scrub = None

    def catch_up(self, record: Record) -> None:
        """Bring the sinks up to `record`; earlier records that one missed while it was down go first."""
        try:
            for sink in self._followers():
                if record.sequence > sink.sequence + 1:
                    for earlier in self._stream.read(sink.sequence + 1, count=record.sequence - sink.sequence - 1):
                        sink.append(earlier)
                sink.append(record)
        except LedgerDiverged as error:
            self.diverged = error.message
            raise

    def _followers(self) -> tuple[Sink, ...]:
        """Return the sinks that follow the stream; the file first, which alone can be read back."""
        return tuple(one for one in (self.file, self.log) if one is not None)

    def _write_log(self, end: int) -> None:
        """Write again what the log may lack: all that no anchored checkpoint covers, up to record `end`."""
        if self.log is None:
            return
        self.log.go_on_after(min(self.anchor.covered if self.anchor is not None else 0, end))
        begun = self.log.sequence
        if begun < end:
            for record in self._stream.read(begun + 1, count=end - begun):
                self.log.append(record)

    def _compare(self) -> int:
        file, begin = self.file, self._begin()
        known = begin.known
        self.current = False
        if file is None:
            self.known = known
            self.followed()
            self.check_anchor()
            self._write_log(known.head.sequence)
            return 0
        file.open(
            lambda sequence: next(map(line_of, self._stream.read(sequence, count=1)), None), known.learn, begin.place
        )
        if known.head.sequence:
            self._check_end(known.head)
        self.known = known
        found = file.sequence
        self.followed()
        # What the file lacks is copied only once it is known that it may lack it.
        self.check_anchor(found)
        for record in self._stream.read(found + 1, count=known.head.sequence - found):
            file.append(record)
        self._write_log(known.head.sequence)
        return known.head.sequence - found

    def _check_head(self, known: KnownRecords) -> None:
        """Refuse a store that came back with less than the file or we ourselves have seen of it."""
        head = self._stream.head()
        seen = max(known.head.sequence, self.file.sequence if self.file is not None else 0)
        if seen > head.sequence:
            raise LedgerDiverged(_lost(seen, head.sequence), hint=_COMPARE)

    def _check_end(self, end: Head) -> None:
        """Compare the file's last record, which names all before it by its hash, with the keys and with the stream."""
        head = self._stream.head()
        if end.sequence > head.sequence:
            raise LedgerDiverged(_lost(end.sequence, head.sequence), hint=_COMPARE)
        if self._stream.at(end.sequence).hash != end.hash:
            raise LedgerDiverged(f"record {end.sequence} differs between the ledger's file and its stream")


def _lost(file: int, stream: int) -> str:
    return (
        f"the ledger's file ends at record {file}, its stream at {stream}: the store lost records or was restored "
        "from an older backup"
    )
