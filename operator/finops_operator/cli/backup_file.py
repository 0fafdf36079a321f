"""The file of a backup: gzip of one JSON document a line, between a line that says what it is and one that closes it.

Written by `finops backup`, read by `finops restore`. The last line holds the number of lines before it and their
SHA-256: a copy that was cut off, or that a disk has damaged, is found before anything is written back. That it was not
forged shows in the ledger's signatures alone. The rest decides no act; counts for caps, sums and places of cards are
as good as the place where the file was kept.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from finops.domain.canonical import canonical_json
from finops.errors import InvalidInput

FORMAT: Final = 1
_MODE: Final = 0o600
_HASH: Final = re.compile("[0-9a-f]{64}")
_LONGEST_LINE: Final = 16_777_216


@dataclass(frozen=True, slots=True)
class Header:
    """The first line.

    Attributes:
        taken: when the backup was begun, ISO 8601.
        records: sequence of the ledger's last record in it.
        head: hash of that record.
    """

    taken: str
    records: int
    head: str

    def to_json(self) -> dict[str, Any]:
        return {"finopsBackup": FORMAT, "taken": self.taken, "records": self.records, "head": self.head}


def write_backup(path: Path, header: Header, documents: Iterable[Mapping[str, Any]]) -> None:
    """Write a backup to a new file that appears whole or not at all.

    Raises:
        InvalidInput: the file exists, or cannot be written.
        Whatever `documents` raises.
    """
    if path.exists():
        raise InvalidInput("exists already", source=str(path), field="FILE", hint="choose a new name")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE), "wb") as raw:
            _write(raw, header, documents)
            raw.flush()
            os.fsync(raw.fileno())
        part.rename(path)
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", source=str(path), field="FILE") from error
    finally:
        part.unlink(missing_ok=True)


def _write(raw: BinaryIO, header: Header, documents: Iterable[Mapping[str, Any]]) -> None:
    digest, lines = hashlib.sha256(), 0
    # No name and no time inside: the same content is the same file.
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as out:
        for document in _all(header, documents):
            line = canonical_json(document) + b"\n"
            digest.update(line)
            lines += 1
            out.write(line)
        out.write(canonical_json({"lines": lines, "sha256": digest.hexdigest()}) + b"\n")


def _all(header: Header, documents: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    yield header.to_json()
    for document in documents:
        yield dict(document)


def header_of(path: Path) -> Header:
    """Return what a backup says of itself. Raises InvalidInput: it is none, or one of a newer version."""
    found = next(_lines(path), b"")
    document = _document(path, found)
    if document.get("finopsBackup") != FORMAT:
        hint = "check the path, or use the version of finops that made it"
        raise InvalidInput("is no backup that this version reads", source=str(path), field="FILE", hint=hint)
    taken, records, head = (document.get(name) for name in ("taken", "records", "head"))
    if not (_is_instant(taken) and type(records) is int and records >= 0 and _HASH.fullmatch(str(head))):
        raise _damaged(path, "its first line does not say when it was made, and of what")
    return Header(str(taken), records, str(head))


def _is_instant(text: object) -> bool:
    try:
        return datetime.fromisoformat(str(text)).isoformat(timespec="seconds") == text
    except ValueError:
        return False


def check(path: Path) -> str:
    """Return the SHA-256 of a whole backup. Raises InvalidInput: it is not whole, or was changed."""
    digest, count, last = hashlib.sha256(), 0, b""
    for line in _lines(path):
        if last:
            digest.update(last)
            count += 1
        last = line
    end = _document(path, last)
    if end != {"lines": count, "sha256": digest.hexdigest()}:
        raise _damaged(path, "its last line does not fit the others")
    return digest.hexdigest()


def documents_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what stands between the first and the last line of a checked backup. Raises InvalidInput: unreadable."""
    lines = _lines(path)
    next(lines, None)
    before: bytes | None = None
    for line in lines:
        if before is not None:
            yield _document(path, before)
        before = line


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            while line := file.readline(_LONGEST_LINE):
                yield line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", source=str(path), field="FILE") from error


def _document(path: Path, line: bytes) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"a line is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise _damaged(path, "a line is no JSON object")
    return document


def _damaged(path: Path, why: str) -> InvalidInput:
    return InvalidInput(f"is not a whole backup: {why}", source=str(path), field="FILE", hint="take another copy of it")
