"""vpc_endpoint_idle: not a byte for 30 days, and everything that is no proof of it."""

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
from finops_operator.services.ec2.checks.vpc_endpoint_idle import CHECK
from finops_operator.services.ec2.vpc_endpoint import BYTES, KIND

JUDGED = Bench(KIND)
DAY: Final = 86_400
DAYS: Final = f"{BYTES}ByDay"


def endpoint(state: str = "available", **attributes: Json) -> Resource:
    facts: dict[str, Json] = {"subnets": 3, "requester_managed": False, "private_dns": True}
    return Resource(
        "vpc-endpoint",
        "vpce-0a",
        "arn",
        "",
        "111122223333",
        "us-east-1",
        state,
        created=NOW - timedelta(days=90),
        attributes={**facts, **attributes},
    )


def carried(days: float = 30, /, **other: MetricSummary) -> Utilization:
    return used("vpce-0a", month={DAYS: 0.0}, **{BYTES: flat(0), DAYS: flat(0, days=days, period=DAY), **other})


def test_an_endpoint_without_a_byte_saves_the_hours_of_its_zones() -> None:
    one = JUDGED.found(CHECK, endpoint(), carried())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert JUDGED.cost(endpoint(), carried()).monthly == Decimal("21.90")  # 3 × 0.01 × 730
    assert (one.evidence["bytes"], one.evidence["zones"]) == ("0", 3)
    assert one.summary == "Idle for 30 days: not a byte passed through it."


def test_a_single_byte_shows_that_it_is_used() -> None:
    today, before = summarize([0.0] * 335 + [1.0]), summarize([1.0] + [0.0] * 29, period=DAY)
    assert JUDGED.reason(CHECK, endpoint(), carried(**{BYTES: today})) == "it carried 1 bytes"
    assert JUDGED.reason(CHECK, endpoint(), carried(**{DAYS: before})) == "it carried 1 bytes"


def test_29_days_and_a_young_endpoint_are_not_enough() -> None:
    assert JUDGED.reason(CHECK, endpoint(), carried(29)).endswith("were read, 30 are needed")
    young = replace(endpoint(), created=NOW - timedelta(days=29))
    assert JUDGED.reason(CHECK, young, carried()) == "it is younger than 30 days"


@pytest.mark.parametrize("reason", ["Throttled", "AccessDenied", "NotApplicable"])
def test_what_was_not_measured_is_never_idle(reason: str) -> None:
    for metric in (BYTES, DAYS):
        assert f"is unknown ({reason})" in JUDGED.reason(CHECK, endpoint(), without(carried(), metric, reason=reason))


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (endpoint("pending"), "it is pending, not available"),
        (endpoint(requester_managed=True), "a service of AWS made it and keeps it"),
        (endpoint(requester_managed=None), "whether a service of AWS made it is not known"),
    ],
)
def test_other_states_and_endpoints_of_services_are_not_judged(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one, carried()) == why
