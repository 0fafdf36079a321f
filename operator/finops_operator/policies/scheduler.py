"""One scheduler for all policies: decides who is due, runs scans outside the event loop, writes what they found.

No timer and no task per object: one thread goes through all policies whenever something changes or a time has come, and
hands due ones to a small pool. Two scans of one policy never overlap, because a policy that runs is skipped.
What follows a scan (requests) needs the lease; when it is not held yet, it is made up for as soon as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from finops.crds.scan_policy import ScanPolicy
from finops.domain.report import ScanSummary
from finops.errors import InvalidInput
from finops.k8s.events import Events
from finops.ports.clock import Clock
from finops_operator.background import Background
from finops_operator.cluster.cache import ClusterCache, Key
from finops_operator.cluster.objects import Objects
from finops_operator.policies.backoff import ScanBackoff
from finops_operator.policies.figures import ScanFigures
from finops_operator.policies.follow_ups import FollowUps
from finops_operator.policies.rescan import EndedActs
from finops_operator.policies.scan_runs import ScanRuns
from finops_operator.policies.seen_accounts import SeenAccounts
from finops_operator.policies.statuses import PolicyStatuses
from finops_operator.rules import policy_status
from finops_operator.rules.due import Due, due
from finops_operator.rules.policy_status import PolicyFigures
from finops_operator.telemetry import Telemetry

_LONGEST_SLEEP_SECONDS: Final = 20.0
_ASK_AGAIN_SECONDS: Final = 2.0
"""While a scan's follow-up waits for the lease, or for admission policies that were just made."""


@dataclass(slots=True)
class _Parts:
    """What it is put together from, once it has all that it was given."""

    accounts: SeenAccounts = field(init=False)
    backoff: ScanBackoff = field(init=False)
    ended_acts: EndedActs = field(init=False)
    statuses: PolicyStatuses = field(init=False)
    follow_ups: FollowUps = field(init=False)
    runs: ScanRuns = field(init=False)


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Owns the scans of all policies.

    Attributes:
        scan: one whole scan; returns the summary that status, command line and Redis share. Raises ScanStopped when
            the process ends first.
        follow_up: what comes after a scan (requests proposed, superseded, withdrawn); returns figures for the status.
        may_write: whether this process may ask people now; else what follows a scan waits until it may.
        see_accounts: reads the accounts from the API server, whose watch may lag behind that of the policies.
    """

    cache: ClusterCache
    policies: Objects[ScanPolicy]
    scan: Callable[[ScanPolicy], ScanSummary]
    follow_up: Callable[[ScanPolicy, ScanSummary], PolicyFigures]
    events: Events
    telemetry: Telemetry
    clock: Clock
    concurrency: int
    may_write: Callable[[], bool]
    see_accounts: Callable[[], None]
    _running: set[Key] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _parts: _Parts = field(default_factory=_Parts, init=False)

    def __post_init__(self) -> None:
        accounts = SeenAccounts(self.cache)
        backoff = ScanBackoff(self.clock, accounts.of)
        ended_acts, statuses = EndedActs(self.clock), PolicyStatuses(self.policies)
        follow_ups = FollowUps(self.follow_up, self.may_write, backoff)
        runs = ScanRuns(
            scan=self.scan,
            see_accounts=self.see_accounts,
            accounts=accounts,
            backoff=backoff,
            ended_acts=ended_acts,
            statuses=statuses,
            follow_ups=follow_ups,
            figures=ScanFigures(self.events, self.telemetry),
            clock=self.clock,
            background=Background(self.telemetry, self.clock),
        )
        self._parts.accounts = accounts
        self._parts.backoff = backoff
        self._parts.ended_acts = ended_acts
        self._parts.statuses = statuses
        self._parts.follow_ups = follow_ups
        self._parts.runs = runs

    def run(self, stop: threading.Event) -> None:
        """Start what is due, sleep until the next event or time; returns when `stop` is set."""
        seen = 0
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="scan") as pool:
            while not stop.is_set():
                wake = self._start_due(pool)
                seen = self.cache.wait(seen, wake)
            pool.shutdown(wait=False, cancel_futures=True)

    def _start_due(self, pool: ThreadPoolExecutor) -> float:
        now = self.clock.now()
        self._forget_deleted()
        self._parts.ended_acts.see(self.cache.requests.all(), self.cache.policies.get)
        soonest = now + timedelta(seconds=_LONGEST_SLEEP_SECONDS)
        for policy in self.cache.policies.all():
            key = (policy.metadata.namespace or "", policy.metadata.name)
            with self._lock:
                if key in self._running:
                    continue
            if self._parts.runs.is_hopeless(key, policy):
                continue
            retry_at = self._parts.backoff.until(key, policy)
            if retry_at is not None and retry_at > now:
                soonest = min(soonest, retry_at)
                continue
            verdict = self._verdict(key, policy, now)
            if verdict is None:
                continue
            ended = self._parts.ended_acts.wait_seconds(key)
            if verdict.now or self._parts.accounts.changed(key, policy):
                self._submit(pool, key, partial(self._parts.runs.run, key, policy, verdict))
            elif ended == 0.0:
                self._submit(pool, key, partial(self._parts.runs.run, key, policy, replace(verdict, reason="ActEnded")))
            elif self._parts.follow_ups.is_owed(key) and self.may_write():
                self._submit(pool, key, partial(self._parts.runs.make_up, key, policy))
            elif self._parts.follow_ups.is_owed(key):
                soonest = min(soonest, now + timedelta(seconds=_ASK_AGAIN_SECONDS))
            elif verdict.next_time is not None:
                soonest = min(soonest, verdict.next_time)
            if ended is not None:
                soonest = min(soonest, now + timedelta(seconds=ended))
        return max(0.05, (soonest - self.clock.now()).total_seconds())

    def _submit(self, pool: ThreadPoolExecutor, key: Key, work: Callable[[], None]) -> None:
        with self._lock:
            self._running.add(key)
        pool.submit(self._guarded, key, work)

    def _guarded(self, key: Key, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._lock:
                self._running.discard(key)
            self.cache.ring()

    def _forget_deleted(self) -> None:
        known = {(policy.metadata.namespace or "", policy.metadata.name) for policy in self.cache.policies.all()}
        self._parts.backoff.forget_all_but(known)
        self._parts.ended_acts.forget_all_but(known)
        for kept in (self._parts.accounts, self._parts.follow_ups, self._parts.runs):
            kept.forget_all_but(known)

    def _verdict(self, key: Key, policy: ScanPolicy, now: datetime) -> Due | None:
        try:
            verdict = due(policy, now, self._parts.backoff.blind_retry(key, policy))
        except InvalidInput as error:
            problem = str(error)
            self._parts.statuses.write_once(policy, lambda p: policy_status.refused(p, message=problem, now=now))
            return None
        if verdict.reason == "Suspended":
            self._parts.statuses.write_once(policy, lambda p: policy_status.suspended(p, now=now))
            return None
        return verdict
