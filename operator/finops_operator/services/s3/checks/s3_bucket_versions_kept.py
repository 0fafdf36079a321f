"""Buckets that keep every version of every object for ever: what is overwritten or deleted is still billed.

AWS Trusted Advisor names buckets with versioning and no rule for versions. How much of what is stored are old versions
is not among the daily metrics, so the saving is unknown; S3 Storage Lens shows it. A bucket where versioning was
suspended still keeps the versions that it has.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.sufficiency import figure
from finops_operator.services.s3.bucket import BucketFacts
from finops_operator.services.s3.judging.judged import (
    least_stored,
    size,
    stored_bytes,
    stored_facts,
    stored_too_little,
)

ID: Final = "s3_bucket_versions_kept"


def _evaluate(facts: Facts[BucketFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own = parameters["minimumStoredGib"], facts.own
    reason = stored_too_little(facts, least) or _nothing_kept(own)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    stored = stored_bytes(facts.utilization)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "versioning": own.versioning,
            "storedBytes": figure(stored),
            "thresholdStoredGib": str(least),
        },
        summary=f"It keeps every version of its objects for ever; with them it stores {size(float(stored))}.",
        facts=(
            EvidenceFact("Versioning", str(own.versioning)),
            EvidenceFact("Rule that removes old versions", "none for the whole bucket"),
            *stored_facts(facts.utilization),
        ),
    )


def _nothing_kept(own: BucketFacts) -> str:
    if own.versioning is None or own.expires_noncurrent is None:
        return "its versioning or its lifecycle rules could not be read"
    if not own.versioning:
        return "it keeps no versions"
    return "a rule removes old versions" if own.expires_noncurrent else ""


CHECK: Final = Check(
    id=ID,
    title="Bucket that keeps all versions",
    kinds=("s3-bucket",),
    documentation="https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(least_stored(1),),
)
