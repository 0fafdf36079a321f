"""ecr_repository_no_lifecycle: much that nothing removes, and what is little, cared for, or not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.ecr.repositories import GIB, REPOSITORIES, repository

from finops.domain.canonical import Json
from finops_operator.services.ecr.checks.ecr_repository_no_lifecycle import CHECK


def test_a_large_repository_without_a_policy_is_found_and_its_saving_is_unknown() -> None:
    one = REPOSITORIES.found(CHECK, repository())
    assert (one.action, one.new_monthly_cost, one.evidence["imageBytes"]) == ("", None, 20 * GIB)


def test_a_policy_breaks_it_and_less_than_the_limit_too() -> None:
    assert REPOSITORIES.reason(CHECK, repository(lifecycle_policy=True)) == "it has a lifecycle policy"
    REPOSITORIES.found(CHECK, repository(image_bytes=5 * GIB))
    small = repository(image_bytes=4 * GIB)
    assert REPOSITORIES.reason(CHECK, small) == "it stores 4.0 GiB, 5 are needed"
    REPOSITORIES.found(CHECK, small, minimumStoredGib=Decimal(1))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lifecycle_policy": None}, "its lifecycle policy is not known"),
        ({"images": None}, "its images could not be read"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert REPOSITORIES.reason(CHECK, repository(**changes)) == why
