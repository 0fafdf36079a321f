"""Finds a bot that came to the store as the operator's own user: then a stolen bot writes what only the operator may.

A duty of housekeeping. The chart compares the addresses that it sees; those in a Secret of one's own only the processes
have. The bot says in the store as whom it came, and what is found stands beside it for `finops doctor`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from finops.store.slack_status import SlackStatus

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class SharedStoreUser:
    """Compares the bot's user with `own`, the operator's, once a round."""

    status: SlackStatus
    own: str
    _said: bool = False

    def show(self) -> None:
        """Write whether they are one. Raises StoreUnavailable."""
        fields, _ = self.status.read()
        shared = self.own if fields.get("storeUser") == self.own else ""
        if shared and not self._said:
            logger.error(
                "the bot uses the operator's own user at the store, %s: whoever takes over the bot can stop the "
                "operator and hide what is stored; give the bot a user of its own (docs/install.md)",
                shared,
            )
        self._said = bool(shared)
        if fields.get("sharedUser", "") != shared:
            self.status.put({"sharedUser": shared})
