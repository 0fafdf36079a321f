"""A signed statement of how far the ledger had come: its size, the root over its records and the hash of the last one.

Its text is one line of canonical JSON, made to be kept where whoever owns the ledger's sinks cannot write (see
`finops.ledger.anchor`) and to be copied into a file for `finops audit verify --checkpoint`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from finops.domain.canonical import Json, canonical_json
from finops.errors import LedgerDiverged
from finops.ledger.signing import Keyring

PURPOSE: Final = b"finops.dev ledger checkpoint v1\n"
"""Begins the signed text, so that a signature over a record is none over a checkpoint."""

LONGEST: Final = 2000
"""Characters of a text that may be a checkpoint; an honest one has about 500."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the operator had in its ledger at `time`.

    Attributes:
        size: number of records, and so the sequence of the last one.
        root: of the RFC 9162 tree over the hashes of these records.
        head: hash of the last record.
        sinks: in how many sinks that can be read back all of these records were durable: the stream, file, bucket.
        key: id of the key that signed it.
        signature: Ed25519, in hexadecimal, over `PURPOSE` and the canonical JSON of everything else.
    """

    size: int
    root: str
    head: str
    time: datetime
    sinks: int
    key: str = ""
    signature: str = ""

    def to_json(self) -> dict[str, Json]:
        return {**self.claims(), "signature": self.signature}

    def claims(self) -> dict[str, Json]:
        """Return what is signed."""
        return {
            "size": self.size,
            "root": self.root,
            "head": self.head,
            "time": self.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "sinks": self.sinks,
            "key": self.key,
        }

    @property
    def text(self) -> str:
        """The checkpoint on one line."""
        return canonical_json(self.to_json()).decode()

    def signed_by(self, keys: Keyring) -> Checkpoint:
        """Return the checkpoint with our key's id and signature."""
        named = replace(self, key=keys.key)
        return replace(named, signature=keys.sign_text(PURPOSE + canonical_json(named.claims())))

    def check(self, keys: Keyring) -> None:
        """Refuse a checkpoint that no trusted key has signed. Raises LedgerDiverged."""
        why = keys.problem_of_text(self.key, PURPOSE + canonical_json(self.claims()), self.signature)
        if why:
            raise LedgerDiverged(f"a checkpoint of {self.size} records {why}")


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint in a text, whose signature is still to be checked.

    Raises:
        LedgerDiverged: the text is no checkpoint.
    """
    try:
        found = _checkpoint(json.loads(text[:LONGEST]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise LedgerDiverged(f"a text is no checkpoint of a ledger ({type(error).__name__})") from error
    if found.text != text.strip():
        raise LedgerDiverged("a checkpoint is not in canonical form")
    return found


def _checkpoint(document: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(
        size=int(document["size"]),
        root=str(document["root"]),
        head=str(document["head"]),
        time=datetime.fromisoformat(str(document["time"])),
        sinks=int(document["sinks"]),
        key=str(document["key"]),
        signature=str(document["signature"]),
    )
