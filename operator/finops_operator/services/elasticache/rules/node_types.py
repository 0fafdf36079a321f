"""Families of node types: which AWS calls previous generation, which run on Graviton, and how sizes follow each other.

Source: the text of `CacheNodeType` in ElastiCache's API reference, which lists the types by generation; m4, t2 and r4
stand there among the current ones.
https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheCluster.html
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PREVIOUS: Final = frozenset({"t1", "m1", "m2", "m3", "c1", "r3"})
SUCCESSORS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"m3": ("m5",), "r3": ("r5",)})
"""Previous families whose sizes have the same names in current ones; the others have none of their size."""

GRAVITON: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "t3": ("t4g",),
        "m5": ("m6g", "m7g"),
        "r4": ("r6g", "r7g"),
        "r5": ("r6g", "r7g"),
    }
)
"""Family → Graviton families of at least as much memory in the same size; those of t2 and m4 have less."""

GRAVITON_SINCE: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {"redis": (5, 0, 6), "memcached": (1, 5, 16), "valkey": (0,)}
)
"""Engine → first version that runs on Graviton."""

_SIZES: Final = ("micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge")
"""Each with about twice the memory of the one before, as far as the steps are even."""


def smaller(name: str) -> str:
    """Return the type of half the size in the same family, empty where the step is not even or there is none."""
    stem, _, size = name.rpartition(".")
    place = _SIZES.index(size) if size in _SIZES else 0
    return f"{stem}.{_SIZES[place - 1]}" if place else ""


def version(text: str) -> tuple[int, ...]:
    """Return a version as numbers, up to the first part that is none: `6.x` → (6,)."""
    numbers: list[int] = []
    for part in text.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
