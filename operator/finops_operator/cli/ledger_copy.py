"""A copy of the ledger's file that outlived the store: `finops restore --ledger` goes on from it where a backup ends.

One record a line, as the operator's volume holds it and `finops audit export` prints it. It is read twice, once to be
checked and once to be written back; that both readings saw the same file shows in its SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from finops.audit_verify import Keys, VerifyReport, verify
from finops.domain.audit import Record
from finops.errors import InvalidInput
from finops.ledger.lines import record_of
from finops_operator.cli.backup_file import Header

_OPTION = "--ledger"


@dataclass(slots=True)
class LedgerCopy:
    """A copy.

    Attributes:
        torn: bytes of a last line that a power cut has left incomplete; such a record was never confirmed.
        sha256: of the whole lines, once they were checked.
        until: when its last record was made, ISO 8601; empty without records, or before it was checked.
    """

    path: Path
    torn: int = 0
    sha256: str = ""
    until: str = ""

    def check(self, header: Header, keys: Keys | None) -> VerifyReport:
        """Verify the copy, and that it goes on from a backup's ledger. Raises InvalidInput: it cannot be read."""
        digest, last = hashlib.sha256(), b""

        def lines() -> Iterator[bytes]:
            nonlocal last
            for last in self._lines():
                digest.update(last)
                yield last

        report = verify(lines(), keys=keys, expected_head=header.head, expected_records=header.records)
        self.sha256 = digest.hexdigest()
        if report.ok and last:
            self.until = record_of(last).time.isoformat(timespec="seconds")
        return report

    def records(self) -> Iterator[Record]:
        """Yield the records that were checked.

        Raises:
            InvalidInput: the file was changed since, which shows when all of them were read.
            LedgerDiverged: a line is no record.
        """
        digest = hashlib.sha256()
        for line in self._lines():
            digest.update(line)
            yield record_of(line)
        if digest.hexdigest() != self.sha256:
            raise InvalidInput("was changed while it was read", source=str(self.path), field=_OPTION)

    def _lines(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                for line in file:
                    if line.endswith(b"\n"):
                        yield line
                    else:
                        self.torn = len(line)
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", source=str(self.path), field=_OPTION) from error
