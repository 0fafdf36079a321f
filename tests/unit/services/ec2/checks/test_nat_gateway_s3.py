"""nat_gateway_s3: much through a NAT gateway, no free way to S3 beside it, and everything that is no proof of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.judging import Bench, Pages, used

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.services.ec2.checks.nat_gateway_s3 import CHECK
from finops_operator.services.ec2.nat_gateway import BYTES, KIND
from finops_operator.services.ec2.rules.s3_endpoints import LIST_ENDPOINTS, READ, S3_ENDPOINTS, s3_endpoints

GIB = 2.0**30
ASKED = Bench(KIND, answers={S3_ENDPOINTS: frozenset({READ, "vpc-other"})})


def gateway(state: str = "available", **attributes: Json) -> Resource:
    facts = {"availability": "zonal", "connectivity": "public", "vpc_id": "vpc-1", "route_tables": 1, **attributes}
    return Resource("nat-gateway", "nat-0a", "arn", "", "111122223333", "us-east-1", state, attributes=facts)


def carried(gibibytes: float, *, names: tuple[str, ...] = BYTES) -> Utilization:
    """Return an equal part from each side."""
    return used("nat-0a", month=dict.fromkeys(names, gibibytes * GIB / len(BYTES)))


def test_much_traffic_beside_no_endpoint_is_advice_whose_saving_nobody_knows() -> None:
    found = ASKED.found(CHECK, gateway(), carried(500))
    assert (found.action, found.new_monthly_cost) == ("", None)
    assert found.unpriced == "how much of what it carries goes to S3 is not known"
    assert found.evidence["gibibytes30Days"] == "500"
    assert found.summary.startswith("It carried 500 GiB in 30 days")


def test_exactly_the_threshold_counts_and_a_byte_less_does_not() -> None:
    assert ASKED.found(CHECK, gateway(), carried(100)).evidence["thresholdGibibytes"] == "100"
    assert ASKED.reason(CHECK, gateway(), carried(99.9)) == "it carried 99 GiB in 30 days, less than 100"


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (gateway("pending"), "it is pending, not available"),
        (gateway(connectivity="private"), "it is private and leads to no S3 of the internet"),
        (gateway(vpc_id="vpc-other"), "its VPC has a gateway endpoint for S3"),
        (gateway(vpc_id=None), "whether its VPC has a gateway endpoint for S3 is not known"),
    ],
)
def test_what_needs_no_endpoint_or_has_one_is_left_alone(resource: Resource, why: str) -> None:
    assert ASKED.reason(CHECK, resource, carried(500)) == why


def test_what_was_not_read_is_not_known() -> None:
    unread = replace(ASKED, answers={})
    assert unread.reason(CHECK, gateway(), carried(500)).endswith("endpoint for S3 is not known")
    half = carried(500, names=BYTES[:1])
    assert ASKED.reason(CHECK, gateway(), half) == "what it carried in 30 days is not known"


def test_only_gateway_endpoints_for_s3_that_are_in_use_count() -> None:
    def endpoint(vpc: str, **changed: str) -> dict[str, str]:
        usual = {"VpcEndpointType": "Gateway", "ServiceName": "com.amazonaws.us-east-1.s3", "State": "available"}
        return {"VpcId": vpc, **usual, **changed}

    listed = [
        endpoint("vpc-1"),
        endpoint("vpc-2", ServiceName="com.amazonaws.us-east-1.dynamodb"),
        endpoint("vpc-3", VpcEndpointType="Interface"),
        endpoint("vpc-4", State="Deleting"),
        endpoint("vpc-5", ServiceName="cn.com.amazonaws.cn-north-1.s3", State="Available"),
    ]
    reader = Pages({LIST_ENDPOINTS: [{"VpcEndpoints": listed[:2]}, {"VpcEndpoints": listed[2:]}]})
    assert s3_endpoints(reader) == {"us-east-1": {READ, "vpc-1", "vpc-5"}}
