"""One scheduler for all policies: decides who is due, runs scans outside the event loop, writes what they found.

No timer and no task per object: one thread looks at all policies whenever something changes or a time has come, and
hands due ones to a small pool. Two scans of one policy never overlap, because a policy that runs is not looked at.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from finops.domain.report import ScanSummary
from finops.errors import Conflict, FinopsError, InvalidInput, StoreUnavailable, StoreUnsafe, Unavailable
from finops.k8s.events import Events
from finops.kinds.scan_policy import ScanPolicy
from finops.ports.clock import Clock
from finops_operator.objects import Objects
from finops_operator.stages import policy_status
from finops_operator.stages.policy_status import Standing
from finops_operator.stages.schedule import Due, due
from finops_operator.telemetry import Telemetry
from finops_operator.world import Key, World

logger = logging.getLogger(__name__)
_LONGEST_SLEEP_SECONDS: Final = 20.0
_RETRY_AFTER: Final = timedelta(seconds=30)


@dataclass(slots=True)
class Scheduler:
    """Owns the scans of all policies.

    Attributes:
        scan: one whole scan; returns the summary that status, command line and Redis share.
        follow_up: what comes after a scan (requests proposed, superseded, withdrawn); returns figures for the status.
    """

    world: World
    policies: Objects[ScanPolicy]
    scan: Callable[[ScanPolicy], ScanSummary]
    follow_up: Callable[[ScanPolicy, ScanSummary], Standing]
    events: Events
    telemetry: Telemetry
    clock: Clock
    concurrency: int
    _running: set[Key] = field(default_factory=set)
    _retry_at: dict[Key, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, stop: threading.Event) -> None:
        """Look, start what is due, sleep until the next event or time; returns when `stop` is set."""
        seen = 0
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="scan") as pool:
            while not stop.is_set():
                wake = self._look(pool)
                seen = self.world.wait(seen, wake)

    def _look(self, pool: ThreadPoolExecutor) -> float:
        now = self.clock.now()
        soonest = now + timedelta(seconds=_LONGEST_SLEEP_SECONDS)
        for policy in self.world.policies.all():
            key = (policy.metadata.namespace or "", policy.metadata.name)
            with self._lock:
                if key in self._running:
                    continue
                retry_at = self._retry_at.get(key)
            if retry_at is not None and retry_at > now:
                soonest = min(soonest, retry_at)
                continue
            verdict = self._verdict(policy, now)
            if verdict is None:
                continue
            if verdict.now:
                with self._lock:
                    self._running.add(key)
                pool.submit(self._run_one, key, policy, verdict)
            elif verdict.next_time is not None:
                soonest = min(soonest, verdict.next_time)
        return max(0.05, (soonest - self.clock.now()).total_seconds())

    def _verdict(self, policy: ScanPolicy, now: datetime) -> Due | None:
        try:
            verdict = due(policy, now)
        except InvalidInput as error:
            problem = str(error)
            self._write_once(policy, lambda p: policy_status.refused(p, reason="Invalid", message=problem, now=now))
            return None
        if verdict.reason == "Suspended":
            self._write_once(policy, lambda p: policy_status.suspended(p, now=now))
            return None
        return verdict

    def _write_once(self, policy: ScanPolicy, change: Callable[[ScanPolicy], dict[str, Any]]) -> None:
        """Write a status unless it already says so; a loop that looks often must not write often."""
        wanted = change(policy)
        if wanted != policy.status.to_dict():
            self._write(policy, change)

    def _write(self, policy: ScanPolicy, change: Callable[[ScanPolicy], dict[str, Any]]) -> ScanPolicy:
        try:
            return self.policies.write_status(policy, change)
        except (Conflict, Unavailable) as error:
            # Level triggered: the next look writes it; a status is never the only place of a fact.
            logger.warning("status not written: %s", error, extra=_names(policy))
            return policy

    def _run_one(self, key: Key, policy: ScanPolicy, verdict: Due) -> None:
        try:
            self._scan_one(policy, verdict)
            with self._lock:
                self._retry_at.pop(key, None)
        except InvalidInput as error:
            now, problem = self.clock.now(), str(error)
            self._write(policy, lambda p: policy_status.refused(p, reason="Invalid", message=problem, now=now))
            self._retry(key)
        except (StoreUnavailable, StoreUnsafe) as error:
            now, problem = self.clock.now(), str(error)
            logger.warning("scan paused: %s", error, extra=_names(policy))
            self._write(policy, lambda p: policy_status.store_lost(p, message=problem, now=now))
            self._retry(key)
        except FinopsError as error:
            self._failed(key, policy, error.code, str(error))
        except Exception as error:  # the edge of a stage loop: one policy's defect must not stop the others
            logger.exception("scan failed", extra=_names(policy))
            self._failed(key, policy, "ScanFailed", f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._running.discard(key)
            self.world.ring()

    def _failed(self, key: Key, policy: ScanPolicy, code: str, message: str) -> None:
        now = self.clock.now()
        self.telemetry.scans.labels(key[0], key[1], "failed").inc()
        self._write(policy, lambda p: policy_status.failed(p, reason=code, message=message, now=now))
        self._retry(key)

    def _retry(self, key: Key) -> None:
        with self._lock:
            self._retry_at[key] = self.clock.now() + _RETRY_AFTER

    def _scan_one(self, policy: ScanPolicy, verdict: Due) -> None:
        namespace, name = policy.metadata.namespace or "", policy.metadata.name
        begun = self.clock.now()
        logger.info("scan started: %s", verdict.reason, extra=_names(policy))
        policy = self._write(policy, lambda p: policy_status.scanning(p, reason=verdict.reason, now=begun))
        summary = self.scan(policy)
        standing = self.follow_up(policy, summary)
        now = self.clock.now()
        generation = policy.metadata.generation
        self.policies.write_status(
            policy,
            lambda p: policy_status.scanned(
                p,
                summary,
                next_time=self._next(policy, summary, now),
                requested_at=verdict.requested_at,
                generation=generation,
                standing=standing,
                now=now,
            ),
        )
        self._tell(policy, summary)
        seconds = (now - begun).total_seconds()
        self.telemetry.scan_seconds.labels(namespace, name).observe(seconds)
        logger.info(
            "scan ended: %d resources, %d gaps, %d recommendations",
            summary.resources,
            len(summary.gaps),
            summary.recommendations,
            extra={**_names(policy), "seconds": round(seconds, 3)},
        )

    def _next(self, policy: ScanPolicy, summary: ScanSummary, now: datetime) -> datetime | None:
        probe = policy.model_copy(
            update={
                "status": policy.status.model_copy(
                    update={
                        "observed_generation": policy.metadata.generation,
                        "last_handled_requested_at": policy.metadata.annotations.get("finops.dev/requestedAt"),
                        "last_scan": policy_status.last_scan_of(summary),
                    }
                )
            }
        )
        return due(probe, now).next_time

    def _tell(self, policy: ScanPolicy, summary: ScanSummary) -> None:
        labels = (policy.metadata.namespace or "", policy.metadata.name)
        telemetry = self.telemetry
        telemetry.scans.labels(*labels, "failed" if summary.complete_failure else "completed").inc()
        telemetry.gaps.labels(*labels).set(len(summary.gaps))
        for operation, count in summary.api_calls.items():
            telemetry.api_calls.labels(operation).inc(count)
        telemetry.api_cost.inc(float(summary.estimated_api_cost))
        if summary.complete_failure:
            self._event(policy, "CredentialsInvalid", summary.complete_failure, "Warning")
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
