"""Says on a policy which kinds of its acts are paused after one failed, and how a person resumes them.

A duty of housekeeping: the condition `ActsPaused`, an Event at each turn, and a gauge per kind. What is shown is read
from the ledger and from the policy as it is now: of a kind that an edit took out of the policy nothing waits. Nothing
is decided from what stands here.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field

from finops.crds.conditions import ACTS_PAUSED, PAUSE_REASONS, find_condition, is_true
from finops.crds.policy_actions import Mode
from finops.crds.scan_policy import ScanPolicy
from finops.errors import FinopsError
from finops.k8s.events import Events
from finops.ports.clock import Clock
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.pauses import Pauses, Scope, paused_sentence
from finops_operator.rules import policy_status
from finops_operator.rules.policy_status import PausedActs
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)
_NONE = PausedActs(is_paused=False, message="No kind of act is paused.")
_TAKEN_OUT = PausedActs(
    is_paused=False,
    message="The policy no longer lets the operator do the acts that are paused; they stay paused if it does again.",
)


@dataclass(frozen=True, slots=True)
class PausedKinds:
    """Brings condition and gauge of every policy in line with the ledger.

    Attributes:
        actions: ids of all actions that this operator knows.
    """

    policies: Objects[ScanPolicy]
    pauses: Pauses
    actions: Collection[str]
    events: Events
    telemetry: Telemetry
    clock: Clock
    _measured: set[tuple[str, str, str]] = field(default_factory=set)
    """Namespace, policy and action of every series of the gauge."""

    def show(self) -> None:
        """Write them where they are not shown yet. Raises LedgerUnavailable, LedgerDiverged: not known now."""
        done = set[tuple[str, str, str]]()
        for policy in self.policies.cache.all():
            wanted = self._of(policy, done)
            before = find_condition(policy.status.conditions, ACTS_PAUSED)
            was_paused = is_true(policy.status.conditions, ACTS_PAUSED)
            if before is None and not wanted.is_paused:
                continue
            if (
                before is not None
                and (was_paused, before.message) == (wanted.is_paused, wanted.message)
                and before.observed_generation == policy.metadata.generation
            ):
                continue
            is_news = was_paused != wanted.is_paused or (before is not None and before.message != wanted.message)
            try:
                self._write(policy, wanted, is_news=is_news and (was_paused or wanted.is_paused))
            except FinopsError as error:
                logger.info("paused acts are shown later: %s", error, extra={"policy": policy.metadata.name})
        self._forget(self._measured - done)
        self._measured.update(done)

    def forget(self) -> None:
        """Take the gauge back: another process shows it from here on."""
        self._forget(set(self._measured))

    def _forget(self, series: set[tuple[str, str, str]]) -> None:
        for labels in series:
            self.telemetry.acts_paused.remove(*labels)
        self._measured.difference_update(series)

    def _of(self, policy: ScanPolicy, done: set[tuple[str, str, str]]) -> PausedActs:
        """Return what the policy should say, and add the series that were set to `done`."""
        namespace, name, actions = policy.metadata.namespace or "", policy.metadata.name, policy.spec.actions
        # Only acts wait: whatever the mode allows less is not paused by the failure of one.
        allowed = frozenset(actions.allowed) if actions.mode is Mode.APPROVE else frozenset[str]()
        sentences, is_elsewhere = [], False
        for action in sorted({*self.actions, *allowed}):
            scope = Scope(namespace, name, action)
            found = self.pauses.in_force(scope)
            if action not in allowed:
                is_elsewhere = is_elsewhere or bool(found)
                continue
            self.telemetry.acts_paused.labels(namespace, name, action).set(len(found))
            done.add((namespace, name, action))
            if found:
                sentences.append(f"{paused_sentence(scope, found, found[-1].request)}.")
        if sentences:
            return PausedActs(is_paused=True, message=policy_status.plain(" ".join(sentences)))
        return _TAKEN_OUT if is_elsewhere else _NONE

    def _write(self, policy: ScanPolicy, wanted: PausedActs, *, is_news: bool) -> None:
        now = self.clock.now()
        self.policies.write_status(policy, lambda current: policy_status.paused(current, wanted, now=now))
        if is_news:
            self.events.publish(
                policy,
                reason=PAUSE_REASONS[wanted.is_paused],
                note=wanted.message if wanted.is_paused or wanted is _TAKEN_OUT else "Paused acts were resumed.",
                action="Act",
                type_="Warning" if wanted.is_paused else "Normal",
            )
