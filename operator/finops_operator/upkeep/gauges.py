"""Shows in the metrics how far the ledger is and whether acts are frozen or wait; a duty of housekeeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finops.ledger.durable import DurableLedger
from finops_operator.cluster.freeze import Freeze
from finops_operator.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Gauges:
    """Gauges of the ledger, of the freeze and of the acts that stand still.

    Attributes:
        paused: the approved acts that stand still, with the reasons.
    """

    ledger: DurableLedger
    freeze: Freeze
    telemetry: Telemetry
    paused: Callable[[], dict[str, str]]

    def show(self) -> None:
        """Set them. Raises LedgerUnavailable, ClusterUnavailable, Refused."""
        self.telemetry.ledger_sequence.set(self.ledger.head().sequence)
        self.telemetry.acts_waiting.set(len(self.paused()))
        self.telemetry.frozen.set(1 if self.freeze.reason() else 0)
