"""Whether nothing happened for weeks: the days of a whole month, and the hours up to now. Pure.

Hours are read over a policy's lookback, days over as many as a check asks for, and they end with yesterday. So what is
called idle must show nothing in either picture, and no day of either may be missing. Shared by the checks of volumes,
NAT gateways and endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Facts
from finops_operator.plugins.window import days_unseen, summaries
from finops_operator.services.ec2.rules.by_day import by_day


def unseen(facts: Facts[Any], names: Iterable[str], least: Decimal) -> str:
    """Return why one of the metrics does not show the last `least` days or the last hours, empty when all do."""
    wanted = tuple(names)
    return days_unseen(facts, by_day(wanted), least) or days_unseen(facts, wanted, Decimal(0))


def both(facts: Facts[Any], name: str) -> tuple[MetricSummary, MetricSummary]:
    """Return what a metric was by days and by hours, after `unseen` said nothing."""
    days, hours = summaries(facts, (*by_day((name,)), name))
    return days, hours


def most(facts: Facts[Any], name: str) -> float:
    """Return the highest value of a metric in either picture."""
    return max(one.maximum for one in both(facts, name))


def amount(facts: Facts[Any], name: str) -> float:
    """Return how much a counter counted, in the picture that saw more of it."""
    return max(one.total or 0.0 for one in both(facts, name))
