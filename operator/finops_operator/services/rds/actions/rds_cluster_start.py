"""Start a stopped Aurora cluster with all its instances before AWS does; its inverse is stop.

Parameter: `endState`, `stopped` for the undo of an earlier start, which stops the cluster; none for a start. The undo
of a stop is no such act: it is `rds_cluster_stop` itself, under what allowed and bounded the stop. A start that AWS
refuses or takes back leaves the cluster stopped, as it was. What it costs then is known where the classes of its
members have a price: their hours, with the storage, and requests as the last 30 days have them. Source: Amazon Aurora
user guide, "Stopping and starting an Amazon Aurora DB cluster"; RDS API reference, StartDBCluster.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from finops_operator.plugins.action import Action
from finops_operator.plugins.check import Facts
from finops_operator.services.rds.judging.members import member_hours
from finops_operator.services.rds.rules.pause_acts import start_act
from finops_operator.services.rds.rules.paused_cluster import PAUSED
from finops_operator.services.rds.rules.states import AVAILABLE


def _running_cost(facts: Facts[Any]) -> Decimal | None:
    own, hours = facts.cost_of(replace(facts.resource, state=AVAILABLE)).unrounded_monthly, member_hours(facts)
    return None if own is None or hours is None else own + hours * facts.settings.hours_per_month


ACTION: Final[Action] = start_act("rds_cluster_start", PAUSED, _running_cost)
