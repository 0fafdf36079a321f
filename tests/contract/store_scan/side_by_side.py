"""Many swaps at once, each thread with a connection of its own, as two processes have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from finops.store.connection import Store, open_store

_PROCESSES = 4


def swap_side_by_side(url: str, store: Store, generations: Sequence[str], swap: Callable[[Store, str], object]) -> None:
    """Make each of `generations` the visible one, four of them at a time."""

    def work(mine: Sequence[str]) -> None:
        other = open_store(url, prefix=store.keys.prefix)
        for generation in mine:
            swap(other, generation)
        other.client.close()

    with ThreadPoolExecutor(_PROCESSES) as pool:
        list(pool.map(work, [generations[start::_PROCESSES] for start in range(_PROCESSES)]))
