"""What the verifier remembers by name, in flat memory: the entries used last in memory, the others in a temporary file.

A ledger of a few thousand requests needs no file. The file is SQLite's own temporary database, which nobody else can
open and which goes with the process; values are pickled by this process and read back by it alone.
"""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
import struct
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

_V = TypeVar("_V")
REQUESTS_NEAR: Final = 2_000
NAMES_NEAR: Final = 10_000
"""Entries in memory: a request comes with its plan, a name with numbers alone."""
_LEAVES: Final = 0.5
"""Share of the entries in memory that move out at one go; one by one each would cost a transaction of its own."""
_TABLE: Final = "CREATE TABLE shelf (name TEXT UNIQUE NOT NULL, value BLOB NOT NULL)"
_PUT: Final = "INSERT INTO shelf (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


_BITS: Final = 1 << 26
"""8 MiB. Four bits for each of a million names leave one question in 90,000 to the file, ten million one in 25."""
_PLACES_OF: Final = struct.Struct("<4I").unpack
_CACHE: Final = "PRAGMA cache_size = -16000"
"""16 MB: names come in no order, and a page that was dropped is read again."""


class Kept:
    """A value whose class has slots, pickled as the list of them: in two thirds of the time and of the room."""

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Say how it is made again."""
        kind = type(self)
        fields = _FIELDS.get(kind)
        if fields is None:
            fields = _FIELDS[kind] = attrgetter(*kind.__slots__)
        return kind, fields(self)


_FIELDS: dict[type, Callable[[Any], Any]] = {}
"""Class → what reads all its fields, of which there are two or more: of one `attrgetter` would give no tuple."""


class _Written:
    """Which names the file may hold: a Bloom filter, since most names that are asked for are new."""

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def add(self, name: str) -> None:
        for place in _bits_of(name):
            self._bits[place >> 3] |= 1 << (place & 7)

    def may_hold(self, name: str) -> bool:
        bits = self._bits
        return all(bits[place >> 3] >> (place & 7) & 1 for place in _bits_of(name))


def _bits_of(name: str) -> tuple[int, ...]:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return tuple(place % _BITS for place in _PLACES_OF(digest))


class Shelf(Generic[_V]):
    """A mapping of which `capacity` entries are in memory.

    A value may be changed in place until the next one is asked for: then it may be written out.
    Every method raises OSError when the temporary file cannot be written or read.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = max(2, capacity)
        self._near: dict[str, _V] = {}
        self._far: sqlite3.Connection | None = None
        self._written: _Written | None = None

    def get(self, name: str) -> _V | None:
        """Return the value of a name, None when there is none."""
        found = self._near.pop(name, None)
        if found is not None:
            self._near[name] = found
            return found
        found = self._read(name)
        if found is not None:
            self._near[name] = found
            self._make_room()
        return found

    def put(self, name: str, value: _V) -> None:
        """Keep a value under a name; what stood there before goes."""
        self._near.pop(name, None)
        self._near[name] = value
        self._make_room()

    def _read(self, name: str) -> _V | None:
        if self._far is None or self._written is None or not self._written.may_hold(name):
            return None
        with _disk():
            row = self._far.execute("SELECT value FROM shelf WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        value: _V = pickle.loads(row[0])  # noqa: S301 - as above
        return value

    def _make_room(self) -> None:
        if len(self._near) > self._capacity:
            self._move_out(int(len(self._near) * _LEAVES))

    def _move_out(self, count: int) -> None:
        """Write the entries that were not used for longest into the file."""
        leaving = [name for name, _ in zip(self._near, range(count), strict=False)]
        rows = [(name, pickle.dumps(self._near.pop(name), -1)) for name in leaving]
        self._written = self._written or _Written()
        for name in leaving:
            self._written.add(name)
        with _disk():
            if self._far is None:
                # An empty name is a database of its own in a file that SQLite has already unlinked.
                self._far = sqlite3.connect("", isolation_level=None)
                self._far.execute(_CACHE)
                self._far.execute(_TABLE)
            self._far.execute("BEGIN")
            self._far.executemany(_PUT, rows)
            self._far.execute("COMMIT")


class _disk:  # noqa: N801 - reads as a word of a with statement
    """Turns SQLite's errors into OSError: the disk is all that can fail here."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise OSError(f"the temporary file of the verifier cannot be used: {error}") from error
