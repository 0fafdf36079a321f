"""cloudfront_distribution_dedicated_address: addresses of its own, and shared or unknown ones."""

from __future__ import annotations

import pytest
from tests.unit.services.cloudfront.distributions import DISTRIBUTIONS, distribution

from finops.domain.canonical import Json
from finops_operator.services.cloudfront.checks.cloudfront_distribution_dedicated_address import CHECK


@pytest.mark.parametrize("state", ["enabled", "disabled"])
def test_a_distribution_with_addresses_of_its_own_is_found(state: str) -> None:
    one = DISTRIBUTIONS.found(CHECK, distribution(state, dedicated_address=True))
    assert (one.action, one.new_monthly_cost) == ("", None)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"dedicated_address": False}, "it shares its addresses"),
        ({"dedicated_address": None}, "whether it has addresses of its own is not known"),
        ({"dedicated_address": True, "staging": True}, "it tries out a change of another distribution"),
        ({"dedicated_address": True, "tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_shared_addresses_break_it_and_what_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert DISTRIBUTIONS.reason(CHECK, distribution(**changes)) == why
