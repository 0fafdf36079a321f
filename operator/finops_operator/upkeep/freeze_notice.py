"""Says in the store that all acts are frozen: the bot, which cannot read the switch, reminds nobody meanwhile.

A duty of housekeeping.
"""

from __future__ import annotations

from dataclasses import dataclass

from finops.store.slack_status import SlackStatus
from finops_operator.cluster.freeze import Freeze


@dataclass(frozen=True, slots=True)
class FreezeNotice:
    """Brings what the bot reads in line with the switch."""

    freeze: Freeze
    status: SlackStatus

    def show(self) -> None:
        """Write it down. Raises StoreUnavailable, ClusterUnavailable, Refused: what stood there stays."""
        self.status.put_frozen(self.freeze.reason())
