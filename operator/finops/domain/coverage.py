"""How much of an account's use Reserved Instances and Savings Plans paid for lately, as AWS's bill says it.

Read by a scan whose policy wants it, shown by `finops costs` and `finops doctor`. It is a figure about the past and of
the whole account: no saving is worked out from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from finops.domain.resource import Gap

DAYS: Final = 30
LAG_DAYS: Final = 1
"""AWS's bill is a day late at most (Cost Management user guide, "Cost Explorer")."""
_HUNDRED: Final = Decimal(100)
_TENTH: Final = Decimal("0.1")


def covered_days(today: date) -> tuple[date, date]:
    """Return the first day, and the day after the last, that are asked about on `today`."""
    end = today - timedelta(days=LAG_DAYS)
    return end - timedelta(days=DAYS), end


@dataclass(frozen=True, slots=True)
class Share:
    """What was paid for by commitments, of what they could have paid for; both in hours, or both in money."""

    covered: Decimal
    total: Decimal

    @property
    def percent(self) -> Decimal | None:
        """The share in percent, to a tenth; None where there was nothing to pay for."""
        if not self.total:
            return None
        return (self.covered * _HUNDRED / self.total).quantize(_TENTH, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What AWS said of one account on one day; None: it was not answered, and `gaps` says why.

    Attributes:
        account: 12 digits.
        asked: UTC day of the question.
        start, end: the days it is about, `end` not among them.
        reserved: instance-hours of EC2 under Reserved Instances, of all on demand and reserved.
        planned: spend under Savings Plans, of all that they could have paid for, at on-demand prices.
    """

    account: str
    asked: date
    start: date
    end: date
    reserved: Share | None = None
    planned: Share | None = None
    gaps: tuple[Gap, ...] = ()

    def in_words(self) -> str:
        """Return both shares as a sentence without its end: what is not known is called so."""
        return f"from {self.start} to {self.end - timedelta(days=1)} {'; '.join(self._parts())}"

    def _parts(self) -> Iterator[str]:
        yield _paid("Reserved Instances", "the hours of EC2 instances", self.reserved)
        yield _paid("Savings Plans", "what they can pay for", self.planned)


def _paid(name: str, of_what: str, share: Share | None) -> str:
    if share is None:
        return f"how much of {of_what} {name} paid for is not known"
    if share.percent is None:
        return f"nothing was used that {name} can pay for"
    return f"{name} paid for {share.percent} % of {of_what}"
