"""Where the latest checkpoint of the ledger is kept: outside of both sinks, so that their owner cannot change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Anchored:
    """What the places hold.

    Attributes:
        checkpoints: name of a place, for people → the text found there; a place that holds none is left out.
        accepted: what an administrator has accepted as all that is left of the ledger, `SIZE HEAD`; usually empty.
    """

    checkpoints: Mapping[str, str] = field(default_factory=dict)
    accepted: str = ""


class Witness(Protocol):
    """Keeps the text of one checkpoint, in more than one place."""

    def read(self) -> Anchored:
        """Return what is kept. Raises ClusterUnavailable, Refused: not known, which is not "nothing"."""

    def write(self, text: str) -> None:
        """Replace what is kept, and take back what was accepted.

        Raises:
            FenceLost: this process does not hold the lease; nothing was replaced.
            ClusterUnavailable, Refused: at least one place was not written.
        """

    def how_to_accept(self, accepted: str) -> str:
        """Return the command by which an administrator accepts a loss."""

    def announce(self, text: str) -> None:
        """Let administrators know what was recorded about the anchor. Raises nothing."""
