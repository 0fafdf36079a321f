"""Which consecutive days are known of all parts of a cost, so that their sum lacks none of them. Pure.

Days are proleptic ordinals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple


class Run(NamedTuple):
    """The days that are known of one part.

    Attributes:
        first, last: of them.
        holes: the days between them that are not known.
        begins_free: whether there was nothing to pay for before `first`, so that the days before are known as well.
    """

    first: int
    last: int
    holes: Collection[int] = ()
    begins_free: bool = False


def known_of_all(runs: Iterable[Run], since: int, until: int) -> range:
    """Return the last consecutive days from `since` to `until` that are known of every part; empty where none is."""
    members = list(runs)
    if not members:
        return range(0)
    start = max(since, min(run.first for run in members))
    known = bytearray(b"\1" * max(0, until + 1 - start))
    for run in members:
        if not run.begins_free:
            _forget(known, 0, run.first - start)
        _forget(known, run.last + 1 - start, len(known))
        for day in run.holes:
            _forget(known, day - start, day + 1 - start)
    end = known.rfind(1)
    return range(start + known.rfind(0, 0, end) + 1, start + end + 1) if end >= 0 else range(0)


def _forget(known: bytearray, first: int, end: int) -> None:
    begin, stop = max(0, first), min(end, len(known))
    if begin < stop:
        known[begin:stop] = bytes(stop - begin)
