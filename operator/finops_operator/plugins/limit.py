"""The most that AWS allows of a size, which what somebody pushes is compared with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that AWS allows of a fact, in `unit`; `source` says where AWS says so. The least is 0."""

    most: int
    unit: str
    source: str
