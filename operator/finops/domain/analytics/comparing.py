"""Which parts of the cost compare with each other from day to day: what anomalies and forecasts lean on. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from finops.domain.analytics.anomalies import WARM_UP_DAYS
from finops.domain.analytics.series import Part, added, last_hole, late, priceless


@dataclass(frozen=True, slots=True)
class Compared:
    """The parts that compare, and those that are left out of every day.

    Attributes:
        parts: days on which nothing of one has a price are days that are not known: a price that comes or goes is no
            change of the cost.
        late: last day → the parts of which nothing was kept since (`series.late`).
        priceless: those without any price on `last`.
        last: the last day that is known of all parts but the late ones; None where there is none.
        holed: day → the parts that were not known until then for too long to count as unchanged, so recently that no
            day since could be judged.
    """

    parts: list[Part]
    late: dict[date, list[Part]]
    priceless: list[Part]
    last: date | None
    holed: dict[date, list[Part]]


def compared(parts: Iterable[Part], until: date) -> Compared:
    """Return which parts compare for anomalies: what is left out hides no change of the others.

    Where every part was not known for days there is nothing else to judge by, and none is left out for it.
    """
    found = trainable(parts, until)
    holed = {day: of_day for day, of_day in holes(found.parts, until).items() if (until - day).days <= WARM_UP_DAYS}
    gone = {id(one) for of_day in holed.values() for one in of_day}
    rest = [one for one in found.parts if id(one) not in gone]
    return replace(found, parts=rest, holed=holed) if rest else found


def comparable(parts: Iterable[Part], until: date) -> list[Part]:
    """Return the parts that compare for anomalies, as `compared` does."""
    return compared(parts, until).parts


def trainable(parts: Iterable[Part], until: date) -> Compared:
    """Return which parts a forecast leans on: a part with a hole stays, since what it will cost is paid as well."""
    members = list(parts)
    gone = late(members, until)
    ids = {id(one) for of_day in gone.values() for one in of_day}
    recent = [one for one in members if id(one) not in ids]
    series = added(recent, until)
    without = [one for one in recent if series is not None and series.last in priceless(one)]
    ids = {id(one) for one in without}
    kept = [_priced(one) for one in recent if id(one) not in ids]
    return Compared(kept, gone, without, series.last if series is not None else None, {})


def holes(parts: Iterable[Part], until: date) -> dict[date, list[Part]]:
    """Return last day of the last hole → the parts that have it, the latest day first."""
    found: dict[date, list[Part]] = {}
    for one in parts:
        day = last_hole(one, until)
        if day is not None:
            found.setdefault(day, []).append(one)
    return dict(sorted(found.items(), reverse=True))


def cut_by(parts: Iterable[Part], first: date, until: date) -> list[Part]:
    """Return the parts with the hole after which a series begins that begins on `first`."""
    return holes(parts, until).get(first - timedelta(days=1), [])


def _priced(part: Part) -> Part:
    """Return a part without the days on which nothing of it has a price."""
    if all(day in part.costs for day in part.unpriced):
        return part
    return replace(part, unpriced=frozenset(day for day in part.unpriced if day in part.costs))
