"""How much commitments paid for, in lines for people beside the costs at list prices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from finops.store.connection import Store
from finops.store.coverage import CoverageStore


def coverage_notes(store: Store, accounts: Iterable[str]) -> tuple[str, ...]:
    """Return a line for each account that scans have asked about; none for others.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    return tuple(_notes(CoverageStore(store), accounts))


def _notes(kept: CoverageStore, accounts: Iterable[str]) -> Iterator[str]:
    for account in sorted(accounts):
        found = kept.get(account)
        if found is not None:
            yield f"account {account}: {found.in_words()} (Cost Explorer, asked {found.asked})"
