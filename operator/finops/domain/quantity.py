"""Numbers, lengths of time and ids in words: `1 gap`, `3 gaps`; for everything a person reads."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

GIB: Final = Decimal(2**30)
"""Bytes of a gibibyte, which is what AWS's bills and price list call a GB."""


def counted(number: int, noun: str) -> str:
    """Return how many there are of what `noun` names in the singular; its plural ends in s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(length: timedelta) -> str:
    """Return a length of time in its two largest units: `2 d 3 h`, `6 min 55 s`, `1.9 s`."""
    seconds = length.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def words(name: str) -> str:
    """Return an id as words: `ec2_instance_idle` and `NeedsHuman` become `ec2 instance idle` and `needs human`."""
    spaced = "".join(f" {one.lower()}" if one.isupper() else one for one in name)
    return spaced.replace("_", " ").replace("-", " ").strip()
