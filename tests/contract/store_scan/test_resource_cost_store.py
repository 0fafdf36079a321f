"""Costs of resources on a real server: what a scan priced once is what every reader gets, for any month."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from finops.domain.price import (
    BilledQuantity,
    Cost,
    GroupOf,
    NotListed,
    Price,
    PriceQuery,
    cost_from,
    cost_of_group,
)
from finops.domain.resource import Shard
from finops.store.connection import Store
from finops.store.keys import ListedPriceKeys
from finops.store.listed_prices import KEPT_SECONDS, LAST_KEPT_SECONDS, NOTHING_KEPT_SECONDS, ListedPrices
from finops.store.resource_costs import NOT_PRICED, ResourceCostStore, cost_from_text, cost_to_text

SHARD = Shard("111111111111", "us-east-1", "ec2-instance")
GROUPS = Shard("111111111111", "us-east-1", "auto-scaling-group")
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


def test_a_listed_price_comes_back_with_the_number_of_its_product(store: Store) -> None:
    listed = Price(Decimal("0.015"), "hour", "price-list", date(2026, 11, 29), sku="ABC")
    cost = cost_from([BilledQuantity("shard_hour", Decimal(4), listed), HOURLY], (), HOURS)
    ResourceCostStore(store).put(SHARD, {"events": cost})
    assert ResourceCostStore(store).many(SHARD, ["events"], HOURS) == {"events": cost}


def test_answers_of_the_price_list_are_kept_a_day_and_that_there_is_none_for_less(store: Store) -> None:
    query, kept = PriceQuery("kinesis", "eu-west-1", "shard_hour"), ListedPrices(store)
    listed = Price(Decimal("0.0170000000"), "hour", "price-list", date(2026, 11, 29), sku="ABC")
    assert kept.get(query) is None
    for answer, seconds in ((listed, KEPT_SECONDS), (NotListed("no product"), NOTHING_KEPT_SECONDS)):
        kept.put(query, answer)
        assert kept.get(query) == answer
        left = store.client.ttl(ListedPriceKeys(store.keys.prefix).of("eu-west-1", "kinesis", "shard_hour"))
        assert seconds - 60 <= left <= seconds
        assert kept.last(query) == answer
        store.client.delete(ListedPriceKeys(store.keys.prefix).of("eu-west-1", "kinesis", "shard_hour"))
        assert (kept.get(query), kept.last(query)) == (None, answer), "it stands in for what AWS does not answer"
        left = store.client.ttl(ListedPriceKeys(store.keys.prefix).last("eu-west-1", "kinesis", "shard_hour"))
        assert LAST_KEPT_SECONDS - 60 <= left <= LAST_KEPT_SECONDS
    assert kept.get(PriceQuery("kinesis", "eu-west-2", "shard_hour")) is None
    assert kept.last(PriceQuery("kinesis", "eu-west-2", "shard_hour")) is None
    amounts = ("NaN", "-3", "Infinity", "x")
    of = '{"amount":"%s","unit":"hour","source":"price-list","asOf":"2026-11-29","currency":"USD","sku":""}'
    for text in ("x", "{}", "[]", *(of % amount for amount in amounts)):
        store.client.set(ListedPriceKeys(store.keys.prefix).of("eu-west-1", "kinesis", "shard_hour"), text)
        assert kept.get(query) is None


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


def group(*ids: str, through: str = "") -> Cost:
    return cost_of_group(GroupOf("ec2-instance", ids, through))


def attributed(costs: ResourceCostStore, kind: str, name: str) -> tuple[Decimal | None, int | None]:
    found = costs.many(replace(SHARD, kind=kind), [name], HOURS)[name].attributed
    assert found is not None
    return found.monthly, found.unknown


def test_a_group_comes_with_what_its_members_cost_and_one_that_no_scan_priced_is_counted(store: Store) -> None:
    costs = ResourceCostStore(store)
    costs.put(SHARD, {"i-1": cost_from([HOURLY], (), HOURS), "i-2": cost_from([STORAGE], (), HOURS)})
    costs.put(GROUPS, {"web": group("i-1", "i-2", "i-3"), "empty": group(), "lost": group("i-9")})
    costs.put(GROUPS, {"odd": cost_of_group(GroupOf("ec2-instance", None))})

    assert attributed(costs, GROUPS.kind, "web") == (Decimal("68.38"), 1)
    assert attributed(costs, GROUPS.kind, "empty") == (Decimal("0.00"), 0)
    assert attributed(costs, GROUPS.kind, "lost") == (None, 1)
    assert attributed(costs, GROUPS.kind, "odd") == (None, None)
    web = costs.many(GROUPS, ["web"], HOURS)["web"]
    assert web.over(Decimal(720)) == costs.many(GROUPS, ["web"], Decimal(720))["web"]


def test_members_in_another_region_are_not_those_of_the_group(store: Store) -> None:
    costs = ResourceCostStore(store)
    costs.put(replace(SHARD, region="eu-west-1"), {"i-1": cost_from([HOURLY], (), HOURS)})
    costs.put(GROUPS, {"web": group("i-1")})
    assert attributed(costs, GROUPS.kind, "web") == (None, 1)


def test_a_node_group_costs_what_the_machines_of_the_groups_behind_it_cost(store: Store) -> None:
    costs = ResourceCostStore(store)
    nodes = replace(SHARD, kind="eks-nodegroup")
    costs.put(SHARD, {"i-1": cost_from([HOURLY], (), HOURS), "i-2": cost_from([STORAGE], (), HOURS)})
    costs.put(GROUPS, {"one": group("i-1"), "two": group("i-2"), "odd": cost_of_group(GroupOf("ec2-instance", None))})
    through = GROUPS.kind
    costs.put(nodes, {"both": group("one", "two", through=through), "half": group("one", "gone", through=through)})
    costs.put(nodes, {"odd": group("one", "odd", through=through)})

    assert attributed(costs, nodes.kind, "both") == (Decimal("68.38"), 0)
    # Of a group that is not listed nobody knows how many machines are missing.
    assert attributed(costs, nodes.kind, "half") == attributed(costs, nodes.kind, "odd") == (None, None)


def test_a_group_that_is_billed_something_itself_costs_that_and_its_members(store: Store) -> None:
    costs, clusters = ResourceCostStore(store), replace(SHARD, kind="rds-cluster")
    costs.put(SHARD, {"i-1": cost_from([HOURLY], (), HOURS)})
    own = replace(cost_from([STORAGE], (), HOURS), group=GroupOf("ec2-instance", ("i-1",)))
    free = replace(cost_from([], (), HOURS), group=GroupOf("ec2-instance", ()))
    costs.put(clusters, {"orders": own, "free": free})

    found = costs.many(clusters, ["orders", "free"], HOURS)
    member = costs.many(SHARD, ["i-1"], HOURS)["i-1"].monthly
    assert found["orders"].monthly == own.monthly
    assert found["orders"].at_stake == (own.monthly or 0) + (member or 0)
    assert found["free"].monthly == found["free"].at_stake == Decimal("0.00")
    assert not found["free"].of_members
    assert found["orders"].over(Decimal(720)) == costs.many(clusters, ["orders"], Decimal(720))["orders"]


def test_a_record_of_an_older_release_without_any_part_is_not_taken_for_free() -> None:
    # It wrote the same of a group, whose members it did not name, and of a stopped instance.
    before = cost_from_text("[[],[]]")
    assert (before.monthly, before.at_stake, before.at_least) == (None, None, None)
    assert before.missing
    assert cost_from_text(cost_to_text(cost_from([], (), HOURS))).monthly == Decimal("0.00")
    assert cost_from_text(cost_to_text(cost_from([STORAGE], (), HOURS)).replace(",null]", "]")).monthly is not None
