"""The one way to announce to people and programs that something happened; Slack, web and webhooks read behind it."""

from __future__ import annotations

from typing import Protocol

from finops.domain.notice import Notice


class Notifier(Protocol):
    """Records what is announced, durably and once per id."""

    def announce(self, notice: Notice) -> bool:
        """Record a notice; return whether it is new. Announcing it again changes nothing.

        Raises:
            StoreUnavailable: nothing is known to be recorded; announce it again.
        """
        ...
