"""Which instance types earn credits for their processor; used by the kind, its checks and the watch after a resize.

Source: Amazon EC2 user guide, "Burstable performance instances".
"""

from __future__ import annotations

from typing import Final

_FAMILIES: Final = ("t2.", "t3.", "t3a.", "t4g.")


def is_burstable(instance_type: str) -> bool:
    """Return whether a type earns credits for its processor."""
    return instance_type.startswith(_FAMILIES)
