"""Says on a policy which kinds of its acts are paused after one failed, and how a person resumes them.

A duty of housekeeping: the condition `ActsPaused`, an Event at each turn, and a gauge per kind. What is shown is read
from the ledger; nothing is decided from what stands here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from finops.crds.conditions import ConditionStatus, find_condition
from finops.crds.policy_actions import Mode
from finops.crds.scan_policy import ScanPolicy
from finops.errors import FinopsError
from finops.k8s.events import Events
from finops.ports.clock import Clock
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.pauses import Pauses, Scope, paused_sentence
from finops_operator.rules import policy_status
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PausedKinds:
    """Brings condition and gauge of every policy that may act in line with the ledger."""

    policies: Objects[ScanPolicy]
    pauses: Pauses
    events: Events
    telemetry: Telemetry
    clock: Clock

    def show(self) -> None:
        """Write them where they are not shown yet. Raises LedgerUnavailable, LedgerDiverged: not known now."""
        for policy in self.policies.cache.all():
            if policy.spec.actions.mode is Mode.RECOMMEND:
                continue
            message = " ".join(self._of(policy))[: policy_status.LONGEST]
            before = find_condition(policy.status.conditions, policy_status.ACTS_PAUSED)
            if before is None and not message:
                continue
            is_paused = before is not None and before.status is ConditionStatus.TRUE
            if before is not None and is_paused == bool(message) and (not message or before.message == message):
                continue
            try:
                self._write(policy, message)
            except FinopsError as error:
                logger.info("paused acts are shown later: %s", error, extra={"policy": policy.metadata.name})

    def _of(self, policy: ScanPolicy) -> list[str]:
        namespace, name = policy.metadata.namespace or "", policy.metadata.name
        sentences = []
        for action in policy.spec.actions.allowed:
            found = self.pauses.in_force(Scope(namespace, name, action))
            self.telemetry.acts_paused.labels(namespace, name, action).set(len(found))
            if found:
                sentences.append(f"{paused_sentence(action, name, found, found[-1].request)}.")
        return sentences

    def _write(self, policy: ScanPolicy, message: str) -> None:
        now = self.clock.now()
        self.policies.write_status(policy, lambda current: policy_status.paused(current, message, now=now))
        self.events.publish(
            policy,
            reason=policy_status.PAUSE_REASONS[bool(message)],
            note=message[:1000] or "Paused acts were resumed.",
            action="Act",
            type_="Warning" if message else "Normal",
        )
