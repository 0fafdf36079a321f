"""How commands keep memory: what the C library may hoard, and how often Python searches all objects for garbage.

With a heap for each thread and a growing threshold, glibc keeps 30 to 70 MB of metric answers that were freed long ago
while `finops scan` reads in threads; the image sets the same by variables. The 150,000 objects of a program that is
loaded are no garbage: to search them ten times took a fifth of the processor time of a scan of 1,000 instances.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Final

_ARENA_MAX: Final = -8
_MMAP_THRESHOLD: Final = -3
_TRIM_THRESHOLD: Final = -1
_SETTINGS: Final = ((_ARENA_MAX, 2), (_MMAP_THRESHOLD, 131_072), (_TRIM_THRESHOLD, 131_072))
"""Parameters of mallopt(3)."""
_COLLECTED_AFTER: Final = 50_000
"""Objects that are new before any are searched: what a page of a scan makes and drops is counted once, not a hundred
times. Only objects that refer to each other wait for it, some megabytes at most."""


def bound_heap() -> bool:
    """Bound the heaps of this process, before its threads start; False where the C library has no such thing."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, value) for name, value in _SETTINGS)


def collect_rarely() -> None:
    """Let Python search for objects that only refer to each other when many are new, for the rest of this process."""
    gc.set_threshold(_COLLECTED_AFTER)


def end_uncollected() -> None:
    """Leave all that is there to the end of the process: Python would search it twice, to free what goes anyway."""
    gc.freeze()
