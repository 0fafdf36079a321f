"""kms_key_disabled: a key that is disabled and was not used for long, and what is no proof of that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.unit.services.kms.keys import KEYS, key

from finops.domain.canonical import Json
from finops_operator.services.kms.checks.kms_key_disabled import CHECK


@pytest.mark.parametrize(("used", "days"), [(120, 120), (None, 365)])
def test_a_key_that_is_disabled_and_was_not_used_for_long_is_found(used: float | None, days: int) -> None:
    one = KEYS.found(CHECK, key("disabled", used))
    assert (one.action, one.new_monthly_cost, one.evidence["unusedDays"]) == ("", Decimal(0), days)


def test_a_single_use_within_the_window_breaks_it() -> None:
    KEYS.found(CHECK, key("disabled", 90))
    assert KEYS.reason(CHECK, key("disabled", 89)) == "it was used 89 days ago, 90 are needed"


def test_a_use_that_aws_has_not_watched_for_long_enough_is_not_known() -> None:
    watched = (NOW - timedelta(days=60)).isoformat()
    assert (
        KEYS.reason(CHECK, key("disabled", None, use_tracked_since=watched))
        == "its use is known of 60 days, 90 are needed"
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"last_used": None}, "when it was used last is not known"),
        ({"last_used": "", "use_tracked_since": None}, "when it was used last is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert KEYS.reason(CHECK, key("disabled", **changes)) == why


def test_a_key_in_another_state_and_a_young_one_are_left_alone() -> None:
    assert KEYS.reason(CHECK, key("enabled")) == "it is enabled, not disabled"
    assert KEYS.reason(CHECK, key("disabled", None, 89)) == "it is younger than 90 days"
    assert KEYS.reason(CHECK, replace(key("disabled"), created=None)) == "its age is not known"
