"""How many recommendations wait though they could save money, and why: one sentence for a policy's condition. Pure.

Of a large fleet thousands may wait. Each says why by itself in listings and in `finops explain`; the condition says how
many there are for each reason, so that a scan costs one write and not one for each resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from finops.domain.quantity import counted

_REASONS: Final = 5
"""Reasons that are named, the commonest first."""


@dataclass(frozen=True, slots=True)
class Unproposed:
    """What the condition `ActsProposed` says.

    Attributes:
        count: recommendations of which nobody is asked now, and nobody was just asked.
        message: why, in sentences for people.
        reason: `AllProposed`, `SomeWait`, or `RecommendOnly` of a policy that asks nobody.
    """

    count: int
    message: str
    reason: str


RECOMMEND_ONLY: Final = Unproposed(0, "The policy's mode is Recommend: nobody is asked.", "RecommendOnly")
_ALL: Final = Unproposed(0, "People are asked about every recommendation that can be approved.", "AllProposed")


def unproposed(reasons: Mapping[str, int]) -> Unproposed:
    """Return it for reason → how many recommendations wait for it."""
    count = sum(reasons.values())
    if not count:
        return _ALL
    commonest = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    named = [f"{number:,}: {reason}" for reason, number in commonest[:_REASONS]]
    left = sum(number for _, number in commonest[_REASONS:])
    more = [f"{left:,} for other reasons."] if left else []
    what = f"Not proposed: {counted(count, 'recommendation')}; finops explain says why of each."
    return Unproposed(count, " ".join([what, *named, *more]), "SomeWait")
