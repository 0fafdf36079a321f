"""sagemaker_notebook_running: running for long, and what was changed lately or is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.sagemaker.models import NOTEBOOKS, notebook

from finops.domain.canonical import Json
from finops_operator.services.sagemaker.checks.sagemaker_notebook_running import CHECK


def test_a_notebook_that_has_been_running_for_long_is_found() -> None:
    one = NOTEBOOKS.found(CHECK, notebook("inservice", 45))
    assert (one.action, one.new_monthly_cost, one.evidence["runningDays"]) == ("", None, 45)


def test_a_day_less_than_the_limit_breaks_it() -> None:
    NOTEBOOKS.found(CHECK, notebook("inservice", 7))
    assert NOTEBOOKS.reason(CHECK, notebook("inservice", 7 - 0.1)) == "it was changed 6 days ago, 7 are needed"
    NOTEBOOKS.found(CHECK, notebook("inservice", 2), minimumRunningDays=Decimal(1))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"last_changed": None}, "when it was changed last is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert NOTEBOOKS.reason(CHECK, notebook("inservice", 45, **changes)) == why


def test_a_notebook_in_another_state_is_not_judged() -> None:
    assert NOTEBOOKS.reason(CHECK, notebook("stopped", 45)) == "it is stopped, not inservice"
