"""User groups: read for a vote, every quarter of an hour for the operator, and whenever the operator asks.

`VotingGroups` answers in the click path with lists at most ten seconds old. `GroupRefresher` keeps the groups that
policies name in the store, so that the operator, which has no Slack token, can see at the time of the act who has left.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from finops.errors import StoreUnavailable
from finops.ports.clock import Clock
from finops.store.slack_groups import SlackGroups
from finops_slackbot.guards.people import FRESH_SECONDS
from finops_slackbot.slack_calls import SlackCalls
from finops_slackbot.slack_errors import SlackRateLimited, SlackRefused, SlackUnavailable

REFRESH_EVERY: Final = timedelta(minutes=15)
_POLL_SECONDS: Final = 2.0
_AFTER_REFUSAL: Final = timedelta(minutes=5)
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Membership:
    """The groups a person is in, and those Slack would not list (id → Slack's word)."""

    groups: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...] = ()


class VotingGroups:
    """Members of user groups, remembered for ten seconds."""

    def __init__(self, calls: SlackCalls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._known: dict[str, tuple[float, frozenset[str]]] = {}

    def of(self, user: str, groups: Iterable[str]) -> Membership:
        """Return which of `groups` the user is in.

        Raises:
            SlackRateLimited, SlackUnavailable: Slack does not answer, and what is remembered is too old to attest.
        """
        inside: list[str] = []
        unreadable: list[tuple[str, str]] = []
        for group in sorted(set(groups)):
            try:
                if user in self._members(group):
                    inside.append(group)
            except SlackRefused as error:
                unreadable.append((group, error.code))
        return Membership(tuple(inside), tuple(unreadable))

    def _members(self, group: str) -> frozenset[str]:
        now = self._clock.monotonic()
        known = self._known.get(group)
        if known is not None and now - known[0] < FRESH_SECONDS:
            return known[1]
        members = self._calls.group_members(group)
        self._known[group] = (now, members)
        return members


class GroupRefresher:
    """Keeps the wanted groups in the store fresh; runs in a thread of its own."""

    def __init__(self, calls: SlackCalls, groups: SlackGroups, clock: Clock) -> None:
        self._calls = calls
        self._groups = groups
        self._clock = clock
        self._not_before: dict[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Check every few seconds whether a list is missing or old, until `stop`."""
        while not stop.is_set():
            try:
                self.refresh()
            except StoreUnavailable as error:
                _LOG.warning("user groups not refreshed", extra={"error": str(error)})
            stop.wait(_POLL_SECONDS)

    def refresh(self) -> int:
        """Read every wanted group whose list is missing, old, or asked for since. Returns how many were read."""
        read, asked = 0, self._groups.asked()
        for group in sorted(self._groups.wanted()):
            known = self._groups.read(group)
            if not self._is_due(known.read_at, asked.get(group)):
                continue
            if self._clock.monotonic() < self._not_before.get(group, 0.0):
                continue
            begun = self._clock.now()
            try:
                members = self._calls.group_members(group)
            except SlackRateLimited as error:
                self._not_before[group] = self._clock.monotonic() + error.seconds
            except SlackUnavailable as error:
                _LOG.warning("user group not read", extra={"group": group, "error": str(error)})
            except SlackRefused as error:
                self._not_before[group] = self._clock.monotonic() + _AFTER_REFUSAL.total_seconds()
                self._groups.put_error(group, str(error))
            else:
                # The list is as old as the question: who left while Slack answered may still be in it.
                self._groups.put(group, members, begun)
                read += 1
        return read

    def _is_due(self, read_at: datetime | None, asked_at: datetime | None) -> bool:
        if read_at is None or (asked_at is not None and read_at < asked_at):
            return True
        return not timedelta() <= self._clock.now() - read_at < REFRESH_EVERY
