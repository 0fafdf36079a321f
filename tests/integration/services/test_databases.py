"""Database instances on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


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
