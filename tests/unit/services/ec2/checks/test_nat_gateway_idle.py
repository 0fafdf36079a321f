"""nat_gateway_idle: no packet and no connection for 32 days, and everything that is no proof of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from tests.support.facts import NOW, flat, summarize
from tests.support.judging import Bench, used, without

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.ec2.checks.nat_gateway_idle import CHECK
from finops_operator.services.ec2.nat_gateway import BYTES, CONNECTIONS, KIND, PACKETS

JUDGED = Bench(KIND)
DAY: Final = 86_400
METRICS = tuple(spec.name for spec in KIND.metrics if spec.name not in BYTES)


def gateway(state: str = "available", **attributes: Json) -> Resource:
    return Resource(
        "nat-gateway",
        "nat-0a",
        "arn",
        "",
        "111122223333",
        "us-east-1",
        state,
        created=NOW - timedelta(days=90),
        attributes={"availability": "zonal", "route_tables": 1, **attributes},
    )


def carried(days: float = 32, /, **other: MetricSummary) -> Utilization:
    """Return hours of 14 days and points of more days, all of them zero unless stated otherwise."""
    hours, whole = flat(0), flat(0, days=days, period=DAY)
    quiet = {name: whole if name.endswith("ByDay") else hours for name in METRICS}
    return used("nat-0a", month=dict.fromkeys(BYTES, 0.0), **{**quiet, **other})


def test_a_gateway_without_packets_and_connections_saves_its_hours() -> None:
    one = JUDGED.found(CHECK, gateway(), carried())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert "Before the change" in {fact.label for fact in one.facts}
    assert (one.evidence["packets"], one.evidence["routeTables"]) == ("0", 1)
    assert one.summary == "Idle for 32 days: no packet and no connection."
    assert ("Route tables that name it", "not known") in {
        (fact.label, fact.value) for fact in JUDGED.found(CHECK, gateway(route_tables=None), carried()).facts
    }


def test_only_a_gateway_that_no_route_table_names_is_proposed_for_deletion() -> None:
    one = JUDGED.found(CHECK, gateway(route_tables=0), carried())
    assert (one.action, one.parameters) == ("nat_gateway_delete", {})
    assert "Before the change" not in {fact.label for fact in one.facts}
    assert JUDGED.found(CHECK, gateway(route_tables=None), carried()).action == ""


@pytest.mark.parametrize("metric", METRICS)
def test_a_single_packet_or_connection_shows_that_it_is_used(metric: str) -> None:
    once = summarize([0.0] * 31 + [1.0], period=DAY) if metric.endswith("ByDay") else summarize([0.0] * 335 + [1.0])
    expected = "up to 1 connections were active" if metric.startswith(CONNECTIONS) else "it carried 1 packets"
    assert JUDGED.reason(CHECK, gateway(), carried(**{metric: once})) == expected


@pytest.mark.parametrize("metric", METRICS)
def test_what_was_not_measured_is_never_idle(metric: str) -> None:
    for reason in ("Throttled", "NotPublished"):
        assert f"is unknown ({reason})" in JUDGED.reason(CHECK, gateway(), without(carried(), metric, reason=reason))


def test_31_days_and_a_window_with_holes_are_not_enough() -> None:
    assert JUDGED.reason(CHECK, gateway(), carried(31)).endswith("were read, 32 are needed")
    holes = summarize([0.0] * 300, expected=336)
    assert "of its window" in JUDGED.reason(CHECK, gateway(), carried(**{PACKETS[1]: holes}))
    assert JUDGED.reason(CHECK, replace(gateway(), created=NOW - timedelta(days=31)), carried()) == (
        "it is younger than 32 days"
    )


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (gateway("pending"), "it is pending, not available"),
        (gateway(availability="regional"), "a regional gateway is measured by zone"),
        (gateway(availability=None), "whether it is zonal is not known"),
    ],
)
def test_other_states_and_regional_gateways_are_not_judged(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one, carried()) == why
