"""Says on every policy that asks for scans in pods whether such pods may be made now.

A duty of housekeeping: the condition `ScanPodsPossible`, an Event at each turn, and a gauge. A scan asks for itself
right before it makes a Job; this says it before one is due. Acts do not depend on it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from finops.crds.conditions import SCAN_PODS_POSSIBLE, find_condition
from finops.crds.scan_policy import ExecutionMode, ScanPolicy
from finops.errors import FinopsError
from finops.k8s.events import Events
from finops.ports.clock import Clock
from finops_operator.cluster.objects import Objects
from finops_operator.rules import policy_status
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScanPods:
    """Brings condition and gauge in line with the admission policy that bounds the pods.

    Attributes:
        problem: why no pod may be made, empty when one may; None where this installation makes none.
        may_write: whether it is for this process to write conditions.
    """

    policies: Objects[ScanPolicy]
    events: Events
    telemetry: Telemetry
    clock: Clock
    problem: Callable[[], str] | None
    may_write: Callable[[], bool]

    def show(self) -> None:
        """Ask once, and write what is not said yet."""
        problem = self.problem() if self.problem is not None else ""
        self.telemetry.scan_pods_stopped.set(1 if problem else 0)
        if not self.may_write():
            return
        for policy in self.policies.cache.all():
            try:
                self._bring_in_line(policy, problem)
            except FinopsError as error:
                logger.info("scans in pods are shown later: %s", error, extra={"policy": policy.metadata.name})

    def _bring_in_line(self, policy: ScanPolicy, problem: str) -> None:
        before = find_condition(policy.status.conditions, SCAN_PODS_POSSIBLE)
        if self.problem is None or policy.spec.execution.mode is not ExecutionMode.JOB:
            # Where none may be made at all, the scan says so.
            if before is not None:
                self.policies.write_status(policy, policy_status.without_pods)
            return
        _, reason, message = wanted = policy_status.pods(problem)
        if before is not None and (before.reason, before.message) == (reason, message):
            return
        now = self.clock.now()
        self.policies.write_status(policy, lambda current: policy_status.with_pods(current, wanted, now=now))
        if before is not None or problem:
            self.events.publish(
                policy, reason=reason, note=message, action="Scan", type_="Warning" if problem else "Normal"
            )
