"""Totals in words: of groups alone, of resources with a part without a price, of both."""

from __future__ import annotations

from decimal import Decimal

from finops_operator.cli.selection import Tally


def test_groups_alone_have_no_sum_and_beside_their_members_they_add_nothing() -> None:
    tally = Tally(())
    tally.add(Decimal(0), None, (), group=True)
    assert tally.sentences() == ["1 resource, which cost what their members cost"]
    tally.add(Decimal("70.08"), Decimal("70.08"), ())
    assert tally.sentences() == ["2 resources, 70.08 USD a month"]


def test_of_what_is_partly_known_the_known_part_counts() -> None:
    tally = Tally(())
    tally.add(None, Decimal("19.71"), ())
    assert tally.sentences() == ["1 resource, at least 19.71 USD a month, 1 of them without a price"]
