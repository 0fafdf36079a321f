"""What acts that ended well save together."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from finops.store.connection import Store
from finops.store.realized import StoredSavings


def realised_of(store: Store, namespaces: Collection[str]) -> tuple[Decimal, int]:
    """Return what ended acts of the namespaces save a month, and how many they are. Raises StoreUnavailable."""
    known = [one for one in StoredSavings(store).read() if one.get("namespace") in namespaces]
    return sum((Decimal(one.get("saving") or 0) for one in known), Decimal("0.00")), len(known)
