"""Which functions may be judged at all, and what is waited for before a verdict. Pure; shared by the checks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops_operator.plugins.check import Facts
from finops_operator.plugins.described import parse_time
from finops_operator.services.awslambda.function import FunctionFacts

EDGE_REGION: Final = "us-east-1"
"""Where functions are kept that CloudFront runs at the edge."""


def not_judged(facts: Facts[FunctionFacts]) -> str:
    """Return why nothing may be said about the function, empty when something may."""
    if not facts.own.tags_known:
        return "its tags could not be read, so it may be protected"
    return "it runs on instances of a capacity provider" if facts.own.on_own_capacity else ""


def changed_within(facts: Facts[FunctionFacts], text: str | None, least: Decimal) -> str:
    """Return why a change (ISO time) is too young for a verdict, empty when it is older than `least` days."""
    changed = parse_time(text)
    if changed is None:
        return "when it was last changed is not known"
    young = changed > facts.now - timedelta(days=float(least))
    return f"it was changed within the last {least} days" if young else ""
