"""Database instances on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.integration.services.conftest import ACCOUNTS, MAKER
from tests.support.scanning import dependencies, policy, report_of

from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops_operator.scan.scan import ScanOutcome, scan
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


@dataclass(frozen=True, slots=True)
class Later(SystemClock):
    """The machine's clock and so much more, as the double's is moved."""

    by: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


def wait_stopped(rds: Any, name: str) -> None:
    """Stop a database and wait until it is, as AWS takes its time."""
    answer = rds.stop_db_instance(DBInstanceIdentifier=name)
    assert answer["DBInstance"]["DBInstanceStatus"] == "stopping"
    deadline = time.monotonic() + 30
    while rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"] == "stopping":
        assert time.monotonic() < deadline, "it does not stop"
        time.sleep(0.05)


def test_databases_are_listed_priced_tagged_and_judged(aws: AwsDouble, scanned: Scan) -> None:
    rds = aws.client("rds", role=MAKER)
    for name, engine, size in (("orders", "mysql", "db.m5.large"), ("old", "postgres", "db.m4.large")):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass=size,
            Engine=engine,
            AllocatedStorage=100,
            StorageType="gp2",
            MasterUsername="root",
            MasterUserPassword="not-a-secret",
            Tags=[{"Key": "team", "Value": name}],
        )
    wait_stopped(rds, "orders")
    outcome = scanned("rds-instance")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: (one["state"], one["monthlyCost"], one["tags"]["team"]) for name, one in found.items()} == {
        "orders": ("stopped", "11.50", "orders"),
        "old": ("available", "144.36", "old"),
    }
    assert found["old"]["attributes"]["db_instance_class"] == "db.m4.large"
    advice = {(one["check"], one["resource"]["id"]) for one in report_of(outcome)["recommendations"]}
    # The stopped one has gp2 storage too, which only an available one can change.
    assert advice == {("rds_instance_previous_generation", "old"), ("rds_instance_storage_gp2", "old")}


def test_clusters_are_listed_by_engine_and_their_storage_is_unknown(aws: AwsDouble, scanned: Scan) -> None:
    rds = aws.client("rds", role=MAKER)
    for name, engine in (("shop", "aurora-mysql"), ("graph", "neptune")):
        rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine=engine,
            MasterUsername="root",
            MasterUserPassword="not-a-secret",
            Tags=[{"Key": "team", "Value": name}],
        )
    rds.create_db_instance(
        DBInstanceIdentifier="shop-1", DBInstanceClass="db.r5.large", Engine="aurora-mysql", DBClusterIdentifier="shop"
    )
    outcome = scanned("rds-cluster")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: one["attributes"]["cluster_service"] for name, one in found.items()} == {
        "shop": "Amazon Aurora",
        "graph": "Amazon Neptune",
    }
    assert found["shop"]["attributes"]["member_classes"] == ["db.r5.large"]
    assert (found["shop"]["tags"], found["shop"]["monthlyCost"]) == ({"team": "shop"}, None)


def test_snapshots_of_both_sorts_are_listed_and_a_deleted_database_is_noticed(aws: AwsDouble, scanned: Scan) -> None:
    rds = aws.client("rds", role=MAKER)
    secret = {"MasterUsername": "root", "MasterUserPassword": "not-a-secret"}
    rds.create_db_cluster(DBClusterIdentifier="shop", Engine="aurora-mysql", **secret)
    rds.create_db_instance(
        DBInstanceIdentifier="gone", DBInstanceClass="db.m5.large", Engine="mysql", AllocatedStorage=20, **secret
    )
    rds.create_db_snapshot(DBSnapshotIdentifier="last-words", DBInstanceIdentifier="gone")
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="friday", DBClusterIdentifier="shop")
    rds.delete_db_instance(DBInstanceIdentifier="gone", SkipFinalSnapshot=True)
    rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="gone", WaiterConfig={"Delay": 1})
    outcome = scanned("rds-snapshot")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one["attributes"] for one in report_of(outcome)["resources"]}
    assert {name: own["source_exists"] for name, own in found.items()} == {
        "snapshot:last-words": False,
        "cluster-snapshot:friday": True,
    }


def test_what_is_stopped_is_said_to_start_again_and_is_billed_once_aws_has_started_it(
    aws: AwsDouble, store: Store
) -> None:
    rds = aws.client("rds", role=MAKER)
    secret = {"MasterUsername": "root", "MasterUserPassword": "not-a-secret"}
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.m5.large",
        Engine="mysql",
        AllocatedStorage=100,
        StorageType="gp2",
        **secret,
    )
    rds.create_db_cluster(DBClusterIdentifier="shop", Engine="aurora-mysql", **secret)
    rds.create_db_instance(
        DBInstanceIdentifier="shop-1", DBInstanceClass="db.r5.large", Engine="aurora-mysql", DBClusterIdentifier="shop"
    )
    wait_stopped(rds, "orders")
    rds.stop_db_cluster(DBClusterIdentifier="shop")
    seen, clock = [], Later()
    for days in (0.5, 3.0, 7.5):
        aws.control.advance((timedelta(days=days) - clock.by).total_seconds())
        clock = Later(by=timedelta(days=days))
        with ThreadPoolExecutor(4) as pool:
            wanted = policy("production", resources=["rds-instance", "rds-cluster"])
            report = report_of(scan(wanted, ACCOUNTS, dependencies(store, pool), clock))
        found = {one["id"]: (one["state"], one["monthlyCost"]) for one in report["resources"]}
        stopped = {
            (one["check"], one["resource"]["id"]): one["summary"]
            for one in report["recommendations"]
            if one["check"].endswith("_stopped")
        }
        seen.append((found, stopped))
    (first, none), (second, advice), (third, over) = seen
    assert (first["orders"], second["orders"], none) == (("stopped", "11.50"), ("stopped", "11.50"), {})
    assert first["shop"][0] == second["shop"][0] == "stopped"
    assert advice.keys() == {("rds_instance_stopped", "orders"), ("rds_cluster_stopped", "shop")}
    restart = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}"
    assert all(restart in one for one in advice.values()), advice
    assert (third["orders"][0], third["shop"][0], over) == ("available", "available", {})
    assert Decimal(third["orders"][1]) > 100, "its hours are billed again"
