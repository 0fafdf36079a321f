"""load_balancer_idle: AWS's hundred requests a day, no flow at all, and what is no proof of either."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW, summarize
from tests.unit.services.elasticloadbalancing.balancers import HOURS, balancer, carried, found, reason, specs, without

from finops.domain.canonical import Json
from finops.domain.utilization import Utilization
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.elasticloadbalancing.checks.load_balancer_idle import CHECK

TYPES = ("application", "network", "gateway", "classic")


def one_day(requests: int) -> list[float]:
    return [0.0] * (HOURS - 24) + [0.0] * 12 + [float(requests)] + [0.0] * 11


@pytest.mark.parametrize("kind", TYPES)
def test_a_load_balancer_that_nothing_passed_through_for_two_weeks_is_idle(kind: str) -> None:
    idle = found(CHECK, balancer(kind), carried(balancer(kind)))
    assert idle.new_monthly_cost == Decimal(0)
    assert idle.evidence["busiestDayRequests"] == "0"
    assert idle.evidence["coveragePercent"] == "100"
    assert idle.summary.startswith("Idle for 14 days: no ")
    assert idle.action == ""


@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        ("application", "requestCount"),
        ("application", "redirectCount"),
        ("application", "fixedResponseCount"),
        ("classic", "classicRequestCount"),
    ],
)
def test_a_hundred_requests_on_its_busiest_day_are_use_and_ninety_nine_are_not(kind: str, metric: str) -> None:
    one = balancer(kind)
    assert found(CHECK, one, carried(one, {metric: one_day(99)})).evidence["busiestDayRequests"] == "99"
    assert reason(CHECK, one, carried(one, {metric: one_day(100)})) == (
        "its busiest day had 100 requests, idle is below 100"
    )


def test_requests_that_reach_a_target_and_those_that_do_not_are_added_up() -> None:
    both = carried(balancer(), {"requestCount": one_day(60), "redirectCount": one_day(40)})
    assert "100 requests" in reason(CHECK, balancer(), both)


@pytest.mark.parametrize("kind", ["network", "gateway"])
def test_a_single_flow_or_byte_shows_that_a_load_balancer_of_flows_is_used(kind: str) -> None:
    one = balancer(kind)
    flows, amount = (spec.name for spec in specs(one))
    assert "1 new flows" in reason(CHECK, one, carried(one, {flows: one_day(1)}))
    assert "1 bytes" in reason(CHECK, one, carried(one, {amount: one_day(1)}))


def test_a_connection_that_stays_open_keeps_a_classic_load_balancer_of_streams_in_use() -> None:
    stream = balancer("classic", listener_protocols=["HTTP", "TCP"])
    open_for_days = carried(stream, {"classicProcessedBytes": one_day(5000)})
    assert "5,000 bytes" in reason(CHECK, stream, open_for_days)
    found(CHECK, balancer("classic"), open_for_days)


@pytest.mark.parametrize(("kind", "metric"), [(kind, spec.name) for kind in TYPES for spec in specs(balancer(kind))])
def test_without_any_one_of_its_metrics_nothing_is_said(kind: str, metric: str) -> None:
    one = balancer(kind)
    assert reason(CHECK, one, without(carried(one), metric)) == f"{metric_words(metric)} is unknown (Throttled)"


def test_a_load_balancer_that_was_not_measured_is_not_judged() -> None:
    assert reason(CHECK, balancer(), Utilization("x")) == "request count is unknown (not measured)"


def test_hours_that_a_network_load_balancer_did_not_report_are_not_taken_for_zero() -> None:
    one = balancer("network")
    half = replace(carried(one), metrics={spec.name: summarize([0.0] * 168, expected=HOURS) for spec in specs(one)})
    assert reason(CHECK, one, half) == "network new flows covers 50 % of its window, 95 % are needed"


def test_a_window_or_an_age_of_less_than_two_weeks_proves_nothing() -> None:
    assert reason(CHECK, balancer(), carried(balancer(), hours=13 * 24)) == (
        "only 13 days of request count were read, 14 are needed"
    )
    young = replace(balancer(), created=NOW - timedelta(days=13, hours=23))
    assert reason(CHECK, young, carried(young)) == "it is younger than 14 days"
    assert reason(CHECK, replace(balancer(), created=None), carried(balancer())) == "its age is not known"


@pytest.mark.parametrize("state", ["provisioning", "failed", ""])
def test_only_a_working_load_balancer_is_judged(state: str) -> None:
    assert reason(CHECK, balancer(state=state), carried(balancer())).startswith("it is ")


def test_one_whose_tags_could_not_be_read_may_be_protected_and_is_left_alone() -> None:
    assert "may be protected" in reason(CHECK, balancer(tags_known=False), carried(balancer()))


def test_a_policy_may_set_the_limit_and_the_days() -> None:
    ten = carried(balancer(), {"requestCount": one_day(10)})
    assert "idle is below 10" in reason(CHECK, balancer(), ten, minimumRequestsPerDay=Decimal(10))
    week = carried(balancer(), hours=7 * 24)
    found(CHECK, balancer(), week, minimumIdleDays=Decimal(7))


@pytest.mark.parametrize("facts", [{"registered_targets": 0}, {"healthy_targets": 0}])
def test_one_behind_which_no_target_works_can_be_deleted_by_an_act(facts: dict[str, Json]) -> None:
    one = balancer("application", "active", **facts)
    assert found(CHECK, one, carried(one)).action == "load_balancer_delete"
