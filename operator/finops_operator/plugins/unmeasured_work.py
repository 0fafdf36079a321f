"""Instance types whose work CPU does not show: an accelerator may be busy while the CPU is idle. Pure; for groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from finops_operator.pricing.instance_types import bundled_catalog

_OTHER_ACCELERATORS: Final = ("inf", "trn", "dl", "f1.", "f2.", "vt")
"""Families with chips for machine learning, programmable ones or ones for video; the catalog counts GPUs alone."""


def not_by_cpu(names: Iterable[str]) -> str:
    """Return why machines of these types may not be judged by their CPU, empty when they may."""
    found = tuple(names)
    if not all(found):
        return "the type of its machines is not known"
    for name in found:
        kind = bundled_catalog().get(name)
        if kind is None:
            return f"nothing is known about {name}"
        if kind.gpu_count or kind.gpu_name or name.startswith(_OTHER_ACCELERATORS):
            return f"{name} has accelerators, whose use is not measured"
    return "" if found else "the type of its machines is not known"
