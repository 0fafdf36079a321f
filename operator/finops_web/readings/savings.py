"""What acts that ended well save together."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from finops.store.connection import Store
from finops.store.realized import StoredSavings, saved_a_month


def realised_of(store: Store, namespaces: Collection[str], now: datetime) -> tuple[Decimal, int]:
    """Return what ended acts of the namespaces save a month, and how many they are. Raises StoreUnavailable."""
    known = [one for one in StoredSavings(store).read() if one.get("namespace") in namespaces]
    return saved_a_month(known, now), len(known)
