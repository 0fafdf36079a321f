"""Changes of cost that people expect: they stay listed, and alert nobody until a day that was named. Pure.

What is expected is one part of the cost that changes in one direction. An anomaly alerts nobody only when nothing
is left of it without the parts that are expected: whatever else changes on the same day is still an alert. So is a
part that changes by more than twice of what it did when somebody said so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from finops.domain.analytics.anomalies import Gates
from finops.domain.analytics.causes import Explained, day_before, explained
from finops.domain.analytics.series import Part

LONGEST_REASON: Final = 300
LONGEST_DAYS: Final = 366
CEILING: Final = 2
"""How many times the extra of the day it was said a change may come to before it alerts all the same; our choice."""
_MONEY: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")


class Way(StrEnum):
    """In which direction a cost changes."""

    MORE = "More"
    LESS = "Less"

    @classmethod
    def of(cls, extra: float) -> Way:
        """Return the direction of a change."""
        return cls.MORE if extra > 0 else cls.LESS


@dataclass(frozen=True, slots=True)
class Expected:
    """One change that somebody expects.

    Attributes:
        account, region, service: the part of the cost.
        extra: by how much it had changed when it was said, in US dollars a day, of either direction.
        until: the last day, in UTC, on which it alerts nobody.
        by: who said so.
        at: when, aware.
    """

    account: str
    region: str
    service: str
    way: Way
    reason: str
    until: date
    by: str
    at: datetime
    extra: Decimal

    @property
    def most(self) -> float:
        """The change, in US dollars a day, above which it alerts all the same."""
        return CEILING * float(self.extra)

    def is_in_force(self, today: date) -> bool:
        """Return whether it keeps alerts back: its last day is neither over nor further away than may be said."""
        return today <= self.until and not self.is_too_far(today)

    def is_too_far(self, today: date) -> bool:
        """Return whether its last day is further away than may be said: with kubectl anybody can write any day."""
        return self.until > today + timedelta(days=LONGEST_DAYS)

    @property
    def mark(self) -> str:
        """20 hexadecimal characters that stand for part and direction: who says it again replaces it."""
        words = json.dumps([self.account, self.region, self.service, self.way.value])
        return sha256(words.encode()).hexdigest()[:20]

    def takes(self, part: Part, way: Way, day: date) -> bool:
        """Return whether a change of a part on a day is this one."""
        named = (self.account, self.region, self.service) == (part.account, part.region, part.kind)
        return named and self.way is way and day <= self.until

    def to_json(self) -> dict[str, str]:
        return {
            "account": self.account,
            "region": self.region,
            "service": self.service,
            "way": self.way.value,
            "reason": self.reason,
            "until": self.until.isoformat(),
            "by": self.by,
            "at": self.at.isoformat(),
            "extraPerDay": f"{self.extra}",
        }


def to_text(one: Expected) -> str:
    """Return it as one JSON text."""
    return json.dumps(one.to_json(), ensure_ascii=False, separators=(",", ":"))


def from_text(text: str) -> Expected | None:
    """Return what `to_text` wrote; None for anything else, which then keeps no alert back."""
    try:
        found: Any = json.loads(text)
        words = {key: found[key] for key in ("account", "region", "service", "reason", "by")}
        one = Expected(
            **words,
            way=Way(found["way"]),
            until=date.fromisoformat(found["until"]),
            at=datetime.fromisoformat(found["at"]),
            extra=money(found["extraPerDay"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    is_ours = all(isinstance(word, str) and len(word) <= LONGEST_REASON for word in words.values())
    return one if is_ours and one.at.tzinfo is not None else None


def problem_of(text: str) -> str:
    """Return why `from_text` takes a text for nothing, in one clause about it; empty where it takes it."""
    if from_text(text) is not None:
        return ""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return "is no JSON object"
    missing = [name for name in _FIELDS if name not in found]
    if missing:
        advice = ', such as "200.00": by how much the cost had changed, in US dollars a day'
        return f"has no {', '.join(missing)}{advice if missing == ['extraPerDay'] else ''}"
    wrong = [name for name, is_right in _FIELDS.items() if not is_right(found[name])]
    return f"has a wrong {', '.join(wrong)}"


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_REASON


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_money(value: object) -> bool:
    return isinstance(value, str) and _MONEY.fullmatch(value) is not None


_FIELDS: Final[dict[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("account", "region", "service"), _is_word),
    "way": lambda value: isinstance(value, str) and value in {one.value for one in Way},
    **dict.fromkeys(("reason", "by"), _is_word),
    "until": _is_day,
    "at": _is_instant,
    "extraPerDay": _is_money,
}
"""Field of the annotation → what it must be."""


def money(text: str) -> Decimal:
    """Return an amount of US dollars with at most two decimals. Raises ValueError: the text is none."""
    if _MONEY.fullmatch(text) is None:
        raise ValueError("is no amount of US dollars with at most two decimals")
    return Decimal(text)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An anomaly that alerts: all of it, or what is left of it without what is expected.

    Attributes:
        without: marks of what is expected and was left out, in order; empty: nothing was.
    """

    one: Explained
    without: tuple[str, ...] = ()


def unexpected(parts: Collection[Part], today: date, gates: Gates, expected: Collection[Expected]) -> tuple[Alarm, ...]:
    """Return the anomalies of the sum of `parts` that nobody expects, the latest first."""
    found: dict[tuple[date, date], Alarm] = {}
    for one in explained(parts, today, gates):
        way, taken, loud = Way.of(one.anomaly.extra), set[str](), list[Part]()
        for part in parts:
            said = [this for this in expected if this.takes(part, way, one.anomaly.first)]
            left = _left(part, one, way, max(this.most for this in said)) if said else part
            if left is not part:
                taken |= {this.mark for this in said}
            if left is not None:
                loud.append(left)
        if not taken:
            found[one.anomaly.first, one.anomaly.last] = Alarm(one)
            continue
        rest = (other for other in explained(loud, today, gates) if Way.of(other.anomaly.extra) is way)
        # What is left may begin later than the whole did, and end earlier.
        for other in rest:
            if _overlap(other, one):
                found.setdefault((other.anomaly.first, other.anomaly.last), Alarm(other, tuple(sorted(taken))))
    return tuple(found.values())


def _left(part: Part, one: Explained, way: Way, most: float) -> Part | None:
    """Return what alerts of a part that is expected to change by `most` a day: nothing, or its days above that.

    The days of the anomaly below it count as if they had cost what they did before it began.
    """
    first, last, calm = one.anomaly.first, one.anomaly.last, dict[date, float]()
    days = [day for day in part.costs if first <= day <= last]
    for day in days:
        before = day_before(part, day, first)
        usual = part.costs[before] if before else 0.0
        if abs(part.costs[day] - usual) <= most or Way.of(part.costs[day] - usual) is not way:
            calm[day] = usual
    if len(calm) == len(days):
        return None
    return replace(part, costs={**part.costs, **calm}) if calm else part


def _overlap(one: Explained, other: Explained) -> bool:
    return one.anomaly.first <= other.anomaly.last and other.anomaly.first <= one.anomaly.last
