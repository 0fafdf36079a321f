"""How many machines are enough: a bound, never below two, never more than there are."""

from __future__ import annotations

import pytest

from finops_operator.plugins.fleet_size import busy_after, enough_machines


@pytest.mark.parametrize(
    ("count", "busiest", "enough"),
    [(10, 40, 5), (10, 40.1, 6), (10, 8, 2), (10, 0, 2), (3, 53.3, 2), (3, 53.4, 3), (4, 100, 4), (2, 1, 2), (1, 1, 1)],
)
def test_so_many_machines_hold_the_work_with_a_fifth_free(count: int, busiest: float, enough: int) -> None:
    assert enough_machines(count, busiest) == enough


def test_fewer_machines_are_busier() -> None:
    assert busy_after(10, 5, 40) == 80
