"""ebs_volume_unattached: the proof, and everything that is no proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW, facts_of, flat, in_region, volume

from finops.domain.price import Price, PriceQuery
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.ec2.checks.ebs_volume_unattached import CHECK

DEFAULTS = {spec.name: spec.default for spec in CHECK.parameters}
METRICS = ("volumeReadOps", "volumeWriteOps")


def silent(days: float = 32, reason: str = "NotPublished") -> Utilization:
    start = NOW - timedelta(days=days)
    return Utilization("vol", unknown=dict.fromkeys(METRICS, reason), asked_from=dict.fromkeys(METRICS, start))


def judge(resource: Resource, utilization: Utilization | None = None) -> Finding | NotRecommended:
    return CHECK.evaluate(facts_of(resource, utilization or silent()), DEFAULTS)


def reason(resource: Resource, utilization: Utilization | None = None) -> str:
    verdict = judge(resource, utilization)
    assert isinstance(verdict, NotRecommended)
    return verdict.reason


def test_an_old_available_volume_about_which_nothing_was_ever_published_is_unattached() -> None:
    found = judge(volume("available", unattached_since="2026-10-01T00:00:00+00:00"))
    assert isinstance(found, Finding)
    assert (found.action, found.parameters) == ("ebs_volume_delete", {"snapshotExpiryDays": 90})
    assert found.new_monthly_cost == Decimal("5.00")
    assert found.evidence["snapshotMonthlyCostAtMost"] == "5.00"
    assert found.evidence["noActivitySince"] == "2026-10-23T12:00:00+00:00"
    assert found.evidence["seenUnattachedSince"] == "2026-10-01T00:00:00+00:00"


def test_the_evidence_names_the_window_what_was_idle_in_it_and_that_all_of_it_was_answered() -> None:
    found = judge(volume("available"))
    hour_late = judge(volume("available"), silent(days=32 - 1 / 24))
    assert isinstance(found, Finding)
    assert isinstance(hour_late, Finding)
    assert found.evidence["windowStart"] == found.evidence["noActivitySince"]
    assert found.evidence["windowEnd"] == NOW.isoformat()
    assert found.summary.startswith("No running instance has used it since 2026-10-23,")
    assert found.evidence["metricsWithoutData"] == "volumeReadOps, volumeWriteOps"
    assert (found.evidence["dataPoints"], found.evidence["windowAnsweredPercent"]) == (0, "100")
    assert hour_late.evidence["windowAnsweredPercent"] == "99.87"


def test_the_window_begins_where_the_metric_that_was_asked_least_far_back_does() -> None:
    longer = silent(days=40)
    uneven = replace(longer, asked_from={**longer.asked_from, METRICS[0]: silent().asked_from[METRICS[0]]})
    found = judge(volume("available"), uneven)
    assert isinstance(found, Finding)
    assert found.evidence["windowStart"] == "2026-10-23T12:00:00+00:00"


def test_a_volume_one_hour_too_young_is_left_alone() -> None:
    young = replace(volume("available"), created=NOW - timedelta(days=31, hours=23))
    assert reason(young) == "it is younger than 32 days"
    assert isinstance(judge(replace(young, created=NOW - timedelta(days=32))), Finding)


def test_a_single_hour_of_metrics_shows_that_it_was_used() -> None:
    used = replace(silent(), metrics={"volumeWriteOps": flat(0, days=0.05)})
    assert reason(volume("available"), used) == "a running instance used it within the last 32 days"


@pytest.mark.parametrize("why", ["Throttled", "AccessDenied", "NotAsked"])
def test_a_query_that_failed_proves_nothing(why: str) -> None:
    assert reason(volume("available"), silent(reason=why)) == (
        f"volume read ops is unknown ({why}), so its use is not known"
    )


def test_metrics_that_were_never_asked_for_prove_nothing() -> None:
    assert "not measured" in reason(volume("available"), Utilization("vol"))
    unasked = Utilization("vol", unknown=dict.fromkeys(METRICS, "NotPublished"))
    assert reason(volume("available"), unasked) == "its metrics were not read for all of 32 days"


def test_a_window_that_is_too_short_proves_nothing_but_alignment_to_the_hour_is_allowed() -> None:
    assert reason(volume("available"), silent(days=14)) == "its metrics were not read for all of 32 days"
    assert isinstance(judge(volume("available"), silent(days=32 - 1 / 24)), Finding)


def test_an_attached_volume_or_one_of_unknown_age_is_left_alone() -> None:
    assert reason(volume("in-use")) == "it is in-use"
    assert reason(replace(volume("available"), created=None)) == "its age is not known"


def test_a_volume_cheaper_than_its_snapshot_is_left_alone() -> None:
    assert reason(volume("available", volume_type="sc1", size_gb=500)) == (
        "the snapshot taken first could cost as much as the volume"
    )


def test_without_a_price_the_finding_stays_and_its_money_is_unknown() -> None:
    def no_snapshots(query: PriceQuery) -> Price | None:
        return None if query.dimension == "snapshot_gb_month" else SOURCE.lookup(query)

    found = CHECK.evaluate(facts_of(volume("available"), silent(), lookup=no_snapshots), DEFAULTS)
    unknown_region = judge(in_region(volume("available"), "cn-north-1"))
    assert isinstance(found, Finding)
    assert isinstance(unknown_region, Finding)
    assert found.new_monthly_cost is None
    assert unknown_region.new_monthly_cost is None


def test_it_asks_for_as_many_days_of_metrics_as_it_judges() -> None:
    assert CHECK.window_parameter == "minimumUnattachedDays"
    assert CHECK.destructive
