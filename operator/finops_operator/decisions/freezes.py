"""The freeze in the ledger: what the switch was set to, so that an act's first record depends on it.

The switch itself is a ConfigMap, on which the store cannot make an append depend. So each turn of it is a record, and
whoever announces a call does so only while the freeze that would come next is not recorded.

| operation id | kind | result | detail |
|---|---|---|---|
| `frozen:all:N` | frozen | on, off | reason, empty when it is lifted |

Written by housekeeping as soon as it sees the switch turned; read by the gate and before an intent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from finops.domain.audit import Entry, RecordKind
from finops.ports.ledger import Ledger
from finops_operator.decisions.series import Numbers

_SUBJECT: Final = "all"
_ON: Final = "on"


@dataclass(frozen=True, slots=True)
class Freezes:
    """Each method raises LedgerUnavailable, LedgerDiverged; `note` FenceLost too."""

    ledger: Ledger

    def reason(self) -> str:
        """Return why all acts are frozen, by the last record; empty when they are not."""
        numbers = self._numbers
        last = numbers.get(numbers.last())
        if last is None or last.entry.result != _ON:
            return ""
        return str(last.entry.detail.get("reason") or "no reason is recorded")

    def next_id(self) -> str:
        """Return the operation id of the next turn of the switch: while there is none, nobody has turned it since."""
        return self._numbers.next_id()

    def note(self, reason: str) -> None:
        """Record that the switch was turned, to a reason or, empty, to not frozen; may be repeated.

        The first turn is recorded whatever it says: an older release wrote freezes under other ids, and the record of
        such a freeze stands until one that lifts it.
        """
        numbers = self._numbers
        number = numbers.last()
        last = numbers.get(number)
        if last is not None and reason == str(last.entry.detail.get("reason") or ""):
            return
        entry = Entry(
            operation_id="",
            actor="operator",
            kind=RecordKind.FROZEN,
            result=_ON if reason else "off",
            detail={"reason": reason},
        )
        numbers.put(number + 1, entry)

    @property
    def _numbers(self) -> Numbers:
        return Numbers(self.ledger, RecordKind.FROZEN, _SUBJECT)
