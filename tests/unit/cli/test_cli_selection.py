"""Totals in words: of groups alone, of resources that are not fully priced, of both."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from finops.domain.price import BilledQuantity, Cost, GroupOf, Price, cost_from, cost_of_group
from finops_operator.cli.selection import Tally

GROUP = cost_of_group(GroupOf("ec2-instance", ("i-1",)))


def costing(amount: str, *missing: str) -> Cost:
    price = Price(Decimal(amount), "gb-month", "bundled", date(2026, 11, 1))
    return cost_from([BilledQuantity("gb_month", Decimal(1), price)], missing, Decimal(730))


def test_groups_alone_have_no_sum_and_beside_their_members_they_add_nothing() -> None:
    tally = Tally(())
    tally.add(GROUP, ())
    assert tally.sentences() == ["1 resource, which cost what their members cost"]
    tally.add(costing("70.08"), ())
    assert tally.sentences() == ["2 resources, 70.08 USD a month"]


def test_of_what_is_partly_known_the_known_part_counts() -> None:
    tally = Tally(())
    tally.add(costing("19.71", "iops_month: no price"), ())
    assert tally.sentences() == ["1 resource, at least 19.71 USD a month, 1 of them not fully priced"]


def test_a_group_beside_a_resource_without_any_price_has_no_sum() -> None:
    tally = Tally(())
    tally.add(GROUP, ())
    tally.add(Cost(None, None, missing=("instance_hour: no price",)), ())
    assert tally.sentences() == ["2 resources, cost unknown, 1 of them not fully priced"]
