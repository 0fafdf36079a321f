"""Costs of resources on a real server: what a scan priced once is what every reader gets, for any month."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from finops.domain.price import BilledQuantity, Price, cost_from
from finops.domain.resource import Shard
from finops.store.connection import Store
from finops.store.resource_costs import NOT_PRICED, ResourceCostStore, cost_from_text

SHARD = Shard("111111111111", "us-east-1", "ec2-instance")
HOURS = Decimal(730)
HOURLY = BilledQuantity("instance_hour", Decimal(1), Price(Decimal("0.0928"), "hour", "bundled", date(2026, 7, 20)))
STORAGE = BilledQuantity("gb_month", Decimal(8), Price(Decimal("0.08"), "gb-month", "bundled", date(2026, 7, 20)))
USE = BilledQuantity("gb", Decimal(90), Price(Decimal("0.5"), "gb", "bundled", date(2026, 7, 20)), Decimal(720))


def test_a_cost_comes_back_as_the_scan_computed_it(store: Store) -> None:
    costs = ResourceCostStore(store)
    known, unknown = cost_from([HOURLY, STORAGE], (), HOURS), cost_from([STORAGE], ["instance_hour: no price"], HOURS)
    costs.put(SHARD, {"i-1": known, "i-2": unknown})

    assert costs.many(SHARD, ["i-1", "i-2"], HOURS) == {"i-1": known, "i-2": unknown}
    assert unknown.monthly is None


def test_a_reader_may_ask_for_another_month_without_asking_for_a_price(store: Store) -> None:
    costs = ResourceCostStore(store)
    costs.put(SHARD, {"i-1": cost_from([HOURLY], (), HOURS)})

    (found,) = costs.many(SHARD, ["i-1"], Decimal(720)).values()
    assert (found.monthly, found.hourly) == (Decimal("66.82"), Decimal("0.0928"))
    assert found == cost_from([HOURLY], (), HOURS).over(Decimal(720))


def test_a_part_by_use_comes_back_with_the_hours_it_was_measured_in(store: Store) -> None:
    costs = ResourceCostStore(store)
    costs.put(SHARD, {"i-1": cost_from([USE, STORAGE], (), HOURS)})

    (found,) = costs.many(SHARD, ["i-1"], Decimal(720)).values()
    assert (found.monthly, found.monthly_by_use) == (Decimal("45.64"), Decimal("45.00"))
    assert found.components[0].used_in_hours == Decimal(720)


def test_a_record_without_measured_hours_is_still_read() -> None:
    text = '[[["gb_month","8","0.08","gb-month","bundled","2026-07-20","USD"]],[]]'
    assert cost_from_text(text, HOURS) == cost_from([STORAGE], (), HOURS)


def test_what_is_listed_and_not_priced_yet_has_no_cost_and_says_so(store: Store) -> None:
    (found,) = ResourceCostStore(store).many(SHARD, ["i-9"], HOURS).values()

    assert found is NOT_PRICED
    assert found.monthly is None
    assert found.missing


def test_what_is_gone_is_dropped(store: Store) -> None:
    costs = ResourceCostStore(store)
    costs.put(SHARD, {"i-1": cost_from([HOURLY], (), HOURS), "i-2": cost_from([HOURLY], (), HOURS)})
    costs.forget(SHARD, ["i-1"])

    found = costs.many(SHARD, ["i-1", "i-2"], HOURS)
    assert found["i-1"] is NOT_PRICED
    assert found["i-2"].monthly == Decimal("67.74")
