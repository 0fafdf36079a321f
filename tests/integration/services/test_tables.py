"""Tables on moto's servers: a scan lists, tags, prices and judges them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
KEY: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}
UNITS = {"ReadCapacityUnits": 100, "WriteCapacityUnits": 50}


def test_tables_are_listed_priced_and_tagged(aws: AwsDouble, scanned: Scan) -> None:
    dynamodb = aws.client("dynamodb", role=MAKER)
    dynamodb.create_table(
        TableName="orders", **KEY, ProvisionedThroughput=UNITS, Tags=[{"Key": "team", "Value": "shop"}]
    )
    dynamodb.create_table(
        TableName="indexed",
        **KEY,
        ProvisionedThroughput=UNITS,
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-id",
                "KeySchema": KEY["KeySchema"],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": UNITS,
            }
        ],
        Tags=[{"Key": "team", "Value": "data"}],
    )
    dynamodb.create_table(
        TableName="events", **KEY, BillingMode="PAY_PER_REQUEST", Tags=[{"Key": "team", "Value": "web"}]
    )
    scaling = aws.client("application-autoscaling", role=MAKER)
    scaling.register_scalable_target(
        ServiceNamespace="dynamodb",
        ResourceId="table/orders",
        ScalableDimension="dynamodb:table:ReadCapacityUnits",
        MinCapacity=5,
        MaxCapacity=200,
        RoleARN="arn:aws:iam::111111111111:role/scaling",
    )
    outcome = scanned("dynamodb-table")
    assert [(gap.operation, gap.code) for gap in outcome.summary.gaps] == []
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: one["tags"]["team"] for name, one in found.items()} == {
        "orders": "shop",
        "indexed": "data",
        "events": "web",
    }
    # 100 × 0.00013 + 50 × 0.00065 an hour, and nothing stored.
    assert found["orders"]["monthlyCost"] == "33.22"
    # Moto leaves out how large an index is; it has 100 read and 50 write units of its own.
    assert found["indexed"]["priceMissing"] == ["storage_gb_month: its size is not known"]
    hours = {one["dimension"]: one["quantity"] for one in found["indexed"]["costParts"]}
    assert hours == {"rcu_hour": "200", "wcu_hour": "100"}
    orders, events = found["orders"]["attributes"], found["events"]["attributes"]
    assert (orders["read_capacity"], orders["write_capacity"], orders["scaled"]) == (100, 50, True)
    assert (events["billing_mode"], events["scaled"], events["recovers_to_any_point"]) == (
        "PAY_PER_REQUEST",
        False,
        False,
    )
    assert found["events"]["monthlyCost"] is None
    assert "TooNew" in found["events"]["priceMissing"][0]
    assert found["events"]["created"] is not None
