"""workspaces_workspace_always_on: few hours on a desktop that is always on, and what is used more or not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.workspaces.desktops import DESKTOPS, desktop, measured, unknown, users

from finops.domain.canonical import Json
from finops_operator.services.workspaces.checks.workspaces_workspace_always_on import CHECK


def test_a_desktop_that_is_always_on_and_used_a_little_is_found() -> None:
    one = DESKTOPS.found(CHECK, desktop(), measured(users(0.05, 30)))
    assert (one.action, one.new_monthly_cost, one.evidence["monthlyHours"]) == ("", None, "36.5")
    assert one.summary == "It is always on and used for about 37 hours a month."


def test_an_hour_more_than_the_limit_breaks_it() -> None:
    DESKTOPS.found(CHECK, desktop(), measured(users(79 / 730, 30)))
    used = measured(users(81 / 730, 30))
    assert DESKTOPS.reason(CHECK, desktop(), used) == "it is used 81 hours a month, 80 are the limit"
    DESKTOPS.found(CHECK, desktop(), used, maximumMonthlyHours=Decimal(90))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"running_mode": "AUTO_STOP"}, "its running mode is AUTO_STOP"),
        ({"running_mode": None}, "its running mode is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_another_mode_and_what_is_not_known_are_not_judged(changes: dict[str, Json], why: str) -> None:
    assert DESKTOPS.reason(CHECK, desktop(**changes), measured(users(0.05, 30))) == why


def test_without_a_month_of_data_nothing_is_known() -> None:
    assert DESKTOPS.reason(CHECK, desktop(), unknown("NotPublished")) == "user connected is unknown (NotPublished)"
    assert "only 29 days" in DESKTOPS.reason(CHECK, desktop(), measured(users(0.05, 29)))
