"""Acknowledges whatever no other listener takes: Slack shows a warning beside everything that stays unanswered."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from slack_bolt import App

from finops_slackbot.metrics import Metrics

_ANYTHING: Final = re.compile(".*", re.DOTALL)
_LOG: Final = logging.getLogger(__name__)


class CatchAll:
    """The last listeners; register them after all others."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def register(self, app: App) -> None:
        """Connect the listeners."""
        for register in (app.action, app.options, app.shortcut, app.command, app.view_submission, app.view_closed):
            register(_ANYTHING)(self.ignore)
        app.event(_ANYTHING)(self.ignore)

    def ignore(self, ack: Callable[..., Any], body: Mapping[str, Any]) -> None:
        """Acknowledge and forget."""
        ack()
        self._metrics.clicks.labels("ignored").inc()
        _LOG.debug("nothing listens to this", extra={"type": str(body.get("type", ""))})
