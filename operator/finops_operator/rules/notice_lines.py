"""Lines that the texts of several notices share. Pure."""

from __future__ import annotations

from datetime import datetime


def as_of_lines(as_of: datetime | None) -> list[tuple[str, str]]:
    """Return the line that says how old the figures are: none where no scan has ended."""
    if as_of is None:
        return []
    return [("As of", f"{as_of:%Y-%m-%d %H:%M} UTC, when the oldest of the last scans ended.")]
