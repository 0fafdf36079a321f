"""Says on every policy that may act why nothing begins: frozen, unprotected, or a ledger whose sinks differ.

A duty of housekeeping: the condition `ActsPossible`, an Event at each turn, and a gauge for each obstacle.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from finops.crds.conditions import find_condition
from finops.crds.policy_actions import Mode
from finops.crds.scan_policy import ScanPolicy
from finops.errors import FinopsError
from finops.k8s.events import Events
from finops.ports.clock import Clock
from finops_operator.cluster.objects import Objects
from finops_operator.rules import policy_status
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)
_GONE: Final = ("ActsPossible", "Nothing stands in the way of approved acts.")


LEDGER_BROKEN: Final = "LedgerBroken"
LEDGER_UNUSABLE: Final = "LedgerUnusable"


@dataclass(frozen=True, slots=True)
class Obstacles:
    """Brings the policies in line with what stops all acts.

    Attributes:
        checks: reason of the condition → why acts are stopped for it, empty when they are not; the first one that says
            something stands on the policies.
        may_write: whether this process holds the lease and the ledger is in order.
    """

    policies: Objects[ScanPolicy]
    events: Events
    telemetry: Telemetry
    clock: Clock
    checks: dict[str, Callable[[], str]]
    may_write: Callable[[], bool]

    def show_ours(self) -> None:
        """Show them when it is for this process to say; its own ledger keeps it from writing, not from saying so."""
        of_ledger = (self.checks[name] for name in (LEDGER_BROKEN, LEDGER_UNUSABLE) if name in self.checks)
        if self.may_write() or any(map(self._ask, of_ledger)):
            self.show()

    def show(self) -> None:
        """Ask all checks and write what they say where it is not said yet."""
        found = {reason: self._ask(check) for reason, check in self.checks.items()}
        for reason, why in found.items():
            self.telemetry.acts_stopped.labels(reason).set(1 if why else 0)
        reason, message = next(((reason, why) for reason, why in found.items() if why), _GONE)
        for policy in self.policies.cache.all():
            if policy.spec.actions.mode is Mode.RECOMMEND:
                continue
            before = find_condition(policy.status.conditions, policy_status.ACTS_POSSIBLE)
            if before is not None and (before.reason, before.message) == (reason, message[: policy_status.LONGEST]):
                continue
            try:
                self._write(policy, reason, message, turned=before is not None or reason != _GONE[0])
            except FinopsError as error:
                logger.info("what stops acts is shown later: %s", error, extra={"policy": policy.metadata.name})

    def _ask(self, check: Callable[[], str]) -> str:
        try:
            return check()
        except FinopsError as error:
            return f"it is not known whether acts may begin: {error}"

    def _write(self, policy: ScanPolicy, reason: str, message: str, *, turned: bool) -> None:
        now = self.clock.now()
        self.policies.write_status(policy, lambda current: policy_status.acts(current, reason, message, now=now))
        if turned:
            self.events.publish(
                policy,
                reason=reason,
                note=message[:1000],
                action="Act",
                type_="Normal" if reason == _GONE[0] else "Warning",
            )
