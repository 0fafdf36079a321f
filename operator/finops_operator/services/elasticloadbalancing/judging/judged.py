"""Which load balancers may be judged at all, and how much passed through one. Pure; shared by the checks."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.utilization import Utilization
from finops_operator.plugins.check import Facts
from finops_operator.services.elasticloadbalancing.load_balancer import ACTIVE, IMPAIRED, LoadBalancerFacts
from finops_operator.services.elasticloadbalancing.rules.traffic import TRAFFIC

_WORKING: Final = frozenset({ACTIVE, IMPAIRED})


def not_judged(facts: Facts[LoadBalancerFacts]) -> str:
    """Return why nothing may be said about the load balancer, empty when something may."""
    if facts.resource.state not in _WORKING:
        return f"it is {facts.resource.state or 'in an unknown state'}"
    if not facts.own.tags_known:
        return "its tags could not be read, so it may be protected"
    return "" if facts.own.load_balancer_type in TRAFFIC else "its type is not known"


def too_young(facts: Facts[LoadBalancerFacts], least: Decimal) -> str:
    """Return why its age forbids a verdict; `least` is in days."""
    created = facts.resource.created
    if created is None:
        return "its age is not known"
    young = created > facts.now - timedelta(days=float(least))
    return f"it is younger than {least} days" if young else ""


def busiest_day(utilization: Utilization, names: tuple[str, ...]) -> float:
    """Return what its busiest day carried at most: each counter's own busiest day, added up."""
    total = 0.0
    for name in names:
        summary = utilization.best(name)
        if summary is None or summary.total is None:
            return math.inf
        total += summary.total if summary.busiest_day is None else summary.busiest_day
    return total
