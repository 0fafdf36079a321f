"""What the scheduler asks for before a scan, and the figures that bound a policy's acts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import ACCOUNT, NOW, account, policy, summary
from tests.support.valkey import running_valkey

from finops.crds.aws_account import AwsAccount
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.errors import StoreUnavailable
from finops.store.connection import Store, check_server, open_store
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.recommendations import PolicyHead, RecommendationStore
from finops.store.space import measure
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.canary import Canary
from finops_operator.cluster.objects import Objects
from finops_operator.policies.run import PolicyScans, key_of


@dataclass
class Accounts:
    """The accounts as the API server holds them."""

    there: list[AwsAccount] = field(default_factory=list)

    def list(self, _namespace: str | None = None) -> Iterator[AwsAccount]:
        return iter(self.there)


def scans_with(**parts: Any) -> PolicyScans:
    every: dict[str, Any] = dict.fromkeys(PolicyScans.__dataclass_fields__)
    return PolicyScans(**{**every, **parts})


def test_an_account_whose_deletion_the_watch_missed_is_not_used_by_the_next_scan() -> None:
    cache, api = ClusterCache(), Accounts()
    cache.accounts.put(account())
    objects: Objects[AwsAccount] = Objects(cast("Any", api), cache.accounts, Canary(FakeClock()))
    scans = scans_with(accounts=objects)

    scans.see_accounts()
    assert cache.accounts.all() == ()

    api.there = [account()]
    scans.see_accounts()
    assert [one.metadata.name for one in cache.accounts.all()] == ["production"]


def test_no_scan_begins_on_a_nearly_full_store() -> None:
    with running_valkey() as server:
        full = open_store(server.url)
        check_server(full, allow_volatile=False)
        used = measure(full).used or 0
        full.client.config_set("maxmemory", str(used * 100 // 95))
        known = SimpleNamespace(require=lambda _policy: None)
        scans = scans_with(deps=SimpleNamespace(store=full), known=known, allow_volatile=False)
        with pytest.raises(StoreUnavailable, match="nothing new begins"):
            scans.scan(policy())
        full.client.close()


def shard(region: str, kind: str = "ec2-instance") -> Shard:
    return Shard(ACCOUNT, region, kind)


HERE, THERE, VOLUMES = shard("us-east-1"), shard("eu-west-1"), shard("us-east-1", "ebs-volume")


def cost(resources: int) -> ShardCost:
    return ShardCost(Decimal(9), resources, resources)


@pytest.mark.parametrize(
    ("costs", "fleet"),
    [
        ({HERE: cost(3), THERE: cost(4)}, 7),
        ({HERE: cost(3), VOLUMES: cost(50)}, 3),
        ({}, 0),
    ],
    ids=["of all shards", "of one kind", "nothing selected"],
)
def test_the_share_of_the_fleet_counts_what_the_policy_selects(
    store: Store, costs: dict[Shard, ShardCost], fleet: int
) -> None:
    recommendations, inventory = RecommendationStore(store), InventoryStore(store)
    for one in (HERE, THERE):
        # Each shard holds far more than the policy selects of it.
        inventory.swap(ShardHead(one, "g1", 100, 1, 1, (), NOW, NOW, NOW, {}))
    head = PolicyHead("g1", summary(), ((HERE, "g1"), (THERE, "g1")), costs=costs)
    recommendations.swap(key_of(policy()), head)

    assert scans_with(recommendations=recommendations).fleet(policy(), "ec2-instance") == fleet


def test_a_policy_never_scanned_has_no_fleet(store: Store) -> None:
    assert scans_with(recommendations=RecommendationStore(store)).fleet(policy(), "ec2-instance") == 0
