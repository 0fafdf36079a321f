"""sagemaker_notebook_stopped: stopped for long, and what was changed lately or is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.sagemaker.models import NOTEBOOKS, notebook

from finops.domain.canonical import Json
from finops_operator.services.sagemaker.checks.sagemaker_notebook_stopped import CHECK


def test_a_notebook_that_has_been_stopped_for_long_is_found() -> None:
    one = NOTEBOOKS.found(CHECK, notebook("stopped", 45))
    assert (one.action, one.new_monthly_cost, one.evidence["stoppedDays"]) == ("", Decimal(0), 45)


def test_a_day_less_than_the_limit_breaks_it() -> None:
    NOTEBOOKS.found(CHECK, notebook("stopped", 30))
    assert NOTEBOOKS.reason(CHECK, notebook("stopped", 30 - 0.1)) == "it was changed 29 days ago, 30 are needed"
    NOTEBOOKS.found(CHECK, notebook("stopped", 2), minimumStoppedDays=Decimal(1))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"last_changed": None}, "when it was changed last is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert NOTEBOOKS.reason(CHECK, notebook("stopped", 45, **changes)) == why


def test_a_notebook_in_another_state_is_not_judged() -> None:
    assert NOTEBOOKS.reason(CHECK, notebook("inservice", 45)) == "it is inservice, not stopped"
