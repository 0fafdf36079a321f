"""A record as one line of JSON: in the ledger's file, in its log, in an export and in a backup."""

from __future__ import annotations

import json

from finops.domain.audit import Record, record_from_json
from finops.domain.canonical import Json, canonical_json
from finops.errors import LedgerDiverged


def line_of(record: Record) -> bytes:
    """Return the line, with its newline, that stands for `record` in the file and in an export."""
    document: dict[str, Json] = {"hash": record.hash, "record": record.to_json(), "signature": record.signature}
    return canonical_json(document) + b"\n"


def record_of(line: bytes) -> Record:
    """Return the record of one line.

    Raises:
        LedgerDiverged: the line is not the line of a record.
    """
    try:
        document = json.loads(line)
        record = record_from_json(document["record"], str(document["signature"]))
        intact = document["hash"] == record.hash and line_of(record) == line
    except (KeyError, ValueError, TypeError) as error:
        raise LedgerDiverged(f"a line of the ledger's file is not a record: {error}") from error
    if not intact:
        raise LedgerDiverged(f"line {record.sequence} of the ledger's file does not have the hash written beside it")
    return record
