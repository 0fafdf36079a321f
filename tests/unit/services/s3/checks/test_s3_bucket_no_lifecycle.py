"""s3_bucket_no_lifecycle: much data and no rule, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.judging import without
from tests.unit.services.s3.buckets import BUCKETS, bucket, stored

from finops.domain.canonical import Json
from finops_operator.services.s3.checks.s3_bucket_no_lifecycle import CHECK


def test_a_bucket_that_stores_much_without_a_rule_is_named_and_the_saving_is_unknown() -> None:
    found = BUCKETS.found(CHECK, bucket(), stored(standardBytes=400, glacierBytes=112))
    assert (found.action, found.new_monthly_cost) == ("", None)
    assert found.summary == "It stores 512 GiB and no rule moves or removes any of it."
    assert ("Stored in Standard", "400 GiB") in {(fact.label, fact.value) for fact in found.facts}


@pytest.mark.parametrize(("gib", "finds"), [(100, True), (99.9, False)])
def test_a_bucket_that_stores_little_is_left_alone(gib: float, finds: bool) -> None:
    verdict = BUCKETS.judged(CHECK, bucket(), stored(standardBytes=gib))
    assert hasattr(verdict, "evidence") is finds


def test_a_policy_may_set_how_much_counts() -> None:
    BUCKETS.found(CHECK, bucket(), stored(standardBytes=1), minimumStoredGib=Decimal(1))
    assert "200 GiB count" in BUCKETS.reason(CHECK, bucket(), stored(standardBytes=199), minimumStoredGib=Decimal(200))


def test_a_metric_that_is_missing_proves_nothing() -> None:
    unread = without(stored(standardBytes=400), "glacierBytes")
    assert BUCKETS.reason(CHECK, bucket(), unread) == "glacier bytes is unknown (Throttled)"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lifecycle_rules": 1}, "it has 1 lifecycle rules"),
        ({"lifecycle_rules": None}, "its lifecycle rules could not be read"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_a_bucket_with_rules_or_not_known_well_enough_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert BUCKETS.reason(CHECK, bucket(**changes), stored(standardBytes=400)) == why
