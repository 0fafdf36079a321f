"""Resources for benchmarks of the dashboard: 10,000, or FINOPS_BENCH_RESOURCES."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from tests.support.web_estate import StoredScan, priced, resource

from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.store.connection import Store
from finops.store.cost_history import KEPT_DAYS, CostHistoryStore
from finops.store.recommendations import RecommendationStore
from finops.store.selected_costs import SelectedCostStore, selecting_of

RESOURCES: Final = int(os.environ.get("FINOPS_BENCH_RESOURCES", "10000"))
_REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-2", "eu-central-1")
_POLICY: Final = ("team-a", "all")
_KINDS: Final = ("ec2-instance", "ebs-volume")


def write_estate(store: Store) -> None:
    """Write a scan of `RESOURCES` resources of two kinds in four regions."""
    rows = {
        str(number): (
            resource(
                _KINDS[number % 2],
                f"r-{number:05}",
                region=_REGIONS[number % 4],
                name=f"web-{number}",
                tags={"Name": f"web-{number}", "team": f"team-{number % 40}", "stage": "prod"},
            ),
            priced(f"0.{number % 97 + 1:04}"),
        )
        for number in range(RESOURCES)
    }
    StoredScan(store).write(rows)


def write_history(store: Store, today: date) -> int:
    """Add shards of six accounts to the scan, and 400 days of all of them; return how many shards there are now.

    Three of four shards have no resource, as most kinds have none in most regions. Of the others a third costs
    otherwise than the day before.
    """
    stored, chance = RecommendationStore(store), random.Random(7)
    head = stored.head(_POLICY)
    assert head is not None
    others = [
        Shard(f"{account:012}", region, f"kind-{number}")
        for account in range(1, 7)
        for region in _REGIONS[:3]
        for number in range(45)
    ]
    shards = (*head.shards, *((one, head.generation) for one in others))
    head = replace(head, shards=shards, exclude_tags={"finops.dev/ignore": ("true",)}, generation="g2")
    stored.swap(_POLICY, head)
    mark = frozenset({selecting_of(_POLICY, head).mark})
    costs = {
        one: ShardCost() if place % 4 else ShardCost(Decimal("73.00"), 9, 0) for place, (one, _) in enumerate(shards)
    }
    history, selected = CostHistoryStore(store), SelectedCostStore(store)
    for ago in reversed(range(KEPT_DAYS)):
        for one, cost in costs.items():
            if cost.resources and chance.random() < 1 / 3:
                costs[one] = ShardCost(Decimal(chance.randrange(5_000, 900_000)) / 100, chance.randrange(1, 40), 0)
        day = today - timedelta(days=ago)
        history.put(day, costs)
        selected.put(day, {(one, None): ((mark, cost),) for one, cost in costs.items() if cost.resources})
    return len(shards)
