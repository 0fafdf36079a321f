"""workspaces_workspace_unused: nobody for 63 days by both sources, and where one of them disagrees or is missing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import day_lost, summarize
from tests.unit.services.workspaces.desktops import DAY, DESKTOPS, desktop, measured, unknown, users

from finops.domain.canonical import Json
from finops_operator.services.workspaces.checks.workspaces_workspace_unused import CHECK


@pytest.mark.parametrize("state", ["available", "stopped"])
def test_a_desktop_that_nobody_connected_to_for_63_days_is_found(state: str) -> None:
    one = DESKTOPS.found(CHECK, desktop(state), measured())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert one.summary == "Nobody has connected to it for at least 63 days."


def test_a_day_less_than_the_limit_is_not_enough() -> None:
    DESKTOPS.found(CHECK, desktop("available", 63), measured())
    why = "a user connected 62 days ago, 63 are needed"
    assert DESKTOPS.reason(CHECK, desktop("available", 62), measured()) == why


def test_a_single_day_on_which_a_user_was_connected_breaks_it() -> None:
    once = summarize([0.0] * 62 + [1.0], period=DAY)
    why = "a user was connected in the days that were measured"
    assert DESKTOPS.reason(CHECK, desktop(), measured(once)) == why
    assert DESKTOPS.reason(CHECK, desktop("available", None), measured(once)) == why


def test_a_stopped_desktop_may_publish_nothing_and_a_failed_read_is_no_such_thing() -> None:
    DESKTOPS.found(CHECK, desktop("stopped"), unknown("NotPublished"))
    why = "user connected could not be read (Throttled)"
    assert DESKTOPS.reason(CHECK, desktop(), unknown("Throttled")) == why


def test_one_that_nobody_ever_connected_to_must_be_measured_for_the_whole_window() -> None:
    assert DESKTOPS.found(CHECK, desktop("available", None), measured()).evidence["connectedLast"] == "never"
    assert "only 62 days" in DESKTOPS.reason(CHECK, desktop("available", None), measured(users(days=62)))
    nothing = unknown("NotPublished")
    assert DESKTOPS.reason(CHECK, desktop("available", None), nothing) == "user connected is unknown (NotPublished)"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"connected_last": None}, "when a user connected last is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
        ({"stands_by": True}, "it belongs to a desktop that stands by in another region"),
    ],
)
def test_what_is_not_known_or_stands_by_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert DESKTOPS.reason(CHECK, desktop(**changes), measured()) == why


def test_a_desktop_in_a_passing_state_is_not_judged() -> None:
    assert DESKTOPS.reason(CHECK, desktop("rebuilding"), measured()) == "it is rebuilding"


def test_where_nobody_ever_connected_a_lost_day_may_have_been_the_one_with_a_user() -> None:
    lost = measured(day_lost(days=63, period=DAY))
    why = "nothing is known of user connected in 24 of its hours"
    assert DESKTOPS.reason(CHECK, desktop("available", None), lost) == why
