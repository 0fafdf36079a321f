"""Rounding rules of money, in one place so that columns always add up.

Unit prices and savings are never rounded before these functions; totals add figures that are already rounded.
Rules and the classic sheet they reproduce (t2.large at 0.0928 an hour and 720 hours: 66.82 a month, 801.84 a year)
are in docs/architecture.md, section Money.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CURRENCY: Final = "USD"
DEFAULT_HOURS_PER_MONTH: Final = Decimal(730)
DAY_OF_MONTH: Final = Decimal(24) / DEFAULT_HOURS_PER_MONTH
"""The history keeps what 730 hours cost as things stood that day; this share of it is the day's cost."""
_CENT: Final = Decimal("0.01")
_TENTHS: Final = Decimal(1000)
"""Of a percent, in the whole."""
_MONTHS: Final = 12
_HOURS_OF_DAY: Final = 24


def to_cents(amount: Decimal) -> Decimal:
    """Round to whole cents, half away from zero, as invoices do."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)


def annual_from_monthly(monthly: Decimal) -> Decimal:
    """Return twelve times the *rounded* monthly figure, so that the two columns agree."""
    return to_cents(to_cents(monthly) * _MONTHS)


def daily_from_monthly(total_monthly: Decimal, hours_per_month: Decimal = DEFAULT_HOURS_PER_MONTH) -> Decimal:
    """Return what 24 of a month's hours cost, rounded to cents: a thirtieth of a month of 720 hours."""
    return to_cents(total_monthly * _HOURS_OF_DAY / hours_per_month)


def total(amounts: Iterable[Decimal | None]) -> Decimal:
    """Add already rounded amounts. `None` (no price) adds nothing; callers count and show those apart."""
    return sum((to_cents(amount) for amount in amounts if amount is not None), Decimal("0.00"))


def shares(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Return what percentage each amount is of their sum, to a tenth; together they are 100.0, or 0 where the sum is 0.

    What rounding down leaves goes to those that lose most by it (the method of the largest remainder), so that no
    column of a table ends at 99.9.
    """
    whole = sum(amounts, Decimal(0))
    if not whole:
        return [Decimal("0.0")] * len(amounts)
    exact = [_TENTHS * amount / whole for amount in amounts]
    tenths = [int(one) for one in exact]
    left = int(_TENTHS) - sum(tenths)
    for place in sorted(range(len(exact)), key=lambda place: tenths[place] - exact[place])[:left]:
        tenths[place] += 1
    return [Decimal(one).scaleb(-1) for one in tenths]


def clamp_saving(saving: Decimal, current_cost: Decimal) -> Decimal:
    """Hold the product's promise 0 ≤ saving ≤ current cost."""
    return max(Decimal(0), min(saving, current_cost))


def as_text(amount: Decimal | None) -> str | None:
    """Return the decimal string JSON carries, or None where there is no price."""
    return None if amount is None else f"{amount:f}"
