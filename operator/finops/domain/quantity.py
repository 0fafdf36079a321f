"""Numbers of things in words: `1 gap`, `3 gaps`; for everything a person reads."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return how many there are of what `noun` names in the singular; its plural ends in s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
