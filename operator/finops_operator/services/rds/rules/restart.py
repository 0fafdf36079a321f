"""When AWS starts a stopped database instance again, and what a stop saves until then; pure.

Source: Amazon RDS user guide, "Stopping an Amazon RDS DB instance temporarily".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from finops_operator.plugins.check import Facts
from finops_operator.services.rds.rules.states import STOPPED

RESTARTED_AFTER: Final = timedelta(days=7)
_HOURS: Final = Decimal(RESTARTED_AFTER // timedelta(hours=1))


def database_with_stop(facts: Facts[Any]) -> Decimal | None:
    """Return what an instance costs in a month with a stop: for a week what is billed while it is stopped."""
    stopped = facts.cost_of(replace(facts.resource, state=STOPPED)).unrounded_monthly
    return cost_with_stop(facts.cost.unrounded_monthly, stopped, facts.settings.hours_per_month)


def cluster_with_stop(facts: Facts[Any]) -> Decimal | None:
    """Return what a cluster and its members cost in a month with a stop: then storage alone is billed for a week."""
    return cluster_part_with_stop(facts, None if facts.cost.attributed is None else facts.cost.attributed.whole)


def cluster_part_with_stop(facts: Facts[Any], members: Decimal | None) -> Decimal | None:
    """Return the same where the members cost `members` a month while they run; None: not known."""
    own = facts.cost.unrounded_monthly
    stopped = facts.cost_of(replace(facts.resource, state=STOPPED)).unrounded_monthly
    running = None if own is None or members is None else own + members
    return cost_with_stop(running, stopped, facts.settings.hours_per_month)


def cost_with_stop(running: Decimal | None, stopped: Decimal | None, hours_per_month: Decimal) -> Decimal | None:
    """Return what an instance costs in the month in which it is stopped once: AWS bills it again after seven days.

    Args:
        running: what it costs a month while it runs, unrounded; None: not known.
        stopped: what it costs a month while it is stopped, likewise.
        hours_per_month: of the month in which both are counted, at least 672.
    """
    if running is None or stopped is None:
        return None
    return running - (running - stopped) * _HOURS / hours_per_month
