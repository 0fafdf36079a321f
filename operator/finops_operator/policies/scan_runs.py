"""One scan of one policy from its start to what its status says; runs in a thread of the scheduler's pool.

Whatever breaks off a scan is written into the policy's status and leaves the policy alone for a while; what asks for
something impossible is not tried again until somebody changes it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from finops.crds.scan_policy import ScanPolicy
from finops.domain.report import ScanSummary
from finops.errors import FinopsError, InvalidInput, StoreUnavailable, StoreUnsafe
from finops.ports.clock import Clock
from finops_operator.background import Background
from finops_operator.cluster.cache import Key
from finops_operator.cluster.objects import Gone
from finops_operator.policies.backoff import Attempt, ScanBackoff, attempt_of
from finops_operator.policies.figures import ScanFigures
from finops_operator.policies.follow_ups import LONGEST_STORE_PAUSE, FollowUps
from finops_operator.policies.rescan import EndedActs
from finops_operator.policies.seen_accounts import SeenAccounts
from finops_operator.policies.statuses import PolicyStatuses, names_of
from finops_operator.rules import policy_status
from finops_operator.rules.due import REQUESTED_AT, Due, due

logger = logging.getLogger(__name__)


class ScanStopped(FinopsError):
    """The process ends in the middle of a scan; what was visible before stays visible, the next process scans anew."""


@dataclass(frozen=True, slots=True)
class ScanRuns:
    """Runs scans; see `finops_operator.policies.scheduler.Scheduler` for `scan` and `see_accounts`."""

    scan: Callable[[ScanPolicy], ScanSummary]
    see_accounts: Callable[[], None]
    accounts: SeenAccounts
    backoff: ScanBackoff
    ended_acts: EndedActs
    statuses: PolicyStatuses
    follow_ups: FollowUps
    figures: ScanFigures
    clock: Clock
    background: Background
    _hopeless: dict[Key, Attempt] = field(default_factory=dict)
    """Policies that ask for something impossible: not tried again until somebody changes them."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_hopeless(self, key: Key, policy: ScanPolicy) -> bool:
        """Return whether the policy, as it is now, asked for something impossible before."""
        with self._lock:
            return self._hopeless.get(key) == attempt_of(policy)

    def forget_all_but(self, known: Collection[Key]) -> None:
        """Forget policies that are gone."""
        with self._lock:
            for key in self._hopeless.keys() - set(known):
                del self._hopeless[key]

    def run(self, key: Key, policy: ScanPolicy, verdict: Due) -> None:
        """Scan a policy; whatever goes wrong stands in its status, and it is left alone for a while."""
        self.background.attempt(
            "scans",
            "scan failed",
            partial(self._run, key, policy, verdict),
            lambda defect: self._failed(key, policy, "ScanFailed", f"{type(defect).__name__}: {defect}"),
            fields=names_of(policy),
        )

    def _run(self, key: Key, policy: ScanPolicy, verdict: Due) -> None:
        try:
            self._scan_one(key, policy, verdict)
        except (ScanStopped, Gone) as error:
            logger.info("scan given up: %s", error, extra=names_of(policy))
        except InvalidInput as error:
            self._give_up(key, policy, str(error))
        except (StoreUnavailable, StoreUnsafe) as error:
            now, problem = self.clock.now(), str(error)
            logger.warning("scan paused: %s", error, extra=names_of(policy))
            self.statuses.write(policy, lambda p: policy_status.store_lost(p, message=problem, now=now))
            self.backoff.failed(key, policy, longest=LONGEST_STORE_PAUSE)
        except FinopsError as error:
            self._failed(key, policy, error.code, str(error))

    def make_up(self, key: Key, policy: ScanPolicy) -> None:
        """Do what had to follow the last scan and could not for want of the lease."""
        summary = self.follow_ups.owed(key)
        if summary is None:
            return
        self.background.attempt(
            "scans",
            "requests not brought up to date",
            partial(self._make_up, key, policy, summary),
            # The next scan goes through the requests again.
            lambda _defect: self.follow_ups.drop(key),
            fields=names_of(policy),
        )

    def _make_up(self, key: Key, policy: ScanPolicy, summary: ScanSummary) -> None:
        try:
            standing = self.follow_ups.follow(key, policy, summary)
        except FinopsError as error:
            logger.info("requests are checked again later: %s", error, extra=names_of(policy))
            self.backoff.failed(key, policy, longest=LONGEST_STORE_PAUSE)
            return
        self.follow_ups.pause_while_owed(key, policy, standing)
        now = self.clock.now()
        self.statuses.write(policy, lambda p: policy_status.followed_up(p, standing, now=now))
        self.figures.followed_up(policy, standing)

    def _give_up(self, key: Key, policy: ScanPolicy, problem: str) -> None:
        """Leave a policy alone that asks for something impossible, once that stands in its status."""
        now = self.clock.now()
        if self.statuses.write(policy, lambda p: policy_status.refused(p, message=problem, now=now)) is None:
            self.backoff.failed(key, policy)
            return
        with self._lock:
            self._hopeless[key] = attempt_of(policy)

    def _failed(self, key: Key, policy: ScanPolicy, code: str, message: str) -> None:
        now = self.clock.now()
        self.figures.broke_off(policy)
        self.statuses.write(policy, lambda p: policy_status.failed(p, reason=code, message=message, now=now))
        self.backoff.failed(key, policy)

    def _scan_one(self, key: Key, policy: ScanPolicy, verdict: Due) -> None:
        begun = self.clock.now()
        self.see_accounts()
        self.accounts.see(key, policy)
        logger.info("scan started: %s", verdict.reason, extra=names_of(policy))
        policy = (
            self.statuses.write(policy, lambda p: policy_status.scanning(p, reason=verdict.reason, now=begun)) or policy
        )
        ended = self.ended_acts.count(key)
        summary = self.scan(policy)
        standing = self.follow_ups.follow(key, policy, summary)
        summary = replace(summary, savings=standing.savings or summary.savings)
        self.backoff.ended(key, policy, saw_nothing=bool(summary.complete_failure))
        self.follow_ups.pause_while_owed(key, policy, standing)
        now = self.clock.now()
        generation = policy.metadata.generation
        self.statuses.policies.write_status(
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
        self.ended_acts.answered(key, ended)
        self.figures.ended(policy, summary)
        self.figures.followed_up(policy, standing)
        seconds = (now - begun).total_seconds()
        self.figures.took(policy, seconds)
        logger.info(
            "scan ended: %d resources, %d gaps, %d recommendations",
            summary.resources,
            len(summary.gaps),
            summary.recommendations,
            extra={**names_of(policy), "seconds": round(seconds, 3)},
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
        return due(probe, now, self.backoff.blind_retry(key, policy)).next_time
