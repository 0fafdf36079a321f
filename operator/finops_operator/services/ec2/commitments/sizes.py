"""How Reserved Instances of a region spread over the sizes of a family.

Source: EC2 user guide, "How Reserved Instance discounts are applied" and "Instance size flexibility determined by
normalization factor".
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from finops_operator.services.ec2.commitments.model import Use

_SMALL: Final = {
    "nano": Decimal("0.25"),
    "micro": Decimal("0.5"),
    "small": Decimal(1),
    "medium": Decimal(2),
    "large": Decimal(4),
    "xlarge": Decimal(8),
}
_LARGE: Final = re.compile(r"(\d+)xlarge")
_XLARGE: Final = 8
_ONE_SIZE: Final = re.compile(r"(g4ad|g4dn|g5|g5g|g6|g6e|g6f|gr6|gr6f|inf1|inf2|p5|hpc\w+|u7\w+)(-\w+)?")
"""Families whose Reserved Instances fit their own size alone."""
_LINUX: Final = "linux/unix"


@lru_cache(maxsize=256)
def factor(size: str) -> Decimal | None:
    """Return the normalization factor of a size: 4 of `large`; None for metal and what is not known."""
    found = _LARGE.fullmatch(size)
    return Decimal(found.group(1)) * _XLARGE if found else _SMALL.get(size)


def spreads(use: Use) -> bool:
    """Return whether Reserved Instances for the use reach the other sizes of its family.

    Only those for Linux without a licence, on shared hardware, for a whole region do.
    """
    return (
        not use.zone
        and use.product == _LINUX
        and use.tenancy == "default"
        and factor(use.size) is not None
        and _ONE_SIZE.fullmatch(use.family) is None
    )
