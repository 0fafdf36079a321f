"""Reserved Instances, capacity reservations and Savings Plans in the double: their members, filters and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from finops_sandbox.aws.double import AwsDouble, Delays
from finops_sandbox.aws.estate import load_estate, resource_id
from finops_sandbox.aws.estate_fields import EstateError

_ACCOUNT, _REGION = "111111111111", "us-east-1"
_SCANNER = f"arn:aws:iam::{_ACCOUNT}:role/finops-scanner"
_INSTANCE: dict[str, Any] = {"name": "inside", "type": "m5.large"}
_HELD: dict[str, Any] = {"name": "held", "type": "m5.large", "count": 2, "instances": ["inside"]}
_PLAN: dict[str, Any] = {"name": "all", "type": "Compute", "commitment": "1.5", "rates": {"m5.large": "0.07"}}
_ESTATE: dict[str, Any] = {
    "accounts": {_ACCOUNT: {"name": "production", "regions": [_REGION]}},
    "resources": [
        {
            "account": "production",
            "region": _REGION,
            "instances": [_INSTANCE],
            "reservedInstances": [
                {"name": "region", "type": "m5.large", "count": 3},
                {"name": "zone", "type": "m5.large", "zone": "b", "state": "retired"},
            ],
            "capacityReservations": [_HELD, {"name": "other", "type": "c5.large", "owner": "222222222222"}],
            "savingsPlans": [_PLAN, {**_PLAN, "name": "over", "state": "retired"}],
        }
    ],
}
Refusal = Callable[[Callable[[], object]], str]


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(_ESTATE, delays=Delays(60, 60, 60, 60)) as running:
        yield running


def test_reserved_instances_are_those_that_the_filter_lets_through(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_SCANNER)
    everything = ec2.describe_reserved_instances()["ReservedInstances"]
    assert [(one["Scope"], one["State"], one.get("AvailabilityZone")) for one in everything] == [
        ("Region", "active", None),
        ("Availability Zone", "retired", "us-east-1b"),
    ]
    (active,) = ec2.describe_reserved_instances(Filters=[{"Name": "state", "Values": ["active"]}])["ReservedInstances"]
    assert (active["InstanceType"], active["InstanceCount"]) == ("m5.large", 3)
    assert active["Start"] < active["End"]
    unknown = [{"Name": "colour", "Values": ["red"]}]
    assert refusal(lambda: ec2.describe_reserved_instances(Filters=unknown)) == "InvalidParameterValue"


def test_capacity_reservations_come_in_pages_and_an_instance_names_its_own(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_SCANNER)
    pages = list(ec2.get_paginator("describe_capacity_reservations").paginate(PaginationConfig={"PageSize": 1}))
    assert [len(page["CapacityReservations"]) for page in pages] == [1, 1]
    (held,), (other,) = (page["CapacityReservations"] for page in pages)
    assert (held["TotalInstanceCount"], held["AvailableInstanceCount"]) == (2, 1)
    assert (held["OwnerId"], other["OwnerId"]) == (_ACCOUNT, "222222222222")
    inside = resource_id("instance", _ACCOUNT, _REGION, "inside")
    (instance,) = ec2.describe_instances(InstanceIds=[inside])["Reservations"][0]["Instances"]
    assert instance["CapacityReservationId"] == held["CapacityReservationId"]
    assert refusal(lambda: ec2.describe_capacity_reservations(NextToken="x")) == "InvalidParameterValue"


def test_savings_plans_and_their_rates_are_those_of_the_account(aws: AwsDouble, refusal: Refusal) -> None:
    plans = aws.client("savingsplans", role=_SCANNER)
    first = plans.describe_savings_plans(maxResults=1)
    second = plans.describe_savings_plans(maxResults=1, nextToken=first["nextToken"])
    assert [one["state"] for page in (first, second) for one in page["savingsPlans"]] == ["active", "retired"]
    (active,) = plans.describe_savings_plans(states=["active"])["savingsPlans"]
    wanted = [{"name": "instanceType", "values": ["m5.large"]}, {"name": "productType", "values": ["EC2"]}]
    rows = plans.describe_savings_plan_rates(savingsPlanId=active["savingsPlanId"], filters=wanted)["searchResults"]
    assert {one["usageType"]: one["rate"] for one in rows} == {
        "BoxUsage:m5.large": "0.07",
        "UnusedBox:m5.large": "0.07",
    }
    nobody = "00000000-0000-0000-0000-000000000000"
    assert refusal(lambda: plans.describe_savings_plan_rates(savingsPlanId=nobody)) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("section", "item", "why"),
    [
        ("reservedInstances", {"name": "x"}, "name and type are required"),
        ("reservedInstances", {"name": "x", "type": "m5.large", "colour": "red"}, "unknown field colour"),
        ("capacityReservations", {**_HELD, "count": 0}, "more instances than slots"),
        ("savingsPlans", {**_PLAN, "type": "Everything"}, "no Savings Plan is of type Everything"),
    ],
)
def test_an_estate_with_a_commitment_that_cannot_be_is_refused(section: str, item: dict[str, Any], why: str) -> None:
    place = {"account": "production", "region": _REGION, section: [item]}
    with pytest.raises(EstateError, match=why):
        load_estate({**_ESTATE, "resources": [place]})
