"""What is known of the ledger, kept beside its file or in the store, so that a start reads only what came since.

A picture of `KnownRecords` at a checkpoint. The operator's own signature covers all of it, and it counts only where a
sink has that record at that place. Otherwise everything is read from the first record on: losing the picture loses
time, and whoever owns where it is kept can make a start slow but not make it believe anything.

Its form: one line of canonical JSON, one line with the signature, then the hashes of all operations and their records,
8 bytes each, little-endian.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from finops.domain.canonical import Json, canonical_json
from finops.ledger.file_sink import FileSink
from finops.ledger.growth import Growth
from finops.ledger.known_records import KnownRecords
from finops.ledger.merkle import Growing
from finops.ledger.signing import Keyring
from finops.ledger.unfinished import unfinished_from_json
from finops.ports.sink import Place
from finops.store.ledger import Head, LedgerStream

logger = logging.getLogger(__name__)
PURPOSE: Final = b"finops.dev ledger state v2\n"
SUFFIX: Final = ".state"
_NUMBERS: Final = "Q"


@dataclass(frozen=True, slots=True)
class Picture:
    """What was known, and where each sink had come by then, by its name."""

    known: KnownRecords = field(default_factory=KnownRecords)
    places: Mapping[str, Place] = field(default_factory=dict)


class Shelf(Protocol):
    """Where one picture is kept, in a place that nobody trusts."""

    def read(self) -> bytes | None:
        """Return what was kept last, None when there is nothing to be had."""

    def keep(self, picture: bytes) -> None:
        """Replace what is kept, whole or not at all. Raises LedgerUnavailable."""


class BesideFile:
    """Keeps the picture beside the ledger's file."""

    def __init__(self, file: FileSink) -> None:
        self._file = file

    def read(self) -> bytes | None:
        path = self._file.path
        try:
            return path.with_name(path.name + SUFFIX).read_bytes()
        except OSError:
            return None

    def keep(self, picture: bytes) -> None:
        self._file.keep_beside(SUFFIX, picture)


class InStore:
    """Keeps the picture in the store, where the ledger has no file."""

    def __init__(self, stream: LedgerStream) -> None:
        self._stream = stream

    def read(self) -> bytes | None:
        return self._stream.state()

    def keep(self, picture: bytes) -> None:
        self._stream.keep_state(picture)


def pack(picture: Picture, keys: Keyring) -> bytes:
    """Return the bytes to keep."""
    known = picture.known
    operations = _bytes_of(known.operations)
    document: dict[str, Json] = {
        "size": known.head.sequence,
        "head": known.head.hash,
        "fence": known.head.fence,
        "key": known.key,
        "last": known.last,
        "replaced": known.replaced,
        "salt": known.salt.hex(),
        "peaks": [peak.hex() for peak in known.growth.tree.peaks],
        "urgent": known.growth.urgent,
        "checkpointed": known.growth.checkpointed,
        "unfinished": known.unfinished.to_json(),
        "places": {name: [one.begins, one.ends] for name, one in picture.places.items()},
        "operations": hashlib.sha256(operations).hexdigest(),
        "signer": keys.key,
    }
    claims = canonical_json(document)
    return claims + b"\n" + keys.sign_text(PURPOSE + claims).encode("ascii") + b"\n" + operations


def read_picture(shelf: Shelf | None, keys: Keyring) -> Picture | None:
    """Return the picture that is kept, None when there is none that we ourselves have signed."""
    content = shelf.read() if shelf is not None else None
    if content is None:
        return None
    claims, _, rest = content.partition(b"\n")
    signature, _, operations = rest.partition(b"\n")
    try:
        document = json.loads(claims)
        signer = str(document["signer"])
        text = signature.decode("ascii")
        if signer != keys.key or keys.problem_of_text(signer, PURPOSE + claims, text):
            logger.info("what is kept of the ledger is not signed with the present key: all of it is read")
            return None
        return _unpack(document, operations)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        logger.info("what is kept of the ledger cannot be used, all of it is read: %s", error)
        return None


def _unpack(document: Mapping[str, Any], operations: bytes) -> Picture:
    if hashlib.sha256(operations).hexdigest() != document["operations"]:
        raise ValueError("the operations are not those that were signed")
    size = int(document["size"])
    peaks = [bytes.fromhex(peak) for peak in document["peaks"]]
    known = KnownRecords(
        head=Head(size, str(document["head"]), int(document["fence"])),
        key=str(document["key"]),
        last={str(uid): int(number) for uid, number in document["last"].items()},
        replaced={str(key): int(number) for key, number in document["replaced"].items()},
        growth=Growth(Growing(size, peaks), int(document["urgent"]), int(document["checkpointed"])),
        unfinished=unfinished_from_json(document["unfinished"]),
        salt=bytes.fromhex(document["salt"]),
        operations=_numbers_of(operations),
    )
    places = {
        str(name): Place(size, known.head.hash, int(begins), int(ends))
        for name, (begins, ends) in document["places"].items()
    }
    return Picture(known, places)


def _bytes_of(operations: Mapping[int, int]) -> bytes:
    numbers = array(_NUMBERS, operations.keys())
    numbers.extend(operations.values())
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _numbers_of(content: bytes) -> dict[int, int]:
    numbers = array(_NUMBERS)
    numbers.frombytes(content)
    if sys.byteorder == "big":
        numbers.byteswap()
    half = len(numbers) // 2
    return dict(zip(numbers[:half], numbers[half:], strict=True))
