"""Advice to delete a manual snapshot that has reached an age: why not yet, its evidence and its threshold. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Facts, Parameters, ParameterSpec
from finops_operator.services.rds.judging.upper_bound import at_most, size_facts
from finops_operator.services.rds.snapshot import AVAILABLE, SnapshotFacts

SAVING_UNKNOWN: Final = "AWS bills what changed over all backups of the region and does not say what a snapshot adds"
_MINIMUM_AGE: Final = "minimumAgeDays"


def minimum_age(default: int) -> ParameterSpec:
    """Return the threshold of such a check: the age in days below which a snapshot is left alone."""
    return ParameterSpec(
        name=_MINIMUM_AGE,
        unit="days",
        default=Decimal(default),
        minimum=Decimal(1),
        maximum=Decimal(3650),
        description="A snapshot younger than this is left alone.",
    )


def aged(
    check: str,
    facts: Facts[SnapshotFacts],
    parameters: Parameters,
    spared: str,
    summary: Callable[[int], str],
    origin: EvidenceFact,
    action: str = "",
) -> Finding | NotRecommended:
    """Return the verdict on a snapshot.

    Args:
        check: the id of the check.
        facts: of the snapshot.
        parameters: with the least age.
        spared: why the check does not concern it, empty when it does.
        summary: age in whole days → what is wrong, in one sentence.
        origin: what it is a snapshot of.
        action: what may follow; empty: it is advice.
    """
    least, created = parameters[_MINIMUM_AGE], facts.resource.created
    reason = spared
    if facts.resource.state != AVAILABLE:
        reason = f"it is {facts.resource.state or 'in an unknown state'}, not {AVAILABLE}"
    if reason or created is None:
        return NotRecommended(check, facts.resource.id, reason or "its age is not known")
    age = facts.whole_days_since(created)
    if age < least:
        return NotRecommended(check, facts.resource.id, f"it is {age} days old, {least} are needed")
    cost = at_most(facts)
    return Finding(
        check=check,
        action=action,
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "ageDays": age,
            "sizeGb": facts.own.size_gb,
            "monthlyCostAtMost": None if cost is None else f"{cost:.2f}",
            "thresholdAgeDays": str(least),
        },
        summary=summary(age),
        facts=(EvidenceFact("Age", f"{age:,} days"), origin, *size_facts(facts)),
    )
