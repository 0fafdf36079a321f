"""Reasons that differ in figures alone are one line, which keeps the figures that all of them have."""

from __future__ import annotations

import pytest

from finops_operator.cli.report.story import _shared


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        (
            "CPU reached 31.2 %, the limit is 5 %",
            "CPU reached 94 %, the limit is 5 %",
            "CPU reached … %, the limit is 5 %",
        ),
        (
            "CPU reached … %, the limit is 5 %",
            "CPU reached 31.2 %, the limit is 5 %",
            "CPU reached … %, the limit is 5 %",
        ),
        ("it is younger than 32 days", "it is younger than 32 days", "it is younger than 32 days"),
    ],
)
def test_a_limit_that_all_share_stays_and_what_each_reached_goes(first: str, second: str, shared: str) -> None:
    assert _shared(first, second) == shared
