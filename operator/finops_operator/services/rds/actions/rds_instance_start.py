"""Start a stopped database instance before AWS does; its inverse is stop.

Parameter: `endState`, `stopped` for the undo of an earlier start, which stops the database; none for a start. The undo
of a stop is no such act: it is `rds_instance_stop` itself, under what allowed and bounded the stop. This one is for a
check of a policy's own, since nothing of it saves anything. A start that AWS refuses or takes back leaves the database
stopped, as it was. Source: Amazon RDS user guide, "Starting an Amazon RDS DB instance that was previously stopped"; RDS
API reference, StartDBInstance.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from finops_operator.plugins.action import Action
from finops_operator.plugins.check import Facts
from finops_operator.services.rds.rules.pause_acts import start_act
from finops_operator.services.rds.rules.paused_instance import PAUSED
from finops_operator.services.rds.rules.states import AVAILABLE


def _running_cost(facts: Facts[Any]) -> Decimal | None:
    return facts.cost_of(replace(facts.resource, state=AVAILABLE)).unrounded_monthly


ACTION: Final[Action] = start_act("rds_instance_start", PAUSED, _running_cost)
