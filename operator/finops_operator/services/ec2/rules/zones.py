"""Which zones are part of a region for prices and Reserved Instances. Pure.

Local Zones and Wavelength Zones have prices of their own; Reserved Instances of a region reach its Availability Zones.
Sources: EC2 user guide, "Regional and zonal Reserved Instances (scope)" and "Capacity Reservations in Wavelength
Zones"; Local Zones user guide, "Available Local Zones".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_ZONE_OF_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d+[a-z]")


@lru_cache(maxsize=256)
def outside_of_region(zone: str) -> bool:
    """Return whether a zone is a Local Zone or a Wavelength Zone (`us-west-2-lax-1a`), by the form of its name."""
    return bool(zone) and _ZONE_OF_REGION.fullmatch(zone) is None
