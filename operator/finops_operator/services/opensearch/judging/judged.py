"""Which domains may be judged at all. Pure; shared by the checks."""

from __future__ import annotations

from finops_operator.plugins.check import Facts
from finops_operator.services.opensearch.domain import DomainFacts
from finops_operator.services.opensearch.rules.naming import ACTIVE


def not_judged(facts: Facts[DomainFacts]) -> str:
    """Return why nothing may be said about the domain, empty when something may."""
    if facts.resource.state != ACTIVE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {ACTIVE}"
    return "" if facts.own.tags_known else "its tags could not be read, so it may be protected"
