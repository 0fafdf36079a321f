"""Buckets without any lifecycle rule: nothing ever moves to a cheaper class, and nothing is ever removed.

AWS Trusted Advisor names such buckets whatever they store; those that store little are left alone here. How much is to
be saved depends on how long data is needed and how often it is read, which nothing measures for free, so it is unknown:
S3 Storage Class Analysis finds out what would move, and Intelligent-Tiering moves by itself.
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

ID: Final = "s3_bucket_no_lifecycle"


def _evaluate(facts: Facts[BucketFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, rules = parameters["minimumStoredGib"], facts.own.lifecycle_rules
    reason = stored_too_little(facts, least)
    if not reason and rules is None:
        reason = "its lifecycle rules could not be read"
    elif not reason and rules:
        reason = f"it has {rules} lifecycle rules"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    stored = stored_bytes(facts.utilization)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"storedBytes": figure(stored), "lifecycleRules": 0, "thresholdStoredGib": str(least)},
        summary=f"It stores {size(float(stored))} and no rule moves or removes any of it.",
        facts=(EvidenceFact("Lifecycle rules", "none"), *stored_facts(facts.utilization)),
    )


CHECK: Final = Check(
    id=ID,
    title="Bucket without lifecycle rules",
    kinds=("s3-bucket",),
    documentation="https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    parameters=(least_stored(100),),
)
