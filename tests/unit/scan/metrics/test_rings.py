"""Rings: packed and back, continued without holes, damaged ones fetched anew."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.domain.rings import Ring, blank, pack, unpack

POINTS = st.one_of(st.just(math.nan), st.floats(width=32, allow_nan=False))


@given(st.lists(st.lists(POINTS, min_size=5, max_size=5), min_size=1, max_size=3), st.integers(5, 2**31))
def test_a_ring_comes_back_as_it_was(columns: list[list[float]], end: int) -> None:
    ring = Ring(end, tuple(array("f", one) for one in columns))
    found = unpack(pack(ring))
    assert found is not None
    assert found.end_hour == end
    # NaN equals nothing, so the bytes are compared.
    assert [one.tobytes() for one in found.values] == [one.tobytes() for one in ring.values]


def test_fourteen_days_of_one_statistic_take_less_than_a_kilobyte_and_a_half() -> None:
    assert len(pack(Ring(490_000, (blank(336),)))) == 8 + 4 * 336


@pytest.mark.parametrize("data", [b"", b"short", b"\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", b"\x01" * 20])
def test_damaged_or_foreign_bytes_are_no_ring(data: bytes) -> None:
    assert unpack(data) is None


def test_an_increment_pushes_the_oldest_hours_out() -> None:
    ring = Ring(100, (array("f", [1, 2, 3, 4]),))
    longer = ring.extended(102, (array("f", [5, 6]),), 4)
    assert (longer.end_hour, list(longer.values[0])) == (102, [3, 4, 5, 6])
    assert list(longer.slice_from(100)[0]) == [5, 6]
    assert list(longer.slice_from(0)[0]) == [3, 4, 5, 6]


def test_a_hole_between_ring_and_increment_is_a_defect() -> None:
    with pytest.raises(ValueError, match="does not start"):
        Ring(100, (blank(4),)).extended(103, (blank(2),), 4)
    with pytest.raises(ValueError, match="does not start"):
        Ring(100, (blank(4),)).extended(102, (blank(7),), 9)


def test_hours_that_are_asked_for_again_fill_holes_and_leave_what_has_no_newer_figure() -> None:
    nan = float("nan")
    ring = Ring(100, (array("f", [1, 2, nan, 4]),))
    longer = ring.extended(101, (array("f", [nan, 3, 9, 5]),), 5)
    assert (longer.end_hour, list(longer.values[0])) == (101, [1, 2, 3, 9, 5])


def test_older_hours_come_before_the_ring_and_what_is_still_missing_is_a_hole() -> None:
    ring = Ring(100, (array("f", [3, 4]),))
    longer = ring.preceded(96, (array("f", [1, 2]),)).padded(6)
    assert (longer.end_hour, longer.hours) == (100, 6)
    assert all(math.isnan(value) for value in longer.values[0][:2])
    assert list(longer.slice_from(96)[0]) == [1, 2, 3, 4]
    assert longer.padded(3) is longer


def test_older_hours_that_do_not_reach_the_ring_are_a_defect() -> None:
    with pytest.raises(ValueError, match="do not end"):
        Ring(100, (blank(4),)).preceded(93, (blank(2),))
