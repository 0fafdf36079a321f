"""Which distributions may be judged. Pure; shared by the checks."""

from __future__ import annotations

from finops_operator.plugins.check import Facts
from finops_operator.services.cloudfront.distribution import DistributionFacts


def not_judged(facts: Facts[DistributionFacts]) -> str:
    """Return why nothing may be said about the distribution, empty when something may."""
    if not facts.own.tags_known:
        return "its tags could not be read, so it may be protected"
    return "it tries out a change of another distribution" if facts.own.staging else ""
