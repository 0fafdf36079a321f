"""transit_gateway_attachment_idle: a month without a byte, and what is no proof of that."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import summarize
from tests.unit.services.ec2.networks import ATTACHMENTS, DAY, attachment, traffic, without

from finops.domain.canonical import Json
from finops_operator.services.ec2.checks.transit_gateway_attachment_idle import CHECK


def test_an_attachment_without_a_byte_for_a_month_is_idle() -> None:
    one = ATTACHMENTS.found(CHECK, attachment(), traffic())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert one.summary == "Not a byte went through it for 30 days."


@pytest.mark.parametrize(("name", "how"), [("outBytes", "out of"), ("inBytes", "into")])
def test_a_single_byte_in_either_direction_breaks_it(name: str, how: str) -> None:
    once = summarize([0.0] * 29 + [1.0], period=DAY)
    assert ATTACHMENTS.reason(CHECK, attachment(), traffic(**{name: once})) == f"1 bytes went {how} the gateway"


@pytest.mark.parametrize("name", ["outBytes", "inBytes"])
def test_missing_data_is_never_zero(name: str) -> None:
    assert "is unknown (Throttled)" in ATTACHMENTS.reason(CHECK, attachment(), without(traffic(), name))
    holes = summarize([0.0] * 20, period=DAY, expected=30)
    assert "% of its window" in ATTACHMENTS.reason(CHECK, attachment(), traffic(**{name: holes}))
    assert "only 29 days" in ATTACHMENTS.reason(CHECK, attachment(), traffic(29))


@pytest.mark.parametrize(("name", "words"), [("outBytes", "out bytes"), ("inBytes", "in bytes")])
def test_a_lost_day_of_the_month_may_have_been_the_one_with_traffic(name: str, words: str) -> None:
    lost = traffic(**{name: summarize([0.0] * 29, period=DAY, expected=30)})
    assert ATTACHMENTS.reason(CHECK, attachment(), lost) == f"nothing is known of {words} in 24 of its hours"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"owned_elsewhere": True}, "another account pays for it"),
        ({"owned_elsewhere": None}, "who pays for it is not known"),
    ],
)
def test_one_that_others_pay_for_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert ATTACHMENTS.reason(CHECK, attachment(**changes), traffic()) == why


def test_a_young_one_and_another_state_prove_nothing() -> None:
    assert ATTACHMENTS.reason(CHECK, attachment("available", 29), traffic()) == "it is younger than 30 days"
    assert ATTACHMENTS.reason(CHECK, replace(attachment(), created=None), traffic()) == "its age is not known"
    assert ATTACHMENTS.reason(CHECK, attachment("modifying"), traffic()) == "it is modifying, not available"
