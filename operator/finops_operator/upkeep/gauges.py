"""Shows in the metrics how far the ledger is and whether acts are frozen; a duty of housekeeping."""

from __future__ import annotations

from dataclasses import dataclass

from finops.ledger.durable import DurableLedger
from finops_operator.cluster.freeze import Freeze
from finops_operator.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Gauges:
    """Gauges of the ledger and of the freeze."""

    ledger: DurableLedger
    freeze: Freeze
    telemetry: Telemetry

    def show(self) -> None:
        """Set them. Raises LedgerUnavailable, ClusterUnavailable, Refused."""
        self.telemetry.ledger_sequence.set(self.ledger.head().sequence)
        self.telemetry.frozen.set(1 if self.freeze.reason() else 0)
