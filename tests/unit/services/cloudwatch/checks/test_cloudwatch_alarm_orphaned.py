"""cloudwatch_alarm_orphaned: what is watched is gone, and where it exists or that is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.cloudwatch.alarms import ALARMS, MACHINE, alarm

from finops.domain.canonical import Json
from finops_operator.services.cloudwatch.checks.cloudwatch_alarm_orphaned import CHECK


def test_an_alarm_on_a_machine_that_is_gone_is_found() -> None:
    one = ALARMS.found(CHECK, alarm(watched_exists=False))
    assert (one.action, one.new_monthly_cost, one.evidence["watched"]) == ("", Decimal(0), MACHINE)


def test_a_day_less_or_a_single_value_breaks_it() -> None:
    ALARMS.found(CHECK, alarm("INSUFFICIENT_DATA", 7, watched_exists=False))
    young = alarm("INSUFFICIENT_DATA", 6, watched_exists=False)
    assert ALARMS.reason(CHECK, young) == "it has had no data for 6 days, 7 are needed"
    assert ALARMS.reason(CHECK, alarm("ALARM", watched_exists=False)) == "it is ALARM, not INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"watched_exists": True}, "what it watches exists"),
        ({"watched_exists": None}, "whether what it watches exists is not known"),
        ({"watched": "", "watched_exists": None}, "it watches no machine, disk or NAT gateway"),
        ({"state_since": None}, "when its state changed last is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_exists_or_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert ALARMS.reason(CHECK, alarm(**{"watched_exists": False, **changes})) == why
