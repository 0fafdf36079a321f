"""What metrics and events show of a scan that ended; used by the runs of scans."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from finops.crds.conditions import find_condition
from finops.crds.scan_policy import ScanPolicy
from finops.domain.quantity import counted
from finops.domain.report import ScanSummary
from finops.errors import FinopsError
from finops.k8s.events import Events
from finops_operator.policies.statuses import names_of
from finops_operator.rules import policy_status
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScanFigures:
    """Figures of policies."""

    events: Events
    telemetry: Telemetry

    def broke_off(self, policy: ScanPolicy) -> None:
        """Count a scan that did not come to its end."""
        self.telemetry.scans.labels(policy.metadata.namespace or "", policy.metadata.name, "failed").inc()

    def took(self, policy: ScanPolicy, seconds: float) -> None:
        """Measure how long a scan took, with what followed it."""
        self.telemetry.scan_seconds.labels(policy.metadata.namespace or "", policy.metadata.name).observe(seconds)

    def ended(self, policy: ScanPolicy, summary: ScanSummary) -> None:
        """Show what a scan found, and publish its event."""
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
            f"{counted(summary.resources, 'resource')}, {counted(summary.recommendations, 'recommendation')}, "
            f"{counted(len(summary.gaps), 'gap')}",
            "Normal",
        )

    def followed_up(self, policy: ScanPolicy, standing: policy_status.PolicyFigures) -> None:
        """Publish what nobody is asked about, one event for all of it, when that is not what the status said before."""
        waiting, said = standing.unproposed, find_condition(policy.status.conditions, policy_status.ACTS_PROPOSED)
        if waiting is None or not waiting.count or (said is not None and said.message == waiting.message):
            return
        self._event(policy, "NotProposed", policy_status.plain(waiting.message), "Normal")

    def _event(self, policy: ScanPolicy, reason: str, note: str, type_: Any) -> None:
        try:
            self.events.publish(policy, reason=reason, note=note, action="Scan", type_=type_)
        except FinopsError as error:
            logger.warning("event not published: %s", error, extra=names_of(policy))
