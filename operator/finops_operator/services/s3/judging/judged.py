"""Which buckets may be judged at all, and how much one stores. Pure; shared by the checks."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import EvidenceFact
from finops.domain.utilization import Utilization
from finops_operator.plugins.check import Facts, ParameterSpec
from finops_operator.plugins.sufficiency import insufficient
from finops_operator.services.s3.bucket import BucketFacts
from finops_operator.services.s3.rules.storage import GIB, STORED

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024


def stored_too_little(facts: Facts[BucketFacts], least_gib: Decimal) -> str:
    """Return why a bucket is not judged: not known well enough, or it stores less than counts; empty when it is."""
    if not facts.own.tags_known:
        return "its tags could not be read, so it may be protected"
    for one in STORED:
        reason = insufficient(facts.utilization, one.name, facts.settings)
        if reason:
            return reason
        if one.name not in facts.utilization.month:
            return f"{one.name} of the newest day is not known"
    stored = stored_bytes(facts.utilization)
    return "" if stored >= least_gib * GIB else f"it stores {size(float(stored))}, {least_gib} GiB count"


def stored_bytes(utilization: Utilization) -> Decimal:
    """Return what a bucket stores in all classes, on the newest day; overhead is not stored by anybody."""
    held = (utilization.month[one.name].amount for one in STORED if one.title and one.name in utilization.month)
    return Decimal(str(sum(held)))


def stored_facts(utilization: Utilization) -> Iterator[EvidenceFact]:
    """Yield what is stored in each class that holds something."""
    for one in STORED:
        use = utilization.month.get(one.name)
        if one.title and use is not None and use.amount:
            yield EvidenceFact(f"Stored in {one.title}", size(use.amount))


def size(number: float) -> str:
    """Return a number of bytes in words: `3.2 GiB`."""
    left, at = float(number), 0
    while left >= _STEP and at < len(_UNITS) - 1:
        left, at = left / _STEP, at + 1
    return f"{left:,.1f}".removesuffix(".0") + f" {_UNITS[at]}"


def least_stored(default: int) -> ParameterSpec:
    """Return the parameter that leaves small buckets alone."""
    return ParameterSpec(
        name="minimumStoredGib",
        unit="GiB",
        default=Decimal(default),
        minimum=Decimal(0),
        maximum=Decimal(1_048_576),
        description="A bucket that stores less is left alone: it costs next to nothing.",
    )
