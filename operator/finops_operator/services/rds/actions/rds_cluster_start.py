"""Start a stopped Aurora cluster with all its instances before AWS does; its inverse is stop.

Parameter: `endState`, `stopped` for the undo of an earlier start, which stops the cluster; none for a start. The undo
of a stop is no such act: it is `rds_cluster_stop` itself, under what allowed and bounded the stop. A start that AWS
refuses or takes back leaves the cluster stopped, as it was. What it will cost is not known here: the hours are those of
its members. Source: Amazon Aurora user guide, "Stopping and starting an Amazon Aurora DB cluster"; RDS API reference,
StartDBCluster.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from finops_operator.plugins.action import Action
from finops_operator.plugins.check import Facts
from finops_operator.services.rds.rules.pause_acts import start_act
from finops_operator.services.rds.rules.paused_cluster import PAUSED


def _not_known(_facts: Facts[Any]) -> Decimal | None:
    """Return that the price is not known, so that a check of a policy's own can ask for a start all the same."""
    return None


ACTION: Final[Action] = start_act("rds_cluster_start", PAUSED, _not_known)
