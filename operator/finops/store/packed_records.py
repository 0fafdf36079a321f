"""Old records of the ledger, packed: a run of them as one compressed value, in place of their entries in the stream.

Called by `finops.store.ledger` alone, which unpacks them for every reader: nobody has to know where a record lies. An
entry of the stream takes some 830 bytes of the store, a packed record about an eighth of that. Nothing is lost: all but
the hashes is kept as it is, and each record's hash follows from its content and from the record before it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from finops.domain.audit import Record, record_from_json
from finops.errors import LedgerDiverged

RECORDS: Final = 250
"""Records in a run: reading one of them takes some 5 ms, and longer runs are hardly smaller."""

LOOSE: Final = 10_000
"""Records at the ledger's end that stay entries of the stream, which are read one by one."""

LONGEST: Final = RECORDS * 300_000
"""Bytes of a run when it is unpacked; a record has at most 256 KiB (`finops.ledger.durable`) and its signature."""

_LEVEL: Final = 9


def first_of(sequence: int) -> int:
    """Return the sequence of the first record in the run that a record belongs to."""
    return sequence - (sequence - 1) % RECORDS


def packed(records: Sequence[Record]) -> bytes | None:
    """Return one run, None for one that is too long to be read again: its records stay entries.

    Raises:
        LedgerDiverged: the records are no whole run, do not continue each other, or would be read as others.
    """
    first = records[0].sequence if records else 0
    if [one.sequence for one in records] != list(range(first, first + RECORDS)) or first_of(first) != first:
        raise LedgerDiverged(f"the {len(records)} records from {first} on cannot be packed: some are missing")
    for before, record in pairwise(records):
        if record.previous_hash != before.hash:
            raise LedgerDiverged(f"record {record.sequence} does not continue the chain: it was edited")
    document = {
        "previous": records[0].previous_hash,
        "hash": records[-1].hash,
        "records": [[_without_previous(one), one.signature] for one in records],
    }
    # As UTF-8, by which records are bounded: escapes would make up to three times as much of it.
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")
    if len(text) > LONGEST:
        return None
    content = zlib.compress(text, _LEVEL)
    if unpacked(content, first) != tuple(records):
        raise LedgerDiverged(f"the records from {first} on would not be read as they were written")
    return content


def unpacked(content: bytes, first: int) -> tuple[Record, ...]:
    """Return the records of one run, whose signatures are still to be checked.

    Args:
        content: of the store, which nobody trusts.
        first: sequence of the run's first record.

    Raises:
        LedgerDiverged: it is not that run, or was changed since it was packed.
    """
    try:
        document = json.loads(_inflated(content))
        previous, records = str(document["previous"]), []
        for claims, signature in document["records"]:
            record = record_from_json({**claims, "previousHash": previous}, str(signature))
            previous = record.hash
            records.append(record)
        intact = previous == document["hash"]
    except (KeyError, ValueError, TypeError, RecursionError, zlib.error) as error:
        raise LedgerDiverged(f"the packed records from {first} on cannot be read: {error}") from error
    if not intact or [one.sequence for one in records] != list(range(first, first + RECORDS)):
        raise LedgerDiverged(f"the packed records from {first} on are not those that were packed")
    return tuple(records)


def _without_previous(record: Record) -> Mapping[str, Any]:
    document = record.to_json()
    del document["previousHash"]
    return document


def _inflated(content: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(content, LONGEST)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("it is cut, or far too long")
    return text
