"""Answers the person who clicked, and nobody else, with what became of the click.

By the address that came with the click where there is one, else as an ephemeral message in the card's channel. An
answer is a courtesy, never a record: what counts is in the cluster.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from finops.errors import FinopsError
from finops_slackbot.slack_calls import SlackCalls
from finops_slackbot.slack_errors import SlackRateLimited, SlackRefused, SlackUnavailable

_LOG: Final = logging.getLogger(__name__)


class ClickAnswers:
    """Sends answers; remembers the addresses of clicks that this process took."""

    def __init__(self, calls: SlackCalls) -> None:
        self._calls = calls
        self._addresses: dict[str, str] = {}

    def remember(self, click_id: str, response_url: str) -> None:
        """Keep the address of a click for later answers; it works for half an hour, so old ones may be dropped."""
        if response_url:
            self._addresses[click_id] = response_url
            while len(self._addresses) > 1000:
                self._addresses.pop(next(iter(self._addresses)))

    def forget(self, click_id: str) -> None:
        """The click has its final answer."""
        self._addresses.pop(click_id, None)

    def send(self, *, channel: str, user: str, text: str, click_id: str = "", response_url: str = "") -> bool:
        """Send an answer. Returns whether Slack took it; a failure is logged, the vote does not depend on it."""
        address = response_url or self._addresses.get(click_id, "")
        ways: list[Callable[[], None]] = [lambda: self._calls.post_ephemeral(channel, user, text)] if channel else []
        if address:
            ways.insert(0, lambda: self._calls.respond(address, text))
        problem: FinopsError | None = None
        for way in ways:
            try:
                way()
            except (SlackRefused, SlackRateLimited, SlackUnavailable) as error:
                problem = error
            else:
                return True
        _LOG.warning("an answer did not reach its reader", extra={"user": user, "error": str(problem or "no way")})
        return False
