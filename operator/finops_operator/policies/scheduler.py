"""One scheduler for all policies: decides who is due, runs scans outside the event loop, writes what they found.

No timer and no task per object: one thread goes through all policies whenever something changes or a time has come, and
hands due ones to a small pool. Two scans of one policy never overlap, because a policy that runs is skipped.
What follows a scan (requests) needs the lease; when it is not held yet, it is made up for as soon as it is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from finops.crds.scan_policy import ScanPolicy
from finops.domain.report import ScanSummary
from finops.errors import Conflict, FinopsError, InvalidInput, StoreUnavailable, StoreUnsafe, Unavailable
from finops.k8s.events import Events
from finops.ports.clock import Clock
from finops_operator.cluster.cache import ClusterCache, Key
from finops_operator.cluster.objects import Gone, Objects
from finops_operator.policies.backoff import Accounts, Attempt, ScanBackoff, attempt_of
from finops_operator.policies.rescan import EndedActs
from finops_operator.rules import policy_status
from finops_operator.rules.due import REQUESTED_AT, Due, due
from finops_operator.rules.policy_status import PolicyFigures
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)
_LONGEST_SLEEP_SECONDS: Final = 20.0
_LONGEST_STORE_PAUSE: Final = timedelta(minutes=3)
_OWED_AFTER: Final = timedelta(seconds=2)


class ScanStopped(FinopsError):
    """The process ends in the middle of a scan; what was visible before stays visible, the next process scans anew."""


@dataclass(slots=True)
class Scheduler:
    """Owns the scans of all policies.

    Attributes:
        scan: one whole scan; returns the summary that status, command line and Redis share. Raises ScanStopped when
            the process ends first.
        follow_up: what comes after a scan (requests proposed, superseded, withdrawn); returns figures for the status.
        may_write: whether this process holds the lease, without which nothing can follow a scan.
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
    _backoff: ScanBackoff = field(init=False)
    _ended_acts: EndedActs = field(init=False)
    _hopeless: dict[Key, Attempt] = field(default_factory=dict)
    """Policies that ask for something impossible: not tried again until somebody changes them."""
    _accounts: dict[Key, Accounts] = field(default_factory=dict)
    """The accounts as a policy's last scan of this process found them."""
    _owed: dict[Key, ScanSummary] = field(default_factory=dict)
    """Scans whose follow-up waits for the lease."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._backoff = ScanBackoff(self.clock, self._accounts_of)
        self._ended_acts = EndedActs(self.clock)

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
        self._ended_acts.see(self.cache.requests.all(), self.cache.policies.get)
        soonest = now + timedelta(seconds=_LONGEST_SLEEP_SECONDS)
        for policy in self.cache.policies.all():
            key = (policy.metadata.namespace or "", policy.metadata.name)
            with self._lock:
                if key in self._running:
                    continue
                owed = key in self._owed
                hopeless = self._hopeless.get(key) == attempt_of(policy)
            if hopeless:
                continue
            retry_at = self._backoff.until(key, policy)
            if retry_at is not None and retry_at > now:
                soonest = min(soonest, retry_at)
                continue
            verdict = self._verdict(key, policy, now)
            if verdict is None:
                continue
            ended = self._ended_acts.wait_seconds(key)
            if verdict.now or self._account_changed(key, policy):
                self._submit(pool, key, partial(self._run_one, key, policy, verdict))
            elif ended == 0.0:
                self._submit(pool, key, partial(self._run_one, key, policy, replace(verdict, reason="ActEnded")))
            elif owed and self.may_write():
                self._submit(pool, key, partial(self._make_up, key, policy))
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
        self._backoff.forget_all_but(known)
        self._ended_acts.forget_all_but(known)
        with self._lock:
            for kept in (self._hopeless, self._accounts, self._owed):
                for key in kept.keys() - known:
                    del kept[key]

    def _accounts_of(self, policy: ScanPolicy) -> Accounts:
        named = {reference.name for reference in policy.spec.accounts}
        found = (account.metadata for account in self.cache.accounts.all())
        return frozenset((one.name, one.uid, one.generation) for one in found if one.name in named)

    def _account_changed(self, key: Key, policy: ScanPolicy) -> bool:
        """Return whether an account of the policy came, went or changed since its last scan in this process."""
        with self._lock:
            before = self._accounts.get(key)
        return before is not None and before != self._accounts_of(policy)

    def _verdict(self, key: Key, policy: ScanPolicy, now: datetime) -> Due | None:
        try:
            verdict = due(policy, now, self._backoff.blind_retry(key, policy))
        except InvalidInput as error:
            problem = str(error)
            self._write_once(policy, lambda p: policy_status.refused(p, message=problem, now=now))
            return None
        if verdict.reason == "Suspended":
            self._write_once(policy, lambda p: policy_status.suspended(p, now=now))
            return None
        return verdict

    def _write_once(self, policy: ScanPolicy, change: Callable[[ScanPolicy], dict[str, Any]]) -> None:
        """Write a status unless it already says so; a loop that runs often must not write often."""
        wanted = change(policy)
        if wanted != policy.status.to_dict():
            self._write(policy, change)

    def _write(self, policy: ScanPolicy, change: Callable[[ScanPolicy], dict[str, Any]]) -> ScanPolicy | None:
        """Return the policy with its new status, None when it could not be written."""
        try:
            return self.policies.write_status(policy, change)
        except (Conflict, Unavailable) as error:
            # Level triggered: the next pass writes it; a status is never the only place of a fact.
            logger.info("status is written later: %s", error, extra=_names(policy))
            return None
        except FinopsError as error:
            logger.warning("status not written: %s", error, extra=_names(policy))
            return None

    def _run_one(self, key: Key, policy: ScanPolicy, verdict: Due) -> None:
        try:
            self._scan_one(key, policy, verdict)
        except (ScanStopped, Gone) as error:
            logger.info("scan given up: %s", error, extra=_names(policy))
        except InvalidInput as error:
            self._give_up(key, policy, str(error))
        except (StoreUnavailable, StoreUnsafe) as error:
            now, problem = self.clock.now(), str(error)
            logger.warning("scan paused: %s", error, extra=_names(policy))
            self._write(policy, lambda p: policy_status.store_lost(p, message=problem, now=now))
            self._backoff.failed(key, policy, longest=_LONGEST_STORE_PAUSE)
        except FinopsError as error:
            self._failed(key, policy, error.code, str(error))
        except Exception as error:  # the edge of a stage loop: one policy's defect must not stop the others
            logger.exception("scan failed", extra=_names(policy))
            self._failed(key, policy, "ScanFailed", f"{type(error).__name__}: {error}")

    def _give_up(self, key: Key, policy: ScanPolicy, problem: str) -> None:
        """Leave a policy alone that asks for something impossible, once that stands in its status."""
        now = self.clock.now()
        if self._write(policy, lambda p: policy_status.refused(p, message=problem, now=now)) is None:
            self._backoff.failed(key, policy)
            return
        with self._lock:
            self._hopeless[key] = attempt_of(policy)

    def _failed(self, key: Key, policy: ScanPolicy, code: str, message: str) -> None:
        now = self.clock.now()
        self.telemetry.scans.labels(key[0], key[1], "failed").inc()
        self._write(policy, lambda p: policy_status.failed(p, reason=code, message=message, now=now))
        self._backoff.failed(key, policy)

    def _make_up(self, key: Key, policy: ScanPolicy) -> None:
        """Do what had to follow the last scan and could not for want of the lease."""
        with self._lock:
            summary = self._owed.get(key)
        if summary is None:
            return
        try:
            standing = self._follow(key, policy, summary)
        except FinopsError as error:
            logger.info("requests are checked again later: %s", error, extra=_names(policy))
            self._backoff.failed(key, policy, longest=_LONGEST_STORE_PAUSE)
            return
        except Exception:  # the edge of a stage loop, as above: the next scan goes through the requests again
            logger.exception("requests not brought up to date", extra=_names(policy))
            with self._lock:
                self._owed.pop(key, None)
            return
        self._pause_while_owed(key, policy, standing)
        self._write(policy, lambda p: policy_status.followed_up(p, standing))

    def _follow(self, key: Key, policy: ScanPolicy, summary: ScanSummary) -> PolicyFigures:
        standing = self.follow_up(policy, summary)
        with self._lock:
            if standing.owed:
                self._owed[key] = summary
            else:
                self._owed.pop(key, None)
        return standing

    def _pause_while_owed(self, key: Key, policy: ScanPolicy, standing: PolicyFigures) -> None:
        """Leave the ledger and the lease alone that do not answer; without the lease nothing is tried anyway."""
        if not standing.owed:
            self._backoff.caught_up(key)
        elif self.may_write():
            self._backoff.failed(key, policy, first=_OWED_AFTER, longest=_LONGEST_STORE_PAUSE)

    def _scan_one(self, key: Key, policy: ScanPolicy, verdict: Due) -> None:
        namespace, name = policy.metadata.namespace or "", policy.metadata.name
        begun = self.clock.now()
        self.see_accounts()
        with self._lock:
            self._accounts[key] = self._accounts_of(policy)
        logger.info("scan started: %s", verdict.reason, extra=_names(policy))
        policy = self._write(policy, lambda p: policy_status.scanning(p, reason=verdict.reason, now=begun)) or policy
        ended = self._ended_acts.count(key)
        summary = self.scan(policy)
        standing = self._follow(key, policy, summary)
        summary = replace(summary, savings=standing.savings or summary.savings)
        self._backoff.ended(key, policy, saw_nothing=bool(summary.complete_failure))
        self._pause_while_owed(key, policy, standing)
        now = self.clock.now()
        generation = policy.metadata.generation
        self.policies.write_status(
            policy,
            lambda p: policy_status.scanned(
                p,
                summary,
                next_time=self._next(key, policy, summary, now),
                requested_at=verdict.requested_at,
                generation=generation,
                standing=standing,
                now=now,
            ),
        )
        self._ended_acts.answered(key, ended)
        self._measure(policy, summary)
        seconds = (now - begun).total_seconds()
        self.telemetry.scan_seconds.labels(namespace, name).observe(seconds)
        logger.info(
            "scan ended: %d resources, %d gaps, %d recommendations",
            summary.resources,
            len(summary.gaps),
            summary.recommendations,
            extra={**_names(policy), "seconds": round(seconds, 3)},
        )

    def _next(self, key: Key, policy: ScanPolicy, summary: ScanSummary, now: datetime) -> datetime | None:
        probe = policy.model_copy(
            update={
                "status": policy.status.model_copy(
                    update={
                        "observed_generation": policy.metadata.generation,
                        "last_handled_requested_at": policy.metadata.annotations.get(REQUESTED_AT),
                        "last_scan": policy_status.last_scan_of(summary),
                        "monthly_cost": None if summary.complete_failure else summary.monthly_cost,
                    }
                )
            }
        )
        return due(probe, now, self._backoff.blind_retry(key, policy)).next_time

    def _measure(self, policy: ScanPolicy, summary: ScanSummary) -> None:
        labels = (policy.metadata.namespace or "", policy.metadata.name)
        telemetry = self.telemetry
        telemetry.scans.labels(*labels, "failed" if summary.complete_failure else "completed").inc()
        telemetry.gaps.labels(*labels).set(len(summary.gaps))
        for operation, count in summary.api_calls.items():
            telemetry.api_calls.labels(operation).inc(count)
        telemetry.api_cost.inc(float(summary.estimated_api_cost))
        if summary.complete_failure:
            telemetry.saw_nothing(*labels)
            self._event(policy, policy_status.reason_of(summary.gaps), summary.complete_failure, "Warning")
            return
        telemetry.last_success.labels(*labels).set(summary.completion_time.timestamp())
        telemetry.resources.labels(*labels).set(summary.resources)
        telemetry.unpriced.labels(*labels).set(summary.unpriced_resources)
        telemetry.monthly_cost.labels(*labels).set(float(summary.monthly_cost))
        telemetry.potential_savings.labels(*labels).set(float(summary.potential_monthly_savings))
        self._event(
            policy,
            "ScanCompleted",
            f"{summary.resources} resources, {summary.recommendations} recommendations, {len(summary.gaps)} gaps",
            "Normal",
        )

    def _event(self, policy: ScanPolicy, reason: str, note: str, type_: Any) -> None:
        try:
            self.events.publish(policy, reason=reason, note=note, action="Scan", type_=type_)
        except FinopsError as error:
            logger.warning("event not published: %s", error, extra=_names(policy))


def _names(policy: ScanPolicy) -> dict[str, str]:
    return {"namespace": policy.metadata.namespace or "", "policy": policy.metadata.name}
