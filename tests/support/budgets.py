"""Budgets on a cluster's double, a history of costs, and the duty that judges the one against the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.support.fake_clock import FakeClock
from tests.support.web_estate import ACCOUNT, NOW

from finops.crds.budget import Budget
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.k8s.connection import Connection
from finops.k8s.events import Events
from finops.k8s.kinds import budgets
from finops.ports.notifier import Notifier
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore
from finops.store.notices import StoredNotices
from finops_operator.cluster.cache import KindCache
from finops_operator.upkeep.budgets import Budgets

INSTANCES = Shard(ACCOUNT, "us-east-1", "ec2-instance")
VOLUMES = Shard(ACCOUNT, "us-east-1", "ebs-volume")
DATABASES = Shard(ACCOUNT, "us-east-1", "rds-instance")


def remember(store: Store, shard: Shard, monthly: str, days: int, *, unpriced: int = 0, from_ago: int = 0) -> None:
    """Write `days` days of a shard until `from_ago` days ago, each at so much a month of 730 hours."""
    for ago in range(from_ago, from_ago + days):
        cost = ShardCost(Decimal(monthly), 4, unpriced)
        CostHistoryStore(store).put(NOW.date() - timedelta(days=ago), {shard: cost})


@dataclass(slots=True)
class Cluster:
    """Budgets of one test; they go at its end."""

    connection: Connection
    made: list[Budget] = field(default_factory=list)

    def budget(self, name: str, amount: str, *, namespace: str = "team-a", **spec: Any) -> Budget:
        """Make a budget; `spec` beside its amount."""
        document: Mapping[str, Any] = {
            "apiVersion": API_VERSION,
            "kind": "Budget",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"amount": amount, **spec},
        }
        created = budgets(self.connection).create(Budget.from_object(document))
        self.made.append(created)
        return created

    def now(self, budget: Budget) -> Budget:
        """Return a budget as it is now."""
        found = budgets(self.connection).get(budget.metadata.namespace or "", budget.metadata.name)
        assert found is not None
        return found

    def duty(
        self,
        store: Store,
        clock: FakeClock | None = None,
        notifier: Notifier | None = None,
        policies: KindCache[ScanPolicy] | None = None,
    ) -> Budgets:
        """Return the duty, as a process that has just started has it; of no policy but those whose scans are stored."""
        return Budgets(
            budgets(self.connection),
            policies or read_policies(),
            store,
            notifier or StoredNotices(store),
            Events(self.connection, component="operator", instance="test"),
            {
                "ec2-instance": frozenset({"ec2:DescribeInstances"}),
                "ebs-volume": frozenset({"ec2:DescribeVolumes"}),
                "rds-instance": frozenset({"rds:DescribeDBInstances"}),
            },
            clock or FakeClock(NOW),
        )


def policy_object(name: str, namespace: str = "team-a", **spec: Any) -> dict[str, Any]:
    """Return a policy as the API server shows it."""
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": "1", "generation": 1}
    return {
        "apiVersion": API_VERSION,
        "kind": "ScanPolicy",
        "metadata": metadata,
        "spec": {"schedule": "0 6 * * *", "accounts": [{"name": "production"}], **spec},
    }


def read_policies(*documents: Mapping[str, Any], watched: tuple[str, ...] = ()) -> KindCache[ScanPolicy]:
    """Return the picture of a watch that has read these policies, of these namespaces or of all."""
    cache = KindCache(ScanPolicy, lambda: None)
    cache.namespaces = watched
    cache.read(lambda _where: ())
    for one in documents:
        cache.saw(one)
    return cache


@contextmanager
def budgets_on(connection: Connection) -> Iterator[Cluster]:
    """Yield a cluster's budgets."""
    cluster = Cluster(connection)
    try:
        yield cluster
    finally:
        for one in cluster.made:
            budgets(connection).delete(one.metadata.namespace or "", one.metadata.name)
