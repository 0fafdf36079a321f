"""Whether what was measured is known to be of the type that an instance has. Pure; asked by both checks of sizing.

Percentages are of a type, and AWS keeps no trace of a change. Before a scan saw an instance twice, its type is known
since its last start alone. What came before may be the figures of a larger type, beside which a shrunk one seems to
need little, or of a smaller one that was left for want of room: a few days of the type say too little against them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from finops_operator.plugins.check import Facts
from finops_operator.services.ec2.instance import InstanceFacts
from finops_operator.services.ec2.rules.running import type_known_since

_HOURS: Final = 14 * 24
"""The window that is judged unless a policy says otherwise."""


def type_too_new(facts: Facts[InstanceFacts]) -> str:
    """Return why its figures may be those of another type, empty when they are not."""
    since = type_known_since(facts.resource)
    if since is None or facts.now - since >= timedelta(hours=_HOURS):
        return ""
    return f"its type is known since its start at {since:%Y-%m-%d %H:%M} UTC alone, {_HOURS} hours are needed"
