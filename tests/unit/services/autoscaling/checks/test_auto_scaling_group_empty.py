"""auto_scaling_group_empty: the proof, and everything that is no proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW, flat
from tests.support.scaling_groups import found, group, reason

from finops.domain.utilization import Utilization
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.autoscaling.checks.auto_scaling_group_empty import CHECK

METRIC = "groupCpuPercent"


def silent(days: float = 30, why: str = "NotPublished") -> Utilization:
    return Utilization("web", unknown={METRIC: why}, asked_from={METRIC: NOW - timedelta(days=days)})


def test_a_group_in_which_no_instance_ran_for_a_month_is_empty_and_saves_nothing() -> None:
    one = found(CHECK, group(0), silent())
    assert (one.new_monthly_cost, one.action) == (Decimal(0), "")
    assert one.evidence["noInstanceSince"] == (NOW - timedelta(days=30)).isoformat()


def test_a_single_hour_of_cpu_shows_that_an_instance_ran() -> None:
    used = replace(silent(), unknown={}, metrics={METRIC: flat(1, days=0.05)})
    assert reason(CHECK, group(0), used) == "an instance ran in it within the last 30 days"


@pytest.mark.parametrize("why", ["Throttled", "AccessDenied"])
def test_a_query_that_failed_proves_nothing(why: str) -> None:
    assert (
        reason(CHECK, group(0), silent(why=why))
        == f"{metric_words(METRIC)} is unknown ({why}), so its use is not known"
    )


def test_what_was_never_asked_or_not_for_long_enough_proves_nothing() -> None:
    assert "not measured" in reason(CHECK, group(0), Utilization("web"))
    assert reason(CHECK, group(0), silent(days=29)) == "its metrics were not read for all of 30 days"
    assert CHECK.window_parameter == "minimumEmptyDays"


def test_a_group_that_has_wants_or_keeps_instances_is_left_alone() -> None:
    assert reason(CHECK, group(1), silent()) == "it is active"
    assert reason(CHECK, group(0, DesiredCapacity=2), silent()) == "it wants 2 instances and has none"
    assert reason(CHECK, group(0, WarmPoolConfiguration={"MinSize": 1}), silent()) == "it has a warm pool"


def test_a_group_one_hour_too_young_or_of_unknown_age_is_left_alone() -> None:
    young = replace(group(0), created=NOW - timedelta(days=29, hours=23))
    assert reason(CHECK, young, silent()) == "it is younger than 30 days"
    assert reason(CHECK, replace(young, created=None), silent()) == "its age is not known"
