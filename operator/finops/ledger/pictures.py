"""Where the next start goes on: pictures of what is known of the ledger, and the verification of what they leave out.

Used by `finops.ledger.sinks` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from finops.ledger.anchor import EVERY_RECORDS
from finops.ledger.known_records import KnownRecords
from finops.ledger.scrub import Scrub
from finops.ledger.signing import Keyring
from finops.ledger.state import Picture, Shelf, pack, read_picture
from finops.ports.sink import KeptSink

_SCRUBBED: Final = 200
"""Records verified at a time, some 30 ms of work."""
_SHARE: Final = 200
"""A picture is made again when the ledger has grown by one part in so many: a start reads no more than that anew.

Pictures grow with the ledger, to 21 MB at a million records: one for every hundred would write 2 GB for ten thousand.
"""


class Pictures:
    """Reads and makes pictures, and has the sinks verified up to the one that was read."""

    def __init__(self, kept: Sequence[KeptSink], keys: Keyring, shelf: Shelf | None) -> None:
        self._kept = kept
        self._keys = keys
        self._shelf = shelf
        self._pictured = 0
        self._scrubs: list[Scrub] = []

    @property
    def verified(self) -> bool:
        """Whether nothing that a start left out is still to be verified."""
        return not self._scrubs

    def begin(self) -> Picture:
        """Return what is known before anything is read, with the places from which on the sinks are read.

        That is the last picture as far as sinks hold it, and nothing when none does.
        """
        found = read_picture(self._shelf, self._keys)
        if found is None:
            return Picture()
        places = {
            sink.name: found.places[sink.name]
            for sink in self._kept
            if sink.name in found.places and sink.holds(found.places[sink.name])
        }
        if not places:
            return Picture()
        self._pictured = found.known.head.sequence
        self._scrubs = [Scrub(sink, self._keys.check, places[sink.name]) for sink in self._kept if sink.name in places]
        return Picture(found.known, places)

    def due(self, known: KnownRecords, *, at_once: bool) -> bytes | None:
        """Return a picture to keep when one is due, `at_once` after any record; all sinks have what is known."""
        size = known.head.sequence
        every = 1 if at_once else max(EVERY_RECORDS, size // _SHARE)
        if self._shelf is None or not self._kept or size - self._pictured < every:
            return None
        self._pictured = size
        return pack(Picture(known, {sink.name: sink.place for sink in self._kept}), self._keys)

    def keep(self, picture: bytes) -> None:
        """Keep a picture for the next start. Raises LedgerUnavailable."""
        if self._shelf is not None:
            self._shelf.keep(picture)

    def verify(self) -> None:
        """Verify another part of what a start did not read.

        Raises:
            LedgerDiverged: a sink was changed.
            LedgerUnavailable: one cannot be read now.
        """
        if self._scrubs:
            self._scrubs[0].step(_SCRUBBED)
            if self._scrubs[0].done:
                self._scrubs.pop(0)
