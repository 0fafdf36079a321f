"""What AWS says of where a snapshot comes from: its volume, or the image that it was made for.

Source: EC2 API reference, Snapshot; Amazon EBS user guide, "Copy an Amazon EBS snapshot".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

COMPLETED: Final = "completed"
_NO_VOLUME: Final = "vol-ffffffff"
"""What AWS gives a copy in place of its volume."""
_COPIED: Final = ("[Copied ", "Copied for ")
_OF_IMAGE: Final = re.compile(
    r"Created by CreateImage\(i-[0-9a-f]+\) for (?P<made>ami-[0-9a-f]+)(?: from .*)?"
    r"|Copied for DestinationAmi (?P<copied>ami-[0-9a-f]+) from SourceAmi .*"
)
"""What AWS writes into the description of the snapshots of an image."""


def volume_of(described: Mapping[str, Any]) -> str:
    """Return the volume it was taken of; AWS gives copies any id, which may be that of another volume."""
    copied = described.get("TransferType") or str(described.get("Description") or "").startswith(_COPIED)
    volume = str(described.get("VolumeId") or "")
    return "" if copied or volume == _NO_VOLUME else volume


def image_of(described: Mapping[str, Any]) -> str:
    """Return the image that AWS says it was made for, empty when it says none."""
    match = _OF_IMAGE.fullmatch(str(described.get("Description") or ""))
    return str(match["made"] or match["copied"]) if match else ""
