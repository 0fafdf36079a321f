"""What was announced, as whoever follows the notices reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from finops.domain.notice import Notice
from finops.store.connection import Store
from finops.store.notices import StoredNotices


def announced(store: Store) -> list[Notice]:
    """Return all notices, the oldest first."""
    return [notice for _, notice in StoredNotices(store).after("", 1000) if notice is not None]


def budget_alert(percent: int, **changes: Any) -> Notice:
    """Return the alert of a budget at a threshold, noticed now."""
    made = Notice(
        id=f"budget:0a1b:2026-11:Actual:{percent}",
        type="budget.alert",
        namespace="team-a",
        subject="Budget/orders",
        time=datetime.now(UTC),
        text=f"Budget orders: 2026-11 has cost {percent}.00 of 100.00 USD, {percent} % or more.",
        title=f"Budget orders: {percent} % of the month's budget is spent",
        lines=(("How much", f"{percent}.00 of 100.00 USD, actual cost; threshold {percent} %."),),
        commands=("kubectl -n team-a get budget orders -o yaml",),
        page="/budgets",
        channels=("C0FINOPS01",),
    )
    return replace(made, **changes)
