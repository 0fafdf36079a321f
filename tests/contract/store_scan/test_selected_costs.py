"""What policies select of a shard is kept in parts that share no resource, as the last scans left it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.support.web_estate import ACCOUNT, NOW, StoredScan, priced, resource

from finops.domain.report import ShardCost
from finops.domain.resource import Gap, Shard
from finops.domain.selected import KeptSelections
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.selected_costs import SelectedCostStore, all_selecting, days_counted, keep_selected

SHARD = Shard(ACCOUNT, "us-east-1", "ec2-instance")
TODAY = NOW.date()
RESOURCES = {
    "a": (resource("ec2-instance", "i-1", tags={"team": "web"}), priced("1")),
    "b": (resource("ec2-instance", "i-2", tags={"team": "pay"}), priced("2")),
    "c": (resource("ec2-instance", "i-3", tags={"team": "ops", "stage": "dev"}), priced("4")),
    "d": (resource("ec2-instance", "i-4", tags={"stage": "dev"}), priced(missing=("price",))),
}


def scans(store: Store) -> None:
    for name, left_out in (("no-web", {"team": ("web",)}), ("no-pay", {"team": ("pay",)}), ("all", {})):
        StoredScan(store, ("team-a", name)).write(RESOURCES, exclude_tags=left_out)


def kept_today(store: Store) -> KeptSelections:
    names = ((SHARD, None), (SHARD, ("stage", "dev")))
    ((_, parts),) = SelectedCostStore(store).of_days([TODAY], names)
    return dict(zip(names, parts, strict=True))


def test_each_resource_is_in_one_part_that_names_who_took_it(store: Store) -> None:
    scans(store)

    keep_selected(store, TODAY, {SHARD: (None, ("stage", "dev"))})

    kept = kept_today(store)
    marks = {one.policy: one.mark for one in all_selecting(store)}
    both = frozenset({marks["team-a/no-pay"], marks["team-a/no-web"]})
    assert dict(kept[SHARD, None]) == {
        frozenset({marks["team-a/no-pay"]}): ShardCost(Decimal("730.00"), 1, 0),
        frozenset({marks["team-a/no-web"]}): ShardCost(Decimal("1460.00"), 1, 0),
        both: ShardCost(Decimal("2920.00"), 2, 1),
    }
    assert dict(kept[SHARD, ("stage", "dev")])[both] == ShardCost(Decimal("2920.00"), 2, 1)


def test_days_are_counted_as_policies_selected_on_them(store: Store) -> None:
    scans(store)
    history = CostHistoryStore(store)
    for ago in (0, 1):
        history.put(TODAY - timedelta(days=ago), {SHARD: ShardCost(Decimal("5110.00"), 4, 1)})
    keep_selected(store, TODAY, {SHARD: (None,)})
    policies = {one.policy: one for one in all_selecting(store)}

    def costs(*names: str) -> list[Decimal | None]:
        found = days_counted(store, TODAY - timedelta(days=1), TODAY, [policies[f"team-a/{name}"] for name in names])
        return [None if one.cost is None else one.cost.monthly_cost for one in found]

    assert costs("no-web") == [None, Decimal("4380.00")]
    assert costs("no-web", "no-pay") == [None, Decimal("5110.00")]
    assert costs("all") == [Decimal("5110.00"), Decimal("5110.00")]
    assert costs() == []


def test_days_before_a_selector_was_changed_are_unknown(store: Store) -> None:
    scans(store)
    for ago in (1, 0):
        CostHistoryStore(store).put(TODAY - timedelta(days=ago), {SHARD: ShardCost(Decimal("5110.00"), 4, 1)})
    keep_selected(store, TODAY - timedelta(days=1), {SHARD: (None,)})
    StoredScan(store, ("team-a", "no-web")).write(RESOURCES, exclude_tags={"team": ("web", "ops")})
    keep_selected(store, TODAY, {SHARD: (None,)})

    (asked,) = [one for one in all_selecting(store) if one.policy == "team-a/no-web"]
    found = days_counted(store, TODAY - timedelta(days=1), TODAY, [asked])

    assert [None if one.cost is None else one.cost.monthly_cost for one in found] == [None, Decimal("1460.00")]


def test_a_listing_with_gaps_that_replaced_the_whole_one_leaves_what_was_kept(store: Store) -> None:
    scans(store)
    keep_selected(store, TODAY, {SHARD: (None,)})
    before = kept_today(store)

    gap = Gap(ACCOUNT, "us-east-1", "ec2", "DescribeInstances", "Throttled", "again later")
    InventoryStore(store).swap(ShardHead(SHARD, "g1", 4, 1, 1, (gap,), NOW, NOW, NOW, {}))

    keep_selected(store, TODAY, {SHARD: (None,)})

    assert before[SHARD, None]
    assert kept_today(store) == before
