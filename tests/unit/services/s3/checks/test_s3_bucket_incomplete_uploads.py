"""s3_bucket_incomplete_uploads: parts of uploads that nobody finished, and uploads under way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.unit.services.s3.buckets import BUCKETS, GIB, bucket, stored

from finops.domain.canonical import Json
from finops_operator.services.s3.checks.s3_bucket_incomplete_uploads import CHECK


def begun(days: float) -> dict[str, Json]:
    return {"incomplete_uploads": 3, "oldest_upload": (NOW - timedelta(days=days)).isoformat()}


def test_an_upload_that_was_never_finished_is_named_and_what_it_holds_is_unknown() -> None:
    found = BUCKETS.found(CHECK, bucket(**begun(30)))
    assert (found.action, found.new_monthly_cost) == ("s3_bucket_set_lifecycle", None)
    assert found.evidence["incompleteUploads"] == 3
    assert found.summary.startswith("3 uploads are unfinished, the oldest since 2026-10-25")
    assert (found.evidence["oldPartsBytes"], found.saving_knowable) == (None, False)
    assert "not known: too many requests, or the parts may not be listed" in {fact.value for fact in found.facts}


def sized(*uploads: tuple[float, str, float]) -> dict[str, Json]:
    """Uploads by GiB, storage class and age in days."""
    texts = [f"{int(gib * GIB)} {name} {(NOW - timedelta(days=days)).isoformat()}" for gib, name, days in uploads]
    return {**begun(30), "incomplete_uploads": len(texts), "upload_sizes": list(texts)}


def saving(facts: dict[str, Json], /, **gib: float) -> Decimal | None:
    use = stored(**gib)
    found, cost = BUCKETS.found(CHECK, bucket(**facts), use), BUCKETS.cost(bucket(**facts), use)
    if found.new_monthly_cost is None or cost.unrounded_monthly is None:
        return None
    return cost.unrounded_monthly - found.new_monthly_cost


def test_the_parts_of_uploads_that_the_rule_ends_at_once_are_saved_at_the_price_of_their_class() -> None:
    facts = sized((100, "STANDARD", 30), (10, "STANDARD_IA", 7), (50, "STANDARD", 6.9))
    found = BUCKETS.found(CHECK, bucket(**facts), stored(standardBytes=500, standardInfrequentBytes=100))
    assert found.evidence["oldPartsBytes"] == 110 * GIB
    # 100 × 0.023 + 10 × 0.0125; what began six days ago may still be finished.
    assert saving(facts, standardBytes=500, standardInfrequentBytes=100) == pytest.approx(Decimal("2.425"))


def test_parts_on_their_way_to_glacier_are_billed_as_standard_until_the_upload_is_finished() -> None:
    facts = sized((100, "DEEP_ARCHIVE", 30))
    assert saving(facts, deepArchiveStagingBytes=200, standardBytes=1) == pytest.approx(Decimal("2.3"))


def test_no_more_is_saved_than_the_bucket_costs_for_the_class() -> None:
    assert saving(sized((100, "STANDARD", 30)), standardBytes=40) == pytest.approx(Decimal("0.92"))
    assert saving(sized((100, "STANDARD", 30)), standardInfrequentBytes=40) == 0


def test_where_the_last_gigabytes_reach_a_further_step_the_cheapest_price_counts_which_is_never_too_high() -> None:
    # 60 TB: the last ones cost 0.022, above 500 TB they would cost 0.021.
    assert saving(sized((100, "STANDARD", 30)), standardBytes=60 * 1024) == pytest.approx(Decimal("2.1"))


def test_a_price_of_a_further_step_that_no_source_has_is_not_missed_where_none_is_reached() -> None:
    facts = sized((100, "INTELLIGENT_TIERING", 30))
    assert saving(facts, tieringFrequentBytes=500) == pytest.approx(Decimal("2.3"))
    assert saving(facts, tieringFrequentBytes=60 * 1024) is None, "which price the last gigabytes have is not known"


def test_of_a_class_without_a_price_or_a_bucket_that_was_not_measured_a_price_is_missing_and_nothing_else() -> None:
    assert saving(sized((1, "EXPRESS_ONEZONE", 30)), standardBytes=40) is None
    found = BUCKETS.found(CHECK, bucket(**sized((1, "STANDARD", 30))))
    assert (found.new_monthly_cost, found.saving_knowable) == (None, True)


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
