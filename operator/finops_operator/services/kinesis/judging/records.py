"""How many records a stream took in or gave out, and which streams may be judged. Pure; shared by the checks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops_operator.plugins.check import Facts
from finops_operator.plugins.window import not_measured
from finops_operator.services.kinesis.stream import ACTIVE, StreamFacts

_NEVER: Final = "NotPublished"


def not_judged(facts: Facts[StreamFacts]) -> str:
    """Return why nothing may be said about the stream, empty when something may."""
    if facts.resource.state != ACTIVE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {ACTIVE}"
    return "" if facts.own.tags_known else "its tags could not be read, so it may be protected"


def records(facts: Facts[StreamFacts], name: str, least: Decimal) -> float | str:
    """Return a counter's sum over the window, or why it is not known.

    Where AWS holds not a single point of at least `least` days, nothing happened in them.
    """
    asked_from = facts.utilization.asked_from.get(name)
    if facts.utilization.unknown.get(name) == _NEVER and asked_from is not None:
        whole = asked_from <= facts.now - timedelta(days=float(least)) + timedelta(hours=1)
        return 0.0 if whole else f"less than {least} days of {name} were asked for"
    reason = not_measured(facts, (name,), least)
    summary = facts.utilization.best(name)
    return reason if reason or summary is None else (summary.total or 0.0)
