"""Stop an Aurora cluster with all its instances; its inverse is start. Storage and backups are still billed.

Parameter: `endState`, `available` for the undo of an earlier stop, which starts the cluster; none for a stop.
AWS starts it again by itself after seven days, because a stopped cluster misses its maintenance. Whoever starts it
meanwhile has taken it back: the act ends and leaves it alone. How that is seen: `finops_operator.plugins.pausing`.
Source: Amazon Aurora user guide, "Stopping and starting an Amazon Aurora DB cluster"; RDS API reference, StopDBCluster.
"""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.action import Action
from finops_operator.services.rds.rules.pause_acts import stop_act
from finops_operator.services.rds.rules.paused_cluster import PAUSED
from finops_operator.services.rds.rules.restart import cluster_with_stop

ACTION: Final[Action] = stop_act("rds_cluster_stop", PAUSED, cluster_with_stop)
