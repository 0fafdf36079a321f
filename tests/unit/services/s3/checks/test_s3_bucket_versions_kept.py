"""s3_bucket_versions_kept: versions that nothing ever removes."""

from __future__ import annotations

import pytest
from tests.support.judging import without
from tests.unit.services.s3.buckets import BUCKETS, bucket, stored

from finops.domain.canonical import Json
from finops_operator.services.s3.checks.s3_bucket_versions_kept import CHECK


@pytest.mark.parametrize("versioning", ["Enabled", "Suspended"])
def test_a_bucket_that_keeps_every_version_is_named_also_when_it_makes_no_new_ones(versioning: str) -> None:
    found = BUCKETS.found(CHECK, bucket(versioning=versioning, lifecycle_rules=2), stored(standardBytes=10))
    assert found.new_monthly_cost is None
    assert found.summary == "It keeps every version of its objects for ever; with them it stores 10 GiB."
    assert found.evidence["versioning"] == versioning


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"versioning": ""}, "it keeps no versions"),
        ({"expires_noncurrent": True}, "a rule removes old versions"),
        ({"versioning": None}, "its versioning or its lifecycle rules could not be read"),
        ({"expires_noncurrent": None}, "its versioning or its lifecycle rules could not be read"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_keeps_no_version_for_ever_is_left_alone(changes: dict[str, Json], why: str) -> None:
    facts: dict[str, Json] = {"versioning": "Enabled", **changes}
    assert BUCKETS.reason(CHECK, bucket(**facts), stored(standardBytes=10)) == why


@pytest.mark.parametrize(("gib", "finds"), [(1, True), (0.99, False)])
def test_a_bucket_that_stores_little_is_left_alone(gib: float, finds: bool) -> None:
    verdict = BUCKETS.judged(CHECK, bucket(versioning="Enabled"), stored(standardBytes=gib))
    assert hasattr(verdict, "evidence") is finds


def test_a_metric_that_is_missing_proves_nothing() -> None:
    unread = without(stored(standardBytes=10), "standardBytes")
    assert BUCKETS.reason(CHECK, bucket(versioning="Enabled"), unread) == "standard bytes is unknown (Throttled)"
