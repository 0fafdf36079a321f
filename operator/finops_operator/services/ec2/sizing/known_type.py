"""Whether what was measured is known to be of the type that an instance has. Pure; asked by both checks of sizing.

Percentages are of a type, and AWS keeps no trace of a change. Before a scan saw an instance twice, its type is known
since its last start alone. A change that nobody saw hides nothing where the days since then hold more points than a
percentile leaves out, so that a shrunk type shows its peaks; a shortage must not be one of a type that was left.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops_operator.plugins.check import Facts
from finops_operator.services.ec2.instance import InstanceFacts
from finops_operator.services.ec2.rules.running import type_known_since

_WEEK_HOURS: Final = Decimal(168)
"""What P90 and P95 leave out of 62 days is less; P99.5 leaves out less than the fewest hours that are judged."""
_ALL_HOURS: Final = Decimal(14 * 24)


def too_new_to_shrink(facts: Facts[InstanceFacts]) -> str:
    """Return why its figures may be those of a larger type, empty when they are not."""
    precise = facts.settings.sizing.margins.cpu_percentile == "p99_5"
    return _not_known(facts, facts.settings.minimum_hours if precise else _WEEK_HOURS)


def too_new_to_grow(facts: Facts[InstanceFacts]) -> str:
    """Return why its figures may be those of a smaller type, empty when they are not."""
    return _not_known(facts, _ALL_HOURS)


def _not_known(facts: Facts[InstanceFacts], hours: Decimal) -> str:
    since = type_known_since(facts.resource)
    if since is None or facts.now - since >= timedelta(hours=float(hours)):
        return ""
    return f"its type is known since its start at {since:%Y-%m-%d %H:%M} UTC alone, {hours} hours are needed"
