"""What changed when cost was out of the ordinary: an anomaly of a sum, and the parts that moved most. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from finops.domain.analytics.anomalies import Anomaly, Gates, anomalies
from finops.domain.analytics.comparing import comparable
from finops.domain.analytics.series import LONGEST_GAP_DAYS, Part, added

GATES: Final = Gates()
"""What the pages show."""
ALERT_GATES: Final = Gates(money=100.0, percent=40.0)
"""What people are alerted of: 100 US dollars a day and 40 percent."""
_CAUSES: Final = 3


@dataclass(frozen=True, slots=True)
class Cause:
    """A part of the cost that changed on the first day of an anomaly; `extra` is per day."""

    part: Part
    extra: float
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Explained:
    """An anomaly and the parts that changed most, in its direction."""

    anomaly: Anomaly
    causes: tuple[Cause, ...]


def explained(parts: Collection[Part], today: date, gates: Gates = GATES) -> tuple[Explained, ...]:
    """Return the anomalies of the sum of `parts` that compare, the latest first, each with what changed."""
    members = comparable(parts, today)
    series = added(members, today)
    found = anomalies(series, gates) if series is not None else ()
    return tuple(Explained(one, _causes(members, one)) for one in reversed(found))


def _causes(parts: Collection[Part], one: Anomaly) -> tuple[Cause, ...]:
    changes = (_change(part, one.first) for part in parts)
    sign = 1 if one.extra > 0 else -1
    same = sorted((change for change in changes if sign * change.extra > 0), key=lambda change: -abs(change.extra))
    return tuple(same[:_CAUSES])


def day_before(part: Part, day: date, first: date) -> date | None:
    """Return the day with which one is compared: the latest same weekday before `first`, or the day before `first`.

    Where that was not scanned it is the last one before it, as far back as a part counts as unchanged.
    """
    weekday = day - timedelta(days=7 * ((day - first).days // 7 + 1))
    before = (first - timedelta(days=number) for number in range(1, LONGEST_GAP_DAYS + 2))
    return next((one for one in (weekday, *before) if one in part.costs), None)


def _change(part: Part, day: date) -> Cause:
    """Return by how much a part differs from the same weekday a week ago; or, without it, from the day before.

    One that was not scanned that day counts as unchanged.
    """
    before = day_before(part, day, day)
    extra = part.costs[day] - (part.costs[before] if before else 0.0) if day in part.costs else 0.0
    return Cause(part, extra, part.resources.get(before) if before else None, part.resources.get(day))
