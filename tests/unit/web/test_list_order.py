"""Lists of resources stand in the order of the cost that they show."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.support.web_estate import priced, resource

from finops.domain.price import Attributed, Cost, GroupOf, cost_of_group
from finops_web.readings.resources import ResourceRow, dearest_first

MEMBERS = GroupOf("rds-instance", ("a", "b"))


def row(name: str, cost: Cost) -> ResourceRow:
    return ResourceRow.of(resource("rds-cluster", name), cost, None)


def test_rows_stand_by_the_cost_that_they_show_not_by_that_of_their_members() -> None:
    members = Attributed((("a", priced("1")), ("b", priced("", missing=("hours",)))))
    cluster = replace(priced(monthly="5"), group=MEMBERS, attributed=members)
    rows = [
        row("cluster of dear members", cluster),
        row("without a price", priced(missing=("hours",))),
        row("middle", priced(monthly="20")),
        row("group", cost_of_group(MEMBERS, members)),
        row("group of unknown members", cost_of_group(MEMBERS)),
    ]

    found = dearest_first(rows)

    assert [(one.resource.id, one.shown) for one in found] == [
        ("group", Decimal("730.00")),
        ("middle", Decimal("20.00")),
        ("cluster of dear members", Decimal("5.00")),
        ("group of unknown members", None),
        ("without a price", None),
    ]
