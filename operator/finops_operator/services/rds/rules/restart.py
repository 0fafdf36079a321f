"""When AWS starts a stopped database instance again, and what a stop saves until then; pure.

Source: Amazon RDS user guide, "Stopping an Amazon RDS DB instance temporarily".
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

RESTARTED_AFTER: Final = timedelta(days=7)
_HOURS: Final = Decimal(RESTARTED_AFTER // timedelta(hours=1))


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
