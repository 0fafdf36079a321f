"""What is known of the ledger, kept beside its file, so that a start reads only what was recorded since.

A picture of `KnownRecords` at a checkpoint. The operator's own signature covers all of it, and it counts only when the
file has that record at that place. Otherwise everything is read from the first record on: losing the picture loses
time, and whoever owns the volume can make a start slow but not make it believe anything.

The file: one line of canonical JSON, one line with the signature, then the hashes of all operations and their records,
8 bytes each, little-endian.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from finops.domain.canonical import Json, canonical_json
from finops.ledger.file_sink import Place
from finops.ledger.growth import Growth
from finops.ledger.known_records import KnownRecords
from finops.ledger.merkle import Growing
from finops.ledger.signing import Keyring
from finops.ledger.unfinished import unfinished_from_json
from finops.store.ledger import Head

logger = logging.getLogger(__name__)
PURPOSE: Final = b"finops.dev ledger state v1\n"
SUFFIX: Final = ".state"
_NUMBERS: Final = "Q"


@dataclass(frozen=True, slots=True)
class Picture:
    """What was known, and where the file had come by then."""

    known: KnownRecords
    place: Place


def pack(picture: Picture, keys: Keyring) -> bytes:
    """Return the bytes to keep."""
    known, place = picture.known, picture.place
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
        "begins": place.begins,
        "ends": place.ends,
        "operations": hashlib.sha256(operations).hexdigest(),
        "signer": keys.key,
    }
    claims = canonical_json(document)
    return claims + b"\n" + keys.sign_text(PURPOSE + claims).encode("ascii") + b"\n" + operations


def read_picture(path: Path, keys: Keyring) -> Picture | None:
    """Return the picture in a file, None when there is none that we ourselves have signed."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    claims, _, rest = content.partition(b"\n")
    signature, _, operations = rest.partition(b"\n")
    try:
        document = json.loads(claims)
        signer = str(document["signer"])
        text = signature.decode("ascii")
        if signer != keys.key or keys.problem_of_text(signer, PURPOSE + claims, text):
            logger.info("%s is not signed with the present key: the whole ledger is read", path)
            return None
        return _unpack(document, operations)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        logger.info("%s cannot be used, the whole ledger is read: %s", path, error)
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
    return Picture(known, Place(size, known.head.hash, int(document["begins"]), int(document["ends"])))


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
