"""Which policies have acts that ended since they were scanned, so that what is shown does not wait for the schedule.

Kept by the scheduler, which shows it the requests as the watch has shown them. An end counts when it happens under our
eyes; after a restart, when the act started later than the last scan. Each counts once per process, so a scan can never
bring about the next one. Ends that follow one another closely are answered by one scan.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import TERMINAL, State
from finops.ports.clock import Clock
from finops_operator.cluster.cache import Key

_CHANGED: Final = frozenset({State.SUCCEEDED, State.ROLLED_BACK})
"""States in which an act has called AWS; every other end left the resource alone."""
_QUIET_SECONDS: Final = 3.0
"""So long nothing more may end before the scan begins."""
_LONGEST_SECONDS: Final = 15.0
"""So long it waits for that at most."""
_APART_SECONDS: Final = 30.0
"""Pause after a scan that acts had asked for before they get the next one."""


@dataclass(frozen=True, slots=True)
class _Ends:
    """Ends that no scan has answered: how many since the start, and when the first and the last came (monotonic)."""

    count: int
    first: float
    last: float


class EndedActs:
    """Ends of acts by policy; thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: set[str] = set()
        self._known: set[str] = set()
        """Uids of requests that have not ended, and of those whose end was taken in."""
        self._ends: dict[Key, _Ends] = {}
        self._counts: dict[Key, int] = {}
        self._not_before: dict[Key, float] = {}

    def see(self, requests: Iterable[ActionRequest], policy_of: Callable[[str, str], ScanPolicy | None]) -> None:
        """Take note of the acts that have ended.

        Args:
            requests: all requests that are known.
            policy_of: returns the policy of a namespace and a name; an end waits until its policy is known.
        """
        under_way, known = set(), set()
        for request in requests:
            uid, state = request.metadata.uid or "", request.status.state
            if state not in TERMINAL:
                under_way.add(uid)
            elif state in _CHANGED and not request.spec.dry_run:
                policy = None if uid in self._known else policy_of(*_policy_key(request))
                if policy is not None and (uid in self._under_way or _started_after_scan(request, policy)):
                    self._note(_policy_key(request))
                if uid in self._known or policy is not None:
                    known.add(uid)
                elif uid in self._under_way:
                    under_way.add(uid)
        self._under_way, self._known = under_way, known

    def wait_seconds(self, key: Key) -> float | None:
        """Return in how many seconds a policy should be scanned for its acts, 0.0 for now, None when none has ended."""
        with self._lock:
            ends = self._ends.get(key)
            if ends is None:
                return None
            at = min(ends.last + _QUIET_SECONDS, ends.first + _LONGEST_SECONDS)
            return max(0.0, max(at, self._not_before.get(key, at)) - self._clock.monotonic())

    def count(self, key: Key) -> int:
        """Return how many ends are known; a scan that begins now sees what they left."""
        with self._lock:
            return self._counts.get(key, 0)

    def answered(self, key: Key, count: int) -> None:
        """A scan is through that began when `count` ends were known."""
        with self._lock:
            ends = self._ends.get(key)
            if ends is None:
                return
            self._not_before[key] = self._clock.monotonic() + _APART_SECONDS
            if ends.count <= count:
                del self._ends[key]
            else:
                self._ends[key] = replace(ends, first=ends.last)

    def forget_all_but(self, known: Collection[Key]) -> None:
        """Forget policies that are gone."""
        with self._lock:
            for kept in (self._ends, self._counts, self._not_before):
                for key in kept.keys() - set(known):
                    del kept[key]

    def _note(self, key: Key) -> None:
        now = self._clock.monotonic()
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1
            before = self._ends.get(key)
            self._ends[key] = _Ends(self._counts[key], before.first if before is not None else now, now)


def _policy_key(request: ActionRequest) -> Key:
    return request.metadata.namespace or "", request.spec.policy


def _started_after_scan(request: ActionRequest, policy: ScanPolicy) -> bool:
    """Return whether the last scan cannot have seen what the act changed; a policy never scanned is due anyway."""
    last, execution = policy.status.last_scan, request.status.execution
    if last is None or execution is None or execution.started_at is None:
        return False
    return execution.started_at > last.start_time
