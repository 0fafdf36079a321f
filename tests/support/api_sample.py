"""A store with a little of everything, so that every endpoint of the API has something to answer with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient
from tests.support.budgets import budgets_on, policy_object
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.scan_samples import recommendation
from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource
from tests.support.what_ifs import Operator, question

from finops.crds.scan_policy import ScanPolicy
from finops.domain.audit import Entry, RecordKind
from finops.domain.price import GroupOf, cost_of_group
from finops.domain.report import ShardCost
from finops.domain.resource import Gap, Shard
from finops.k8s.connection import connect
from finops.k8s.kinds import scan_policies
from finops.ledger.durable import open_ledger
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore
from finops.store.what_if import WhatIfs

_DAYS: Final = 60
_RISE: Final = 2
"""How many days ago the cost rose, for an anomaly."""
_INSTANCES: Final = Shard(ACCOUNT, "us-east-1", "ec2-instance")
_SAVED: Final[dict[Any, Any]] = {
    "request": "u0",
    "name": "stop-batch",
    "namespace": "team-a",
    "policy": "all",
    "account": ACCOUNT,
    "region": "us-east-1",
    "resource": f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-9",
    "action": "ec2_instance_stop",
    "before": "70.08",
    "after": "0.00",
    "saving": "70.08",
    "currency": "USD",
    "time": "2026-03-01T08:00:00+00:00",
    "lastsDays": "",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """The dashboard in front of the sample.

    Attributes:
        headers: of a person who may read, vote and push.
        paths: what stands in the addresses for `{uid}`, `{identifier}` and so on.
        editor: headers of a person who may change policies.
    """

    client: TestClient
    headers: dict[str, str]
    paths: dict[str, str]
    editor: dict[str, str]


@contextmanager
def sample(site: Site, store: Store, folder: Path) -> Iterator[Sample]:
    """Fill the store, make one request that waits for votes, and yield the dashboard in front of both."""
    wanted = recommendation(1, tags={"owner": "orders"})
    _scan(store, wanted)
    _history(store)
    _ledger(store, folder)
    store.client.xadd(store.keys.realized, {**_SAVED})
    with site.requests(wanted) as (name,), budgets_on(connect(str(site.cluster.kubeconfig_for("admin")))) as cluster:
        cluster.budget("instances", "1500.00", scope={"services": ["ec2-instance"], "regions": ["us-east-1"]})
        cluster.duty(store).judge()
        client, headers = site.client(store, keys=PUBLIC_KEYS), site.bearer()
        (made,) = client.get("/api/action-requests", headers=headers).json()["data"]
        assert f"{made['metadata']['namespace']}/{made['metadata']['name']}" == name
        paths = {"uid": made["metadata"]["uid"], "identifier": wanted.id, "key": "team"}
        paths |= {"namespace": "team-a", "name": "all", "question": _answered(store)}
        with _policy(site):
            yield Sample(client, headers, paths, site.bearer("admin"))


@contextmanager
def _policy(site: Site) -> Iterator[None]:
    """Keep the policy whose scan the store has as an object, for what people write on it."""
    api, made = scan_policies(connect(str(site.cluster.kubeconfig_for("admin")))), policy_object("all")
    made["metadata"] = {"name": "all", "namespace": "team-a"}
    api.create(ScanPolicy.from_object(made))
    try:
        yield
    finally:
        api.delete("team-a", "all")


def _answered(store: Store) -> str:
    """Let the operator answer a question of alice, and return its id."""
    one = question(by="alice")
    WhatIfs(store).ask(one)
    Operator(store).loop().turn(threading.Event())
    return one.id


def _scan(store: Store, wanted: Any) -> None:
    attributes: dict[str, dict[str, Any]] = {
        "ec2-instance": {"instance_type": "t2.large", "availability_zone": "us-east-1a"},
        "load-balancer": {"load_balancer_name": "web", "load_balancer_type": "application", "scheme": "internal"},
        "auto-scaling-group": {"asg_name": "web", "instance_ids": ["i-1"], "min_size": 1, "max_size": 4},
        "ebs-volume": {"volume_type": "gp3", "size_gb": 90, "iops": 3000, "throughput": 125},
        "rds-instance": {"engine": "mysql", "db_instance_class": "db.m5.large", "allocated_storage_gb": 100},
    }
    costs = {
        "ec2-instance": ("i-1", priced("0.0928")),
        "load-balancer": ("app/web/1", priced("0.0225")),
        "auto-scaling-group": ("web", cost_of_group(GroupOf("ec2-instance", ("i-1",)))),
        "ebs-volume": ("vol-1", priced(monthly="7.20")),
        "rds-instance": ("db-1", priced("0.191", missing=("storage: no price",))),
    }
    denied = Gap(ACCOUNT, "eu-west-1", "rds", "DescribeDBInstances", "AccessDenied", "add rds:DescribeDBInstances")
    StoredScan(store).write(
        {
            kind: (resource(kind, identifier, tags={"team": "orders"}, attributes=attributes[kind]), cost)
            for kind, (identifier, cost) in costs.items()
        },
        recommendations=(wanted,),
        gaps=(denied,),
    )


def _history(store: Store) -> None:
    history = CostHistoryStore(store)
    for ago in range(_DAYS):
        monthly = Decimal(3000 + ago % 2 if ago >= _RISE else 9000)
        history.put(NOW.date() - timedelta(days=ago), {_INSTANCES: ShardCost(monthly, 12, 0)})


def _ledger(store: Store, folder: Path) -> None:
    ledger = open_ledger(store, folder / "ledger.jsonl", keys=KEYS, clock=FakeClock(NOW), fence=lambda: 1)
    ledger.start()
    spec: dict[str, Any] = {"specHash": "5f" * 32}
    intent: dict[str, Any] = {
        **spec,
        "policy": "all",
        "action": "ec2_instance_resize",
        "monthlySavings": "41.76",
        "dryRun": False,
    }
    # A proposal is written ahead under the name alone, and again when the object has its uid.
    for kind, result, uid, detail in (
        (RecordKind.PROPOSED, "intent", "", intent),
        (RecordKind.PROPOSED, "created", "u1", spec),
        (RecordKind.POSTED, "posted", "u1", {"channel": "C0FINOPS01"}),
    ):
        ledger.append(
            Entry(
                operation_id=f"{kind.value}:{uid or 'name'}",
                actor="operator",
                kind=kind,
                request=f"team-a/resize-api/{uid}",
                plan_hash="5f" * 32,
                result=result,
                detail=detail,
            )
        )
