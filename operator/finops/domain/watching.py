"""Whether an act made things worse, from signs read in the hours after it; pure.

Used by what watches acts. A sign that could not be read is unknown and never counts as well: nobody may rest on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from finops.domain.canonical import Json

PROPOSE_UNDO: Final = "proposeUndo"
"""In the ledger's record of a worse state: whether it asks for the undo of the act."""
BEFORE: Final = "before"
"""In the ledger's record that announces the first call of an act: how the resource did right before it."""
_LONGEST: Final = 900
"""Characters of a sentence about all signs: with what is said around it, it fits a status."""


class Health(StrEnum):
    """How a resource does after an act."""

    WELL = "well"
    WORSE = "worse"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that was read after an act.

    Attributes:
        name: what was read, in one or two words: `status checks`.
        health: how it stands.
        sentence: what was found, for people; of an unknown one, why it is not known.
    """

    name: str
    health: Health
    sentence: str


def verdict(signs: Sequence[Sign]) -> Health:
    """Return how the resource does: worse by one bad sign, well only when every sign is, and there is one."""
    found = {sign.health for sign in signs}
    if Health.WORSE in found:
        return Health.WORSE
    return Health.WELL if found == {Health.WELL} else Health.UNKNOWN


def reason(signs: Sequence[Sign]) -> str:
    """Return in sentences what led to the verdict; of a good one, all that was found."""
    wanted = verdict(signs)
    return " ".join(sign.sentence for sign in signs if sign.health is wanted)[:_LONGEST] or "Nothing was read."


def signs_to_json(signs: Sequence[Sign]) -> dict[str, Json]:
    """Return name → health, for the ledger."""
    return {sign.name: sign.health.value for sign in signs}
