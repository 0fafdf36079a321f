"""EC2 types made for one purpose, which no figure of CPU or memory sizes. Read by right-sizing. Pure.

GPUs are not among them: the catalog of types has their number and model, and a target must have the same.
Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
"""

from __future__ import annotations

import re
from typing import Final

ACCELERATED: Final = "accelerated"
"""Inferentia, Trainium, Gaudi, Qualcomm AI, FPGA and media accelerators; CloudWatch measures none of them."""
HIGH_MEMORY: Final = "high memory"
"""SAP certifies HANA on each of these by its name."""
HIGH_PERFORMANCE: Final = "high performance computing"
"""Made for clusters over EFA, with little bandwidth for volumes."""
_PURPOSES: Final = {
    **dict.fromkeys(("dl", "f", "inf", "trn", "vt"), ACCELERATED),
    "u": HIGH_MEMORY,
    "hpc": HIGH_PERFORMANCE,
}
_LETTERS: Final = re.compile(r"[a-z]+")


def special_purpose(instance_type: str) -> str:
    """Return the purpose of a type by the first letters of its name; empty for all that are sized by their use."""
    found = _LETTERS.match(instance_type)
    return _PURPOSES.get(found.group(), "") if found else ""
