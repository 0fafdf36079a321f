"""The verdict on the ledger: verified by the offline verifier, kept until the ledger grows or somebody asks again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from finops.audit_verify import Keys, VerifyReport, verify
from finops.audit_verify.report import Problem
from finops.domain.audit import RecordKind
from finops.domain.canonical import Json
from finops.errors import Conflict, InvalidInput, LedgerDiverged
from finops.ledger.checkpoint import parse_checkpoint
from finops.ledger.lines import line_of
from finops.ledger.proofs import prove_request
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.ledger import Head, LedgerStream, unchecked

BY_ITSELF: Final = 5_000
"""A page verifies a ledger of so many records without being asked; a longer one takes seconds."""
_ACTS: Final = frozenset({"Approval", "Proposal", "Expiry", "Plan"})
_CALLS: Final = frozenset({"Pairing", "Operation", "Duplicate", "Correction"})
_CHAIN: Final = frozenset({"Chain", "Sequence", "Hash", "Form", "Head", "Size"})
_SIGNATURES: Final = frozenset({"Signature", "Key"})
_WRITERS: Final = frozenset({"Fence"})


@dataclass(slots=True)
class _Counts:
    acts: int = 0
    calls: int = 0
    writers: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked. `done` is False where it could not be checked; `wrong` counts problems."""

    title: str
    count: int
    what: str
    wrong: int
    done: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found, when, and how long it took."""

    report: VerifyReport
    checks: tuple[Check, ...]
    at: datetime
    seconds: float

    @property
    def intact(self) -> bool:
        """Return whether there is a ledger and nothing is wrong with it; of nothing, nothing can be said."""
        return self.report.ok and self.report.records > 0

    @property
    def first_problem(self) -> Problem | None:
        return next(iter(self.report.problems), None)


class Verdicts:
    """Verifies the ledger; thread-safe. Every method raises LedgerUnavailable.

    Args:
        keys: whose signatures count; None leaves them unchecked, and the verdict says so.
    """

    def __init__(self, store: Store, keys: Keys | None, clock: Clock) -> None:
        self.stream = LedgerStream(store, unchecked)
        self._keys = keys
        self._clock = clock
        self._kept: tuple[Head, Verdict] | None = None
        self._lock = threading.Lock()

    def verdict(self, *, again: bool) -> Verdict | None:
        """Return the verdict; None when the ledger is long, was not verified as it stands, and nobody asks for it."""
        head = self.stream.head()
        with self._lock:
            if not again and self._kept is not None and self._kept[0] == head:
                return self._kept[1]
            if not again and head.sequence > BY_ITSELF:
                return None
            started, counts = time.perf_counter(), _Counts()
            try:
                report = verify(self._lines(counts), keys=self._keys)
            except LedgerDiverged as error:
                # What is stored is not even a ledger any more: that is the verdict, not a failure of the page.
                report = VerifyReport(head.sequence, 0, "", (Problem(0, "Form", error.message),), (), False)
            found = Verdict(report, _checks(report, counts), self._clock.now(), time.perf_counter() - started)
            self._kept = (head, found)
            return found

    def proof(self, request: str) -> dict[str, Json]:
        """Return the proof that the records of a request lead to the latest signed checkpoint.

        Raises:
            InvalidInput: no checkpoint covers the request yet.
            Conflict: what is stored is not the ledger that the checkpoint covers.
        """
        text = self.stream.checkpoint()
        if not text:
            raise InvalidInput(
                "there is no checkpoint yet", field="story", hint="the operator makes one within minutes"
            )
        try:
            return prove_request(self.stream.read(), request, parse_checkpoint(text)).document
        except LedgerDiverged as error:
            raise Conflict(error.message, code="LedgerDiverged", hint=error.hint) from error

    def _lines(self, counts: _Counts) -> Iterator[bytes]:
        for one in self.stream.read():
            counts.calls += one.entry.kind is RecordKind.INTENT
            counts.acts += one.entry.kind is RecordKind.OUTCOME and one.entry.result == "started"
            counts.writers += one.entry.kind is RecordKind.ACQUIRED
            yield line_of(one)
        self.stream.whole_head()


def _checks(report: VerifyReport, counts: _Counts) -> tuple[Check, ...]:
    def wrong(codes: frozenset[str]) -> int:
        return sum(1 for one in report.problems if one.code in codes)

    records = report.records
    return (
        Check("Chain of hashes", records, "records follow each other", wrong(_CHAIN)),
        Check("Signatures", records, "records signed by a known key", wrong(_SIGNATURES), report.signed),
        Check("Approved first", counts.acts, "acts began after their votes", wrong(_ACTS)),
        Check("Written first", counts.calls, "calls were written before they were made", wrong(_CALLS)),
        Check("One writer", counts.writers, "changes of the writing process", wrong(_WRITERS)),
    )
