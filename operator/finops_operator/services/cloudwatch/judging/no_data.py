"""For how long an alarm has had no data, and which alarms may be judged. Pure; shared by the checks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.check import Facts, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.services.cloudwatch.alarm import NO_DATA, AlarmFacts


def days_without_data(facts: Facts[AlarmFacts], least: Decimal) -> int | str:
    """Return for how many days an alarm has had no data, or why it may not be judged."""
    own, state, since = facts.own, facts.resource.state, parse_time(facts.own.state_since)
    if state != NO_DATA:
        return f"it is {state or 'in an unknown state'}, not {NO_DATA}"
    if own.made_by_scaling:
        return "a scaling policy made it and would make it again"
    if not own.tags_known:
        return "its tags could not be read, so it may be protected"
    if since is None:
        return "when its state changed last is not known"
    passed = (facts.now - since) // timedelta(days=1)
    return passed if passed >= least else f"it has had no data for {passed} days, {least} are needed"


def alarm_facts(own: AlarmFacts, passed: int) -> tuple[EvidenceFact, ...]:
    """Return what a person must know of an alarm without data."""
    metrics = "not known" if own.metrics is None else f"{own.metrics}"
    return (
        EvidenceFact("Without data", f"for {passed} days"),
        EvidenceFact("Metrics that it evaluates", metrics),
        EvidenceFact("Actions", "none" if own.actions == 0 else f"{own.actions or 'not known'}"),
        EvidenceFact("Before it is deleted", "check that no composite alarm names it; AWS keeps no copy"),
    )


def least_days(name: str, default: int, description: str) -> ParameterSpec:
    """Return the parameter of days without data."""
    return ParameterSpec(
        name=name,
        unit="days",
        default=Decimal(default),
        minimum=Decimal(1),
        maximum=Decimal(365),
        description=description,
    )
