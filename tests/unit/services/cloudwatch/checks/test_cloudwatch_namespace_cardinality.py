"""cloudwatch_namespace_cardinality: one dimension makes nearly all series, and where it does not."""

from __future__ import annotations

import pytest
from tests.unit.services.cloudwatch.namespaces import NAMESPACES, namespace

from finops_operator.services.cloudwatch.checks.cloudwatch_namespace_cardinality import CHECK


def test_a_dimension_that_makes_nearly_all_series_is_found_with_what_is_left_without_it() -> None:
    one = NAMESPACES.found(CHECK, namespace())
    assert one.action == ""
    assert one.evidence["seriesWithoutDimension"] == 3
    assert one.summary == "A single dimension makes 3,297 of its 3,300 series, each billed as a metric."
    assert one.facts[0].value == "RequestId, 1,100 values"


def test_one_value_less_or_one_more_series_that_is_left_breaks_it() -> None:
    NAMESPACES.found(CHECK, namespace(widest_values=1_000, series=3_300, series_without_it=330))
    few = NAMESPACES.reason(CHECK, namespace(widest_values=999))
    assert few == "its widest dimension has 999 values, 1000 are needed"
    left = NAMESPACES.reason(CHECK, namespace(series=3_300, series_without_it=331))
    assert left == "no dimension makes most of them: 331 of 3300 series are left without the widest"


@pytest.mark.parametrize("name", ["InstanceId", "host", "HostName"])
def test_metrics_of_a_large_fleet_are_as_many_as_its_machines(name: str) -> None:
    assert NAMESPACES.reason(CHECK, namespace(widest_dimension=name)) == "its widest dimension names machines"


@pytest.mark.parametrize(
    "name",
    [
        "ApplicationSignals",
        "CloudWatchSynthetics",
        "ContainerInsights",
        "ContainerInsights/Prometheus",
        "ECS/ContainerInsights",
        "LambdaInsights",
    ],
)
def test_what_a_feature_of_aws_publishes_is_left_alone(name: str) -> None:
    assert NAMESPACES.reason(CHECK, namespace(name)) == "a feature of AWS publishes it and chooses its dimensions"
    NAMESPACES.found(CHECK, namespace(f"Our{name}"))


@pytest.mark.parametrize("missing", ["series", "series_without_it", "widest_values", "widest_dimension"])
def test_what_is_not_known_is_not_judged(missing: str) -> None:
    assert NAMESPACES.reason(CHECK, namespace(**{missing: None})) == "how many series it has is not known"


def test_for_how_many_hours_series_are_billed_is_not_known_so_no_saving_is_claimed() -> None:
    assert NAMESPACES.found(CHECK, namespace()).new_monthly_cost is None


def test_a_name_of_a_dimension_is_shown_in_a_safe_alphabet() -> None:
    one = NAMESPACES.found(CHECK, namespace(widest_dimension="<@U1> *all*"))
    assert one.facts[0].value == "_@U1_all_, 1,100 values"
