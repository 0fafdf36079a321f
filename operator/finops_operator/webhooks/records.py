"""Reads the ledger's records for the webhooks, and believes none that is not signed and in its place of the chain.

Whoever writes the store writes its stream too: without the check their events would leave under our signature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from finops.domain.audit import GENESIS_HASH, Record
from finops.errors import LedgerDiverged
from finops.ledger.signing import Keyring
from finops.store.connection import Store
from finops.store.ledger import LedgerStream


@dataclass(frozen=True, slots=True)
class LedgerRecords:
    """Records of the store's ledger.

    Attributes:
        keys: whose signatures count.
    """

    store: Store
    keys: Keyring

    def end(self) -> str:
        """Return the place of the last record. Raises LedgerUnavailable."""
        return str(LedgerStream(self.store, self.keys.check).head().sequence)

    def after(self, place: int, count: int) -> Iterator[Record]:
        """Yield at most `count` records behind a place, in order.

        Raises:
            LedgerDiverged: a record is not signed by a trusted key, or does not continue the one before it.
            LedgerUnavailable: the store does not answer.
        """
        # The record at the place was believed before; it is read again for what the next one has to continue.
        again = 1 if place else 0
        last, digest = place - again, "" if place else GENESIS_HASH
        for record in LedgerStream(self.store, self.keys.check).read(last + 1, count=count + again):
            if record.sequence != last + 1 or digest not in ("", record.previous_hash):
                raise LedgerDiverged(f"record {record.sequence} does not continue the ledger after record {last}")
            last, digest = record.sequence, record.hash
            if record.sequence > place:
                yield record
