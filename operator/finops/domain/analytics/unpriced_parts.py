"""Which parts of a cost have no price, and are left out by name: what is known of the others is then a lower bound.

Such a part adds nothing to any sum, so that leaving it out changes no figure, however its days are known. A part that
has had a price on some of the days that figures lean on is another matter: leaving it out would be a jump. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

from finops.domain.analytics.day_map import DayMap
from finops.domain.analytics.series import LONGEST_GAP_DAYS, Part, first_cost, lacking_prices

DAYS_USED: Final = 31
"""A month, and no fewer than a forecast needs: a part that had a price on one of them stays among the others."""


class Split(NamedTuple):
    """The parts of a cost by whether they have a price.

    Attributes:
        priced: all others; empty where nothing has a price.
        unpriced: those without any price on the days that are used.
    """

    priced: list[Part]
    unpriced: list[Part]


def split_by_price(parts: Iterable[Part], today: date | None = None) -> Split:
    """Return the parts that have a price and those that have none, each in the order given.

    A part has none where nothing of it has a price on some of the days used, and it cost nothing on the others. One
    that never had a price and is known to be gone since is in neither: there is nothing of it.

    Args:
        parts: of the cost.
        today: the days used are the last `DAYS_USED` until then; None for all days that were kept.
    """
    split, gone = Split([], []), list[Part]()
    since = today - timedelta(days=DAYS_USED - 1) if today is not None else date.min
    for one in parts:
        if not _has_no_price(one, since):
            split.priced.append(one)
        elif today is None or not _is_gone(one, since, today):
            split.unpriced.append(one)
        else:
            gone.append(one)
    # Where there was never anything else, that there is nothing now is known of them.
    return split if any(split) else Split(gone, [])


def _has_no_price(part: Part, since: date) -> bool:
    if not any(day not in part.costs for day in part.unpriced):
        return False
    if not _cost_since(part, date.min):
        return True
    used = any(day >= since and day not in part.costs for day in part.unpriced)
    return used and not _cost_since(part, since)


def _is_gone(part: Part, since: date, until: date) -> bool:
    """Return whether a part without a price is known to be nothing any more: it lacked none on the days used."""
    recent = any(day >= until - timedelta(days=LONGEST_GAP_DAYS) for day in part.costs)
    return recent and all(day < since or day in part.costs for day in part.unpriced)


def _cost_since(part: Part, since: date) -> bool:
    """Return whether a part cost anything on one of its days from `since` on."""
    costs = DayMap.of(part.costs)
    start = max(0, since.toordinal() - costs.first)
    return any(known and cost for known, cost in zip(costs.known[start:], costs.places[start:], strict=True))


def days_at_least(split: Split, days: Collection[date]) -> frozenset[date]:
    """Return those of the days on which something has no price, so that the sum of the priced parts is a lower bound.

    A part without a price lacks one from its first day on. It does so on the days before as well, unless it is known
    that there was nothing of it.
    """
    found = frozenset(days) & lacking_prices(split.priced)
    for one in split.unpriced:
        first, began = min(one.unpriced), first_cost(one)
        begins_free = began is not None and began < first and not one.unknown
        found |= frozenset(day for day in days if not begins_free or day >= first)
    return found
