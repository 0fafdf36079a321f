"""Uploads in parts that nobody finished: their parts are stored and billed, and no listing of objects shows them.

AWS recommends a rule that aborts uploads after seven days, and Trusted Advisor names buckets without one. Here only
those are named that have such uploads now. What the parts hold is not listed with them, so the saving is unknown.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.measured import count
from finops_operator.services.s3.bucket import BucketFacts

ID: Final = "s3_bucket_incomplete_uploads"
_ACTION: Final = "s3_bucket_set_lifecycle"
_ABORTED_AFTER_DAYS: Final = 7
"""What AWS recommends, https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html"""


def _evaluate(facts: Facts[BucketFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own = parameters["minimumAgeDays"], facts.own
    oldest = parse_time(own.oldest_upload)
    reason = _not_judged(own)
    if not reason and oldest is None:
        reason = "no upload is unfinished"
    elif not reason and oldest is not None and oldest > facts.now - timedelta(days=float(least)):
        reason = f"no unfinished upload is older than {least} days"
    if reason or oldest is None or own.incomplete_uploads is None:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={"abortUploadsAfterDays": _ABORTED_AFTER_DAYS},
        new_monthly_cost=None,
        evidence={
            "incompleteUploads": own.incomplete_uploads,
            "oldestUpload": oldest.isoformat(),
            "thresholdAgeDays": str(least),
        },
        summary=f"{count(own.incomplete_uploads)} uploads are unfinished, the oldest since {oldest:%Y-%m-%d}, and no "
        "rule removes their parts.",
        facts=(
            EvidenceFact("Unfinished uploads", count(own.incomplete_uploads)),
            EvidenceFact("Oldest since", f"{oldest:%Y-%m-%d}"),
            EvidenceFact("Rule that aborts them", "none for the whole bucket"),
        ),
        target=f"{_ABORTED_AFTER_DAYS} days for unfinished uploads",
    )


def _not_judged(own: BucketFacts) -> str:
    if not own.tags_known:
        return "its tags could not be read, so it may be protected"
    if own.incomplete_uploads is None or own.aborts_uploads_days is None:
        return "its uploads or its lifecycle rules could not be read"
    return f"a rule aborts uploads after {own.aborts_uploads_days} days" if own.aborts_uploads_days else ""


CHECK: Final = Check(
    id=ID,
    title="Unfinished uploads that stay",
    kinds=("s3-bucket",),
    documentation="https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html",
    action=_ACTION,
    saving_unknown="AWS lists unfinished uploads without the size of their parts",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumAgeDays",
            unit="days",
            default=Decimal(7),
            minimum=Decimal(1),
            maximum=Decimal(365),
            description="An upload that began less long ago may still be under way.",
        ),
    ),
)
