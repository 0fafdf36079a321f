"""One thing that housekeeping does now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing to do now and then.

    Attributes:
        name: for the logs.
        writes: only the process that holds the lease does it.
    """

    name: str
    work: Callable[[], None]
    writes: bool = True
