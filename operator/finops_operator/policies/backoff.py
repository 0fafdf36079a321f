"""How long a policy whose scans fail is left alone: longer each time, until somebody changes something.

Kept by the scheduler for this process only; a restart tries everything once more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from finops.crds.scan_policy import ScanPolicy
from finops.errors import InvalidInput
from finops.ports.clock import Clock
from finops_operator.cluster.cache import Key
from finops_operator.rules.due import BLIND_RETRY, REQUESTED_AT, pause_after

Attempt = tuple[str | None, int | None, str]
"""What a scan was asked for: uid and generation of the policy, and the annotation that asks for one now."""
Accounts = frozenset[tuple[str, str | None, int | None]]
"""Name, uid and generation of the accounts that a policy names."""
_FIRST_PAUSE: Final = timedelta(seconds=15)


def attempt_of(policy: ScanPolicy) -> Attempt:
    """Return what a scan of `policy` as it is now would be asked for."""
    metadata = policy.metadata
    return metadata.uid, metadata.generation, metadata.annotations.get(REQUESTED_AT, "")


@dataclass(frozen=True, slots=True)
class _FailedAttempts:
    """Failures in a row of one attempt with the same accounts; `again` is when the next one may come."""

    sign: tuple[Attempt, Accounts]
    failures: int
    again: datetime


class ScanBackoff:
    """Pauses by policy; thread-safe. Whatever changes a policy or its accounts ends its pause."""

    def __init__(self, clock: Clock, accounts_of: Callable[[ScanPolicy], Accounts]) -> None:
        self._clock, self._accounts_of = clock, accounts_of
        self._failed: dict[Key, _FailedAttempts] = {}
        self._blind: dict[Key, _FailedAttempts] = {}
        self._lock = threading.Lock()

    def failed(
        self, key: Key, policy: ScanPolicy, *, first: timedelta = _FIRST_PAUSE, longest: timedelta | None = None
    ) -> None:
        """A scan, or what follows it, broke off.

        Pauses grow from `first` up to `longest`, or to the time between two times of the schedule.
        """
        with self._lock:
            self._failed[key] = self._trouble(self._failed.get(key), policy, first, longest)

    def caught_up(self, key: Key) -> None:
        """What had to follow a scan is done."""
        with self._lock:
            self._failed.pop(key, None)

    def ended(self, key: Key, policy: ScanPolicy, *, saw_nothing: bool) -> None:
        """A scan came to its end."""
        with self._lock:
            self._failed.pop(key, None)
            if saw_nothing:
                self._blind[key] = self._trouble(self._blind.get(key), policy, BLIND_RETRY, None)
            else:
                self._blind.pop(key, None)

    def until(self, key: Key, policy: ScanPolicy) -> datetime | None:
        """Return when the policy may be scanned again; None when nothing speaks against now."""
        with self._lock:
            known = self._failed.get(key)
        return known.again if known is not None and known.sign == self._sign(policy) else None

    def blind_retry(self, key: Key, policy: ScanPolicy) -> timedelta:
        """Return the pause after a scan that saw nothing."""
        with self._lock:
            known = self._blind.get(key)
        if known is None or known.sign != self._sign(policy):
            return BLIND_RETRY
        return pause_after(known.failures, BLIND_RETRY, policy, self._clock.now())

    def forget_all_but(self, known: Collection[Key]) -> None:
        """Forget policies that are gone."""
        with self._lock:
            for kept in (self._failed, self._blind):
                for key in kept.keys() - set(known):
                    del kept[key]

    def _trouble(
        self, before: _FailedAttempts | None, policy: ScanPolicy, first: timedelta, longest: timedelta | None
    ) -> _FailedAttempts:
        now, sign = self._clock.now(), self._sign(policy)
        failures = before.failures + 1 if before is not None and before.sign == sign else 1
        try:
            pause = pause_after(failures, first, policy, now)
        except InvalidInput:
            # The next pass over the policy says so.
            pause = first
        return _FailedAttempts(sign, failures, now + (pause if longest is None else min(pause, longest)))

    def _sign(self, policy: ScanPolicy) -> tuple[Attempt, Accounts]:
        return attempt_of(policy), self._accounts_of(policy)
