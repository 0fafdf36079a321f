"""s3_bucket_incomplete_uploads: parts of uploads that nobody finished, and uploads under way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.unit.services.s3.buckets import BUCKETS, bucket

from finops.domain.canonical import Json
from finops_operator.services.s3.checks.s3_bucket_incomplete_uploads import CHECK


def begun(days: float) -> dict[str, Json]:
    return {"incomplete_uploads": 3, "oldest_upload": (NOW - timedelta(days=days)).isoformat()}


def test_an_upload_that_was_never_finished_is_named_and_what_it_holds_is_unknown() -> None:
    found = BUCKETS.found(CHECK, bucket(**begun(30)))
    assert (found.action, found.new_monthly_cost) == ("s3_bucket_set_lifecycle", None)
    assert found.evidence["incompleteUploads"] == 3
    assert found.summary.startswith("3 uploads are unfinished, the oldest since 2026-10-25")


def test_an_upload_may_be_under_way_for_a_week() -> None:
    assert BUCKETS.reason(CHECK, bucket(**begun(6.9))) == "no unfinished upload is older than 7 days"
    BUCKETS.found(CHECK, bucket(**begun(7)))
    assert "14 days" in BUCKETS.reason(CHECK, bucket(**begun(13)), minimumAgeDays=Decimal(14))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"incomplete_uploads": 0, "oldest_upload": ""}, "no upload is unfinished"),
        ({"aborts_uploads_days": 7}, "a rule aborts uploads after 7 days"),
        ({"incomplete_uploads": None}, "its uploads or its lifecycle rules could not be read"),
        ({"aborts_uploads_days": None}, "its uploads or its lifecycle rules could not be read"),
        ({"tags_known": None}, "its tags could not be read, so it may be protected"),
    ],
)
def test_a_bucket_without_such_uploads_or_not_known_well_enough_is_left_alone(
    changes: dict[str, Json], why: str
) -> None:
    facts: dict[str, Json] = {**begun(30), **changes}
    assert BUCKETS.reason(CHECK, bucket(**facts)) == why
