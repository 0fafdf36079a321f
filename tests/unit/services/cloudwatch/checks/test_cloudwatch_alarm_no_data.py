"""cloudwatch_alarm_no_data: a month without data, and what is shorter, another's, or not known."""

from __future__ import annotations

import pytest
from tests.unit.services.cloudwatch.alarms import ALARMS, alarm

from finops.domain.canonical import Json
from finops_operator.services.cloudwatch.checks.cloudwatch_alarm_no_data import CHECK


def test_an_alarm_without_data_for_long_is_found() -> None:
    one = ALARMS.found(CHECK, alarm(watched="", watched_exists=None))
    assert (one.action, one.new_monthly_cost, one.evidence["daysWithoutData"]) == ("", None, 45)


def test_an_alarm_on_something_that_exists_may_have_nothing_to_report() -> None:
    assert ALARMS.reason(CHECK, alarm()) == "what it watches exists, and may report only when something happens"


def test_a_day_less_or_a_single_value_breaks_it() -> None:
    ALARMS.found(CHECK, alarm("INSUFFICIENT_DATA", 30, watched="", watched_exists=None))
    assert ALARMS.reason(CHECK, alarm("INSUFFICIENT_DATA", 29)) == "it has had no data for 29 days, 30 are needed"
    assert ALARMS.reason(CHECK, alarm("OK")) == "it is OK, not INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state_since": None}, "when its state changed last is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
        ({"made_by_scaling": True}, "a scaling policy made it and would make it again"),
        ({"watched_exists": False}, "what it watches is gone, which another check says"),
    ],
)
def test_what_is_not_known_or_belongs_to_others_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert ALARMS.reason(CHECK, alarm(**changes)) == why
