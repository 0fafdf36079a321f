"""Stop a database instance; its inverse is start. Storage and backups are still billed.

Parameter: `endState`, `available` for the undo of an earlier stop, which starts the database; none for a stop.
AWS starts it again by itself after seven days, because a stopped instance misses its maintenance. Whoever starts it
meanwhile has taken it back: the act ends and leaves it alone. How that is seen: `finops_operator.plugins.pausing`.
Source: Amazon RDS user guide, "Stopping an Amazon RDS DB instance temporarily"; RDS API reference, StopDBInstance,
StartDBInstance and DescribePendingMaintenanceActions.
"""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.action import Action
from finops_operator.services.rds.rules.pause_acts import stop_act
from finops_operator.services.rds.rules.paused_instance import PAUSED
from finops_operator.services.rds.rules.restart import database_with_stop

ACTION: Final[Action] = stop_act("rds_instance_stop", PAUSED, database_with_stop)
