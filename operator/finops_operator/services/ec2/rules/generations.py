"""Families of EC2 instances that AWS calls previous generation, and the current ones that take their place.

Source: https://aws.amazon.com/ec2/previous-generation/, with the tables "Upgrade paths".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SUCCESSORS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "c3": ("c5",),
        "c4": ("c5",),
        "i2": ("i3",),
        "m1": ("m5",),
        "m2": ("r5",),
        "m3": ("m5",),
        "m4": ("m5",),
        "r3": ("r5",),
        "r4": ("r5",),
        "t1": ("t3",),
        "t2": ("t3",),
    }
)
"""Family → current family with processors of the same architecture."""


def of_previous_generation(instance_type: str) -> bool:
    """Return whether AWS calls the type previous generation and names another family for it."""
    return instance_type.split(".", maxsplit=1)[0] in SUCCESSORS
