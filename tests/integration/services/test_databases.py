"""Database instances on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


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
    rds.stop_db_instance(DBInstanceIdentifier="orders")
    outcome = scanned("rds-instance")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: (one["state"], one["monthlyCost"], one["tags"]["team"]) for name, one in found.items()} == {
        "orders": ("stopped", "11.50", "orders"),
        "old": ("available", "144.36", "old"),
    }
    assert found["old"]["attributes"]["db_instance_class"] == "db.m4.large"
    advice = {(one["check"], one["resource"]["id"]) for one in report_of(outcome)["recommendations"]}
    assert advice == {("rds_instance_previous_generation", "old")}
