"""redshift_cluster_previous_generation: types before RA3, and what is current or not known."""

from __future__ import annotations

import pytest
from tests.unit.services.redshift.warehouses import WAREHOUSES, warehouse

from finops.domain.canonical import Json
from finops_operator.services.redshift.checks.redshift_cluster_previous_generation import CHECK


@pytest.mark.parametrize("name", ["dc2.large", "dc2.8xlarge", "ds2.xlarge"])
def test_a_type_before_ra3_is_found_and_the_saving_is_unknown(name: str) -> None:
    one = WAREHOUSES.found(CHECK, warehouse(node_type=name))
    assert (one.action, one.target, one.new_monthly_cost) == ("", "ra3", None)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"node_type": "ra3.xlplus"}, "ra3.xlplus is no type of a previous generation"),
        ({"node_type": None}, "its node type is not known"),
    ],
)
def test_a_current_or_unknown_type_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert WAREHOUSES.reason(CHECK, warehouse(**changes)) == why


def test_a_paused_one_is_not_judged() -> None:
    assert WAREHOUSES.reason(CHECK, warehouse("paused")) == "it is paused, not available"
