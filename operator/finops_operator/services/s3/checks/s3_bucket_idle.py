"""Buckets that nobody read, wrote or listed for months, where requests are counted; without that it is not known.

AWS publishes no rule; three months are taken, after which Intelligent-Tiering too moves what nobody reads to a class
for archives that answers at once. The saving is that of the same class, Glacier Instant Retrieval, for what lies in
Standard today: nothing is lost, and reading then costs more. Moving costs once for each object, and objects below
128 KB are not moved. Deleting saves all of it, and is a decision of the data's owner.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen
from finops_operator.services.s3.bucket import BucketFacts
from finops_operator.services.s3.judging.judged import (
    least_stored,
    size,
    stored_bytes,
    stored_facts,
    stored_too_little,
)
from finops_operator.services.s3.rules.requests import ALL
from finops_operator.services.s3.rules.storage import GIB, STANDARD, STANDARD_STORED, storage_query

ID: Final = "s3_bucket_idle"
_COLDER: Final = "glacier_instant"


def _evaluate(facts: Facts[BucketFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    reason = _not_counted(facts.own.request_filter) or stored_too_little(facts, parameters["minimumStoredGib"])
    reason = reason or days_unseen(facts, (ALL,), least)
    requests = facts.utilization.best(ALL)
    if reason or requests is None:
        return NotRecommended(ID, facts.resource.id, reason)
    if requests.total:
        reason = f"{count(requests.total)} requests came within {days(requests.hours)}"
        return NotRecommended(ID, facts.resource.id, reason)
    stored = stored_bytes(facts.utilization)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=_colder(facts),
        evidence={
            "requests": "0",
            "storedBytes": figure(stored),
            "thresholdIdleDays": str(least),
            **coverage_evidence(requests),
        },
        summary=f"No request came for {days(requests.hours)}; it stores {size(float(stored))}.",
        facts=(EvidenceFact("Requests", "none"), window_fact(requests), *stored_facts(facts.utilization)),
    )


def _not_counted(request_filter: str | None) -> str:
    if request_filter is None:
        return "whether its requests are counted could not be read"
    return "" if request_filter else "its requests are not counted"


def _colder(facts: Facts[BucketFacts]) -> Decimal | None:
    """Return what the bucket costs when what lies in Standard lies in a class for archives; None when not known."""
    price = facts.lookup(storage_query(facts.resource.region, _COLDER))
    current, use = facts.cost.unrounded_monthly, facts.utilization.month.get(STANDARD.name)
    if price is None or current is None or use is None:
        return None
    gib = Decimal(str(use.amount)) / GIB
    standard = sum((one.monthly for one in facts.cost.components if one.dimension == STANDARD_STORED), Decimal(0))
    return current - standard + min(standard, gib * price.amount)


CHECK: Final = Check(
    id=ID,
    title="Bucket that nobody uses",
    kinds=("s3-bucket",),
    documentation="https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumIdleDays",
            unit="days",
            default=Decimal(90),
            minimum=Decimal(30),
            maximum=Decimal(400),
            description="A bucket is idle after this many days without a request.",
        ),
        least_stored(100),
    ),
    window_parameter="minimumIdleDays",
)
