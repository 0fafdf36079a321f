"""Places outside of a ledger's sinks that keep its checkpoint, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from finops.errors import ClusterUnavailable
from finops.ports.anchor import Anchored


@dataclass
class MemoryWitness:
    """Implements finops.ports.anchor.Witness.

    Attributes:
        written: every text, in order.
        down: whether it answers at all.
    """

    kept: dict[str, str] = field(default_factory=dict)
    accepted: str = ""
    written: list[str] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)
    down: bool = False

    def read(self) -> Anchored:
        if self.down:
            raise ClusterUnavailable("the API server does not answer")
        return Anchored(dict(self.kept), self.accepted)

    def write(self, text: str) -> None:
        if self.down:
            raise ClusterUnavailable("the API server does not answer")
        self.kept = {"Lease": text, "ConfigMap": text}
        self.accepted = ""
        self.written.append(text)

    def how_to_accept(self, accepted: str) -> str:
        return f"accept '{accepted}'"

    def announce(self, text: str) -> None:
        self.announced.append(text)
