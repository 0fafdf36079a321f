"""Uploads in parts that nobody finished: their parts are stored and billed, and no listing of objects shows them.

AWS recommends a rule that aborts uploads after seven days, and Trusted Advisor names buckets without one. Here only
those are named that have such uploads now. What the parts hold is asked upload by upload, with 20 requests a bucket at
most and 200 in an account and region: beyond that, and where the parts may not be listed, it stays unknown and so does
the saving. Counted are the uploads that the rule would end at once; younger ones may still be finished.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.measured import count
from finops_operator.services.s3.bucket import BucketFacts
from finops_operator.services.s3.judging.judged import size
from finops_operator.services.s3.judging.upload_cost import monthly_cost_of_parts
from finops_operator.services.s3.rules.uploads import UploadSize

_NOT_SIZED: Final = "not known: too many requests, or the parts may not be listed"
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
    ended = _ended(own, facts.now)
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={"abortUploadsAfterDays": _ABORTED_AFTER_DAYS},
        new_monthly_cost=None if ended is None else _without(facts, ended),
        saving_knowable=ended is not None,
        unpriced="" if ended is None else "no price for the storage class of an upload",
        evidence={
            "incompleteUploads": own.incomplete_uploads,
            "oldestUpload": oldest.isoformat(),
            "oldPartsBytes": None if ended is None else sum(one.size for one in ended),
            "thresholdAgeDays": str(least),
        },
        summary=f"{count(own.incomplete_uploads)} uploads are unfinished, the oldest since {oldest:%Y-%m-%d}, and no "
        "rule removes their parts.",
        facts=(
            EvidenceFact("Unfinished uploads", count(own.incomplete_uploads)),
            EvidenceFact("Oldest since", f"{oldest:%Y-%m-%d}"),
            EvidenceFact(
                f"Stored in those of {_ABORTED_AFTER_DAYS} days and more",
                _NOT_SIZED if ended is None else size(sum(one.size for one in ended)),
            ),
            EvidenceFact("Rule that aborts them", "none for the whole bucket"),
        ),
        target=f"{_ABORTED_AFTER_DAYS} days for unfinished uploads",
    )


def _ended(own: BucketFacts, now: datetime) -> tuple[UploadSize, ...] | None:
    """Return the uploads that the rule would end at once, None where the sizes are not known."""
    if own.upload_sizes is None:
        return None
    sizes = [(one, parse_time(one.begun)) for one in map(UploadSize.of, own.upload_sizes)]
    if any(begun is None for _, begun in sizes):
        return None
    limit = now - timedelta(days=_ABORTED_AFTER_DAYS)
    return tuple(one for one, begun in sizes if begun is not None and begun <= limit)


def _without(facts: Facts[BucketFacts], ended: tuple[UploadSize, ...]) -> Decimal | None:
    cost, parts = facts.cost.unrounded_monthly, monthly_cost_of_parts(facts, ended)
    return None if cost is None or parts is None else cost - parts


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
    saving_unknown="what the parts of its unfinished uploads hold takes too many requests to ask, or may not be read",
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
