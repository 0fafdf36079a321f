"""One policy's scan and what follows it, joined from the pipeline, the proposer and the stores.

Made by the composition root, called by the scheduler from its scan threads.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ExecutionMode, ScanPolicy
from finops.domain.quantity import counted
from finops.domain.report import Savings, ScanSummary
from finops.errors import FenceLost, FinopsError, InvalidInput, Unavailable
from finops.ports.aws_access import Tenant
from finops.ports.clock import Clock
from finops.store.connection import check_server
from finops.store.recommendations import RecommendationStore
from finops.store.space import require_space
from finops_operator.cluster.objects import Objects
from finops_operator.policies.account_status import AccountStatuses
from finops_operator.policies.saved_hours import SavedHours
from finops_operator.policies.scan_runs import ScanStopped
from finops_operator.requests.proposer import FollowedUp, Proposer
from finops_operator.rules.known_ids import KnownIds
from finops_operator.rules.policy_status import PolicyFigures
from finops_operator.scan.dependencies import ScanDependencies
from finops_operator.scan.progress import FinishedShard, Progress
from finops_operator.scan.scan import scan

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PolicyScans:
    """What the scheduler calls, and the figures about a policy that others ask for."""

    deps: ScanDependencies
    accounts: Objects[AwsAccount]
    statuses: AccountStatuses
    proposer: Proposer
    recommendations: RecommendationStore
    hours: SavedHours
    known: KnownIds
    clock: Clock
    allow_volatile: bool
    may_write: Callable[[], bool]

    def see_accounts(self) -> None:
        """Read the accounts from the API server. Raises Refused, ClusterUnavailable."""
        self.accounts.read_again()

    def scan(self, policy: ScanPolicy) -> ScanSummary:
        """Scan once.

        Raises as `scan`, StoreUnsafe, StoreUnavailable also where the store is nearly full, InvalidInput for an unknown
        id or where pods are asked for that nobody may make, Refused or ClusterUnavailable where they cannot be made,
        ScanStopped when the process ends.
        """
        self.known.require(policy)
        if policy.spec.execution.mode is ExecutionMode.JOB and self.deps.pods is None:
            raise InvalidInput(
                "is Job, and this installation makes no pods for scans",
                field="spec.execution.mode",
                hint="set scanJobs.enabled of the chart, or leave the field out",
            )
        check_server(self.deps.store, allow_volatile=self.allow_volatile)
        require_space(self.deps.store)
        accounts = {account.metadata.name: account for account in self.accounts.cache.all()}
        return scan(policy, accounts, self.deps, self.clock).summary

    def follow_up(self, policy: ScanPolicy, summary: ScanSummary) -> PolicyFigures:
        """Bring accounts' status and the policy's requests in line with a scan. Raises StoreUnavailable."""
        namespace, name = key_of(policy)
        named = {reference.name for reference in policy.spec.accounts}
        granted = tuple(
            account.metadata.name
            for account in self.accounts.cache.all()
            if account.spec.actions_for(namespace) is not None and account.metadata.name in named
        )
        self.statuses.refresh(granted, Tenant(namespace=namespace, policy=name))
        owed = not self.may_write()
        try:
            found = self.proposer.follow_up(policy, summary)
        except (FenceLost, Unavailable) as error:
            # The scan's figures stand whatever became of its requests.
            logger.info("requests are brought up to date later: %s", error, extra={"policy": name})
            found, owed = FollowedUp(len(self.proposer.open_of(policy))), True
        except FinopsError as error:
            logger.warning("requests not brought up to date: %s", error, extra={"policy": name})
            found, owed = FollowedUp(len(self.proposer.open_of(policy))), False
        if self.may_write():
            self.hours.note(key_of(policy), self.recommendations.head(key_of(policy)))
        realized = self.hours.a_month(key_of(policy), self.clock.now())
        savings = self._corrected(policy, summary)
        return PolicyFigures(found.open_requests, realized, owed, savings, found.unproposed)

    def _corrected(self, policy: ScanPolicy, summary: ScanSummary) -> Savings | None:
        """Return the scan's savings as the proposer left them; None when another scan's are visible."""
        head = self.recommendations.head(key_of(policy))
        same = head is not None and head.summary.start_time == summary.start_time
        return head.summary.savings if head is not None and same else None

    def fleet(self, policy: ScanPolicy, kind: str) -> int:
        """Return how many resources of `kind` the policy selected at its last scan; the cap by share counts them.

        0 when that is not known, because no scan has ended: then the share is the smallest there is.
        """
        head = self.recommendations.head(key_of(policy))
        costs = {} if head is None else head.costs
        return sum(cost.resources for shard, cost in costs.items() if shard.kind == kind)


class StopWhen(Progress):
    """Watches the progress of scans and breaks them off once `stop` is set.

    Raises (`finished`, `parts_done`):
        ScanStopped: it is.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def finished(self, done: FinishedShard) -> None:
        logger.debug("%s: %s", done.shard, counted(done.resources, "resource"))
        self._break_off()

    def parts_done(self, count: int) -> None:
        logger.debug("%s scanned in pods", counted(count, "part"))
        self._break_off()

    def _break_off(self) -> None:
        if self._stop.is_set():
            raise ScanStopped("the process stops")


def key_of(policy: ScanPolicy) -> tuple[str, str]:
    """Return (namespace, name), the stores' name of a policy."""
    return policy.metadata.namespace or "default", policy.metadata.name
