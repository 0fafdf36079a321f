"""What acts save together: what some save and what others cost more, both shown, and those of which nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_NOTHING: Final = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Realised:
    """What acts save together a month, in US dollars.

    Attributes:
        saved: by those that save, never negative.
        rises: by how much the others raise the cost, never negative.
        unknown: how many are in neither, because their figure or what became of it is not known.
        known: how many are in one of them, those that count for nothing among them.
    """

    saved: Decimal = _NOTHING
    rises: Decimal = _NOTHING
    unknown: int = 0
    known: int = 0

    @property
    def net(self) -> Decimal:
        """`saved` less `rises`; negative where acts cost more than they save."""
        return self.saved - self.rises

    @property
    def figure(self) -> Decimal | None:
        """`net`, None where of no act the figure is known."""
        return None if self.unknown and not self.known else self.net


def realised(amounts: Iterable[Decimal | None]) -> Realised:
    """Return what amounts make together; None is one that is not known."""
    found = list(amounts)
    known = [one for one in found if one is not None]
    return Realised(
        sum((one for one in known if one > 0), _NOTHING),
        -sum((one for one in known if one < 0), _NOTHING) + _NOTHING,
        len(found) - len(known),
        len(known),
    )
