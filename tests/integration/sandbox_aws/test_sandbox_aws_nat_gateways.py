"""NAT gateways in the double: their figures, their routes, and how AWS deletes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finops_sandbox.aws.double import AwsDouble, Delays
from finops_sandbox.aws.estate import load_estate, resource_id
from finops_sandbox.aws.estate_fields import EstateError

_ACCOUNT, _REGION = "111111111111", "us-east-1"
_ESTATE: dict[str, Any] = {
    "accounts": {
        _ACCOUNT: {
            "name": "production",
            "regions": [_REGION],
            "roles": {
                "finops-open": {
                    "externalId": "",
                    "policies": [
                        {"Statement": [{"Effect": "Allow", "Action": ["ec2:*", "cloudwatch:*"], "Resource": "*"}]}
                    ],
                }
            },
        }
    },
    "resources": [
        {
            "account": "production",
            "region": _REGION,
            "natGateways": [{"name": "idle", "tags": {"team": "web"}}, {"name": "busy", "traffic": "normal"}],
        }
    ],
}
_OPEN = f"arn:aws:iam::{_ACCOUNT}:role/finops-open"
_IDLE = resource_id("nat-gateway", _ACCOUNT, _REGION, "idle")
_BUSY = resource_id("nat-gateway", _ACCOUNT, _REGION, "busy")
Refusal = Callable[[Callable[[], object]], str]


@pytest.fixture(scope="module")
def double() -> Iterator[AwsDouble]:
    with AwsDouble(_ESTATE, delays=Delays(60, 60, 60, 60)) as running:
        yield running


@pytest.fixture
def aws(double: AwsDouble) -> AwsDouble:
    double.control.reset()
    return double


def described(aws: AwsDouble, gateway: str) -> dict[str, Any]:
    ec2 = aws.client("ec2", role=_OPEN)
    (one,) = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    found: dict[str, Any] = one
    return found


def packets(aws: AwsDouble, gateway: str) -> list[float]:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    metric = {
        "Namespace": "AWS/NATGateway",
        "MetricName": "PacketsInFromSource",
        "Dimensions": [{"Name": "NatGatewayId", "Value": gateway}],
    }
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"}}
    answer = aws.client("cloudwatch", role=_OPEN).get_metric_data(
        MetricDataQueries=[query], StartTime=now - timedelta(days=1), EndTime=now
    )
    (result,) = answer["MetricDataResults"]
    return list(result["Values"])


def test_a_gateway_is_described_with_its_address_its_tags_and_its_age(aws: AwsDouble) -> None:
    one = described(aws, _IDLE)
    assert (one["State"], one["ConnectivityType"]) == ("available", "public")
    assert {"Key": "team", "Value": "web"} in one["Tags"]
    assert one["NatGatewayAddresses"][0]["PublicIp"].startswith("203.0.113.")
    assert datetime.now(UTC) - one["CreateTime"] > timedelta(days=89)


def test_a_gateway_reports_zeros_while_nothing_goes_through_it(aws: AwsDouble) -> None:
    assert packets(aws, _IDLE) == [0.0] * 24
    assert min(packets(aws, _BUSY)) > 0
    assert packets(aws, "nat-0123456789abcdef0") == []


def test_a_deletion_takes_its_time_asks_for_no_routes_and_leaves_the_address(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    aws.control.change(_ACCOUNT, _REGION, _IDLE, {"route": True})
    (table,) = aws.control.resource(_ACCOUNT, _REGION, _IDLE)["routeTables"]
    filters = [{"Name": "route.nat-gateway-id", "Values": [_IDLE]}]
    assert [one["RouteTableId"] for one in ec2.describe_route_tables(Filters=filters)["RouteTables"]] == [table]
    allocation = described(aws, _IDLE)["NatGatewayAddresses"][0]["AllocationId"]
    for _ in range(2):
        ec2.delete_nat_gateway(NatGatewayId=_IDLE)
        assert described(aws, _IDLE)["State"] == "deleting"
    assert refusal(lambda: ec2.release_address(AllocationId=allocation)) == "InvalidIPAddress.InUse"
    aws.control.advance(61)
    assert described(aws, _IDLE)["State"] == "deleted"
    ec2.release_address(AllocationId=allocation)


def test_a_gateway_that_is_not_there_is_not_deleted(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    assert refusal(lambda: ec2.delete_nat_gateway(NatGatewayId="nat-0123456789abcdef0")) == "NatGatewayNotFound"


def test_the_executor_may_delete_a_gateway_unless_a_tag_protects_it(aws: AwsDouble, refusal: Refusal) -> None:
    executor = aws.client("ec2", role=f"arn:aws:iam::{_ACCOUNT}:role/finops-executor")
    aws.control.change(_ACCOUNT, _REGION, _BUSY, {"tags": {"finops.dev/protected": "true"}})
    assert refusal(lambda: executor.delete_nat_gateway(NatGatewayId=_BUSY)) == "UnauthorizedOperation"
    executor.delete_nat_gateway(NatGatewayId=_IDLE)


def test_a_person_deletes_a_gateway_at_once_or_sends_traffic_through_it(aws: AwsDouble) -> None:
    assert aws.control.change(_ACCOUNT, _REGION, _IDLE, {"traffic": "normal"})["traffic"] == "normal"
    assert aws.control.change(_ACCOUNT, _REGION, _IDLE, {"state": "pending"})["state"] == "pending"
    aws.control.change(_ACCOUNT, _REGION, _IDLE, {"delete": True})
    assert aws.control.resource(_ACCOUNT, _REGION, _IDLE)["state"] == "deleted"


def test_traffic_of_an_unknown_shape_is_no_estate() -> None:
    place = {"account": "production", "region": _REGION, "natGateways": [{"name": "x", "traffic": "some"}]}
    with pytest.raises(EstateError, match="traffic 'some' is not a shape"):
        load_estate({**_ESTATE, "resources": [place]})
