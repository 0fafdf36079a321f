"""cloudtrail_trail_duplicate: two trails that deliver the same events, and what only resembles them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.cloudtrail.trails import TRAILS, trail

from finops.domain.canonical import Json
from finops_operator.services.cloudtrail.checks.cloudtrail_trail_duplicate import CHECK


def test_a_trail_whose_events_another_one_delivers_too_is_found() -> None:
    one = TRAILS.found(CHECK, trail())
    assert (one.action, one.new_monthly_cost, one.evidence["daysWithBoth"]) == ("", Decimal(0), 40)
    assert one.facts[0].value == "in the trail audit, for 40 days"
    assert one.facts[-1].value.startswith("stop logging, then delete")


def test_what_a_trail_with_data_events_costs_afterwards_is_not_known_and_it_is_not_to_be_deleted() -> None:
    one = TRAILS.found(CHECK, trail(other_events=True))
    assert one.new_monthly_cost is None
    assert one.facts[-1].value.startswith("stop its management events; its other events go on")
    assert TRAILS.found(CHECK, trail(other_events=None)).new_monthly_cost is None


def test_a_day_less_with_both_breaks_it() -> None:
    TRAILS.found(CHECK, trail("logging", 14))
    assert TRAILS.reason(CHECK, trail("logging", 13)) == "both trails log for 13 days, 14 are needed"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"same_events_in": ""},
            "no other trail of the account delivers all of its management events to what it feeds",
        ),
        ({"same_events_in": None}, "whether another trail delivers the same management events is not known"),
        ({"same_events_since": None}, "since when both trails log is not known"),
        ({"management_events": "none", "same_events_in": ""}, "it delivers no management events"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_is_delivered_once_or_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert TRAILS.reason(CHECK, trail(**changes)) == why


@pytest.mark.parametrize(("state", "word"), [("stopped", "stopped"), ("", "in an unknown state")])
def test_a_trail_that_does_not_surely_log_is_left_alone(state: str, word: str) -> None:
    assert TRAILS.reason(CHECK, trail(state)) == f"it is {word}, not logging"
