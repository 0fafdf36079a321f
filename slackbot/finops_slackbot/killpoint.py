"""Boundaries at which a test may kill the bot, off unless `FINOPS_KILL_POINT` names one.

Names: `bot.click.received` (claimed, no Approval yet), `bot.approval.created` (created, neither noted nor
acknowledged), `bot.card.posted` (Slack has the card, the outbox does not know). The operator has its own; the bot may
not import it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

KillPoint = Callable[[str], None]

NAMES: Final = frozenset({"bot.click.received", "bot.approval.created", "bot.card.posted"})


def kill_at(name: str) -> KillPoint:
    """Return a function to call at every boundary; it kills this process at `name`, never when that is empty."""

    def reached(boundary: str) -> None:
        if name and boundary == name:
            # SIGKILL, so that nothing can tidy up: what is left is what a power cut leaves.
            os.kill(os.getpid(), signal.SIGKILL)

    return reached
