"""A snapshot that has reached an age and that nothing holds: evidence and threshold. Pure.

It is advice where its cost, and so the saving, is unknown. One that an act of ours made before a deletion says for how
long it is to be kept, and until then its age counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.quantity import GIB
from finops.domain.recommendation import EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Facts, Parameters, ParameterSpec
from finops_operator.services.ec2.ebs_snapshot import SnapshotFacts, held_by
from finops_operator.services.ec2.rules.snapshot_tags import expires, made_by_us

MINIMUM_AGE: Final = "minimumAgeDays"


def minimum_age(default: int) -> ParameterSpec:
    """Return the threshold of such a check: the age in days below which a snapshot is left alone."""
    return ParameterSpec(
        name=MINIMUM_AGE,
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
    summary: str,
    origin: EvidenceFact,
    action: str = "",
) -> Finding | NotRecommended:
    """Return the verdict on a snapshot.

    Args:
        check: the id of the check.
        facts: of the snapshot.
        parameters: with the least age.
        spared: why the check does not concern it, empty when it does.
        summary: what is wrong, in one sentence with `{age}` for its days.
        origin: what it was taken of.
        action: what is proposed where the saving is known.
    """
    least, created, own = parameters[MINIMUM_AGE], facts.resource.created, facts.own
    reason = held_by(own, facts.resource.tags, facts.resource.state) or spared
    if not reason and own.shared is not False:
        reason = "another account may use it" if own.shared else "whether it is shared is not known"
    if reason or created is None:
        return NotRecommended(check, facts.resource.id, reason or "its age is not known")
    if made_by_us(facts.resource.tags):
        until = expires(facts.resource.tags, created)
        if until is None or facts.now < until:
            why = "its tag says no number of days" if until is None else f"it is to be kept until {until:%Y-%m-%d}"
            return NotRecommended(check, facts.resource.id, why)
    age = facts.whole_days_since(created)
    if age < least:
        return NotRecommended(check, facts.resource.id, f"it is {age} days old, {least} are needed")
    cost = at_most(facts)
    return Finding(
        check=check,
        action=action if facts.cost.monthly is not None else "",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "ageDays": age,
            "fullBytes": own.full_bytes,
            "volumeSizeGb": own.volume_size_gb,
            "monthlyCostAtMost": None if cost is None else f"{cost:.2f}",
            "thresholdAgeDays": str(least),
        },
        summary=summary.format(age=f"{age:,}"),
        facts=(EvidenceFact("Age", f"{age:,} days"), origin, *_size_facts(facts)),
    )


def at_most(facts: Facts[SnapshotFacts]) -> Decimal | None:
    """Return the monthly price of its whole size, None when size or price are not known."""
    price = facts.lookup(PriceQuery("ebs", facts.resource.region, "snapshot_gb_month"))
    size = _size(facts.own)
    return None if price is None or size is None else price.amount * size


def _size(own: SnapshotFacts) -> Decimal | None:
    """Return the gibibytes that it holds at most: its full size, or that of its volume."""
    if own.full_bytes is not None:
        return own.full_bytes / GIB
    return None if own.volume_size_gb is None else Decimal(own.volume_size_gb)


def _size_facts(facts: Facts[SnapshotFacts]) -> Iterator[EvidenceFact]:
    size, cost = _size(facts.own), at_most(facts)
    yield EvidenceFact("Size, at most", "not known" if size is None else f"{size:,.1f} GiB")
    cost_words = "not known" if cost is None else f"{cost:,.2f} USD a month"
    yield EvidenceFact("Cost, at most", f"{cost_words}; blocks that a later snapshot needs stay and are billed to it")
    yield EvidenceFact("Before it is deleted", "make sure that it is no archive, template or proof that must be kept")
