"""What follows a scan (requests proposed, superseded, withdrawn), and the scans whose follow-up waits for the lease.

Kept by the scheduler for this process only: whoever takes over scans anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from finops.crds.scan_policy import ScanPolicy
from finops.domain.report import ScanSummary
from finops_operator.cluster.cache import Key
from finops_operator.policies.backoff import ScanBackoff
from finops_operator.rules.policy_status import PolicyFigures

LONGEST_STORE_PAUSE: Final = timedelta(minutes=3)
"""Longest pause while store, ledger or lease do not answer."""
_OWED_AFTER: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Follow-ups by policy; thread-safe. See `finops_operator.policies.scheduler.Scheduler` for the attributes."""

    follow_up: Callable[[ScanPolicy, ScanSummary], PolicyFigures]
    may_write: Callable[[], bool]
    backoff: ScanBackoff
    _owed: dict[Key, ScanSummary] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_owed(self, key: Key) -> bool:
        """Return whether the follow-up of a policy's last scan is still to be done."""
        return self.owed(key) is not None

    def owed(self, key: Key) -> ScanSummary | None:
        """Return the scan whose follow-up is still to be done."""
        with self._lock:
            return self._owed.get(key)

    def drop(self, key: Key) -> None:
        """Leave a follow-up to the next scan."""
        with self._lock:
            self._owed.pop(key, None)

    def follow(self, key: Key, policy: ScanPolicy, summary: ScanSummary) -> PolicyFigures:
        """Bring the requests of a policy up to date with its scan; what the lease does not allow now stays owed."""
        standing = self.follow_up(policy, summary)
        with self._lock:
            if standing.owed:
                self._owed[key] = summary
            else:
                self._owed.pop(key, None)
        return standing

    def pause_while_owed(self, key: Key, policy: ScanPolicy, standing: PolicyFigures) -> None:
        """Leave the ledger and the lease alone that do not answer; without the lease nothing is tried anyway."""
        if not standing.owed:
            self.backoff.caught_up(key)
        elif self.may_write():
            self.backoff.failed(key, policy, first=_OWED_AFTER, longest=LONGEST_STORE_PAUSE)

    def forget_all_but(self, known: Collection[Key]) -> None:
        """Forget policies that are gone."""
        with self._lock:
            for key in self._owed.keys() - set(known):
                del self._owed[key]
