"""ecr_repository_unused: no pull and no push for long, and what is no proof of that."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.services.ecr.repositories import REPOSITORIES, ago, repository

from finops.domain.canonical import Json
from finops_operator.services.ecr.checks.ecr_repository_unused import CHECK


def test_a_repository_without_a_pull_or_a_push_for_long_is_found() -> None:
    one = REPOSITORIES.found(CHECK, repository())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert REPOSITORIES.found(CHECK, repository(pulled_last="")).evidence["pulledLast"] == "never"


@pytest.mark.parametrize("what", ["pulled", "pushed"])
def test_a_single_pull_or_push_within_the_window_breaks_it(what: str) -> None:
    REPOSITORIES.found(CHECK, repository(**{f"{what}_last": ago(90)}))
    why = f"an image was {what} 89 days ago, 90 are needed"
    assert REPOSITORIES.reason(CHECK, repository(**{f"{what}_last": ago(89)})) == why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"images": None}, "its images could not be read"),
        ({"pushed_last": ""}, "when an image was pushed last is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
        ({"images": 0}, "it holds no image"),
    ],
)
def test_what_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert REPOSITORIES.reason(CHECK, repository(**changes)) == why


def test_a_young_repository_is_left_alone() -> None:
    assert REPOSITORIES.reason(CHECK, repository(89, pulled_last="")) == "it is younger than 90 days"
    assert REPOSITORIES.reason(CHECK, replace(repository(), created=None)) == "its age is not known"
