"""What AWS says of addresses and refuses to release, the double says and refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id

_ACCOUNT, _REGION = "111111111111", "us-east-1"
_ESTATE: dict[str, Any] = {
    "accounts": {
        _ACCOUNT: {
            "name": "production",
            "regions": [_REGION],
            "roles": {
                "finops-open": {
                    "externalId": "",
                    "policies": [{"Statement": [{"Effect": "Allow", "Action": ["ec2:*"], "Resource": "*"}]}],
                }
            },
        }
    },
    "resources": [
        {
            "account": "production",
            "region": _REGION,
            "instances": [{"name": "web", "type": "m5.large"}],
            "addresses": [{"name": "free", "tags": {"team": "web"}}, {"name": "used", "instance": "web"}],
        }
    ],
}
_OPEN = f"arn:aws:iam::{_ACCOUNT}:role/finops-open"
_FREE = resource_id("address", _ACCOUNT, _REGION, "free")
_USED = resource_id("address", _ACCOUNT, _REGION, "used")
Refusal = Callable[[Callable[[], object]], str]


@pytest.fixture(scope="module")
def double() -> Iterator[AwsDouble]:
    with AwsDouble(_ESTATE) as running:
        yield running


@pytest.fixture
def aws(double: AwsDouble) -> AwsDouble:
    double.control.reset()
    return double


def change(aws: AwsDouble, allocation: str, **changes: Any) -> dict[str, Any]:
    return aws.control.change(_ACCOUNT, _REGION, allocation, changes)


def test_an_address_is_released_once(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    (described,) = ec2.describe_addresses(AllocationIds=[_FREE])["Addresses"]
    assert (described["PublicIpv4Pool"], described["NetworkBorderGroup"]) == ("amazon", _REGION)
    assert {"Key": "team", "Value": "web"} in described["Tags"]
    ec2.release_address(AllocationId=_FREE)
    assert refusal(lambda: ec2.release_address(AllocationId=_FREE)) == "InvalidAllocationID.NotFound"
    assert [call.action for call in aws.calls if call.applied] == ["ReleaseAddress"]


def test_in_a_default_network_an_address_is_taken_away_from_its_instance(aws: AwsDouble) -> None:
    aws.client("ec2", role=_OPEN).release_address(AllocationId=_USED)
    assert [call.action for call in aws.calls if call.applied] == ["ReleaseAddress"]


def test_an_address_that_a_gateway_or_an_interface_has_is_in_use(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=_FREE)
    assert refusal(lambda: ec2.release_address(AllocationId=_FREE)) == "InvalidIPAddress.InUse"


def test_an_address_with_a_reverse_name_is_locked(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    change(aws, _FREE, reverseName="mail.example.com.")
    (named,) = ec2.describe_addresses_attribute(AllocationIds=[_FREE], Attribute="domain-name")["Addresses"]
    assert named["PtrRecord"] == "mail.example.com."
    assert refusal(lambda: ec2.release_address(AllocationId=_FREE)) == "InvalidAddress.Locked"
    (other,) = ec2.describe_addresses_attribute(AllocationIds=[_USED], Attribute="domain-name")["Addresses"]
    assert "PtrRecord" not in other


def test_an_offered_address_is_listed_with_whom_it_is_offered_to(aws: AwsDouble) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    change(aws, _FREE, offeredTo="222222222222")
    (offer,) = ec2.describe_address_transfers()["AddressTransfers"]
    assert (offer["AllocationId"], offer["TransferAccountId"]) == (_FREE, "222222222222")
    assert offer["AddressTransferStatus"] == "pending"
    assert ec2.describe_address_transfers(AllocationIds=[_USED])["AddressTransfers"] == []


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "MissingParameter"),
        ({"AllocationId": "eipalloc-0123456789abcdef0"}, "InvalidAllocationID.NotFound"),
        ({"AllocationId": _FREE, "NetworkBorderGroup": "us-east-1-bos-1"}, "InvalidAddress.NotFound"),
    ],
)
def test_an_address_that_is_not_there_is_not_released(
    parameters: dict[str, str], code: str, aws: AwsDouble, refusal: Refusal
) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    assert refusal(lambda: ec2.release_address(**parameters)) == code


def test_a_person_puts_an_address_on_an_instance_takes_it_off_and_gives_it_back(aws: AwsDouble) -> None:
    web = resource_id("instance", _ACCOUNT, _REGION, "web")
    assert change(aws, _FREE, instance=web)["instance"] == web
    assert change(aws, _FREE, instance="")["instance"] == ""
    assert change(aws, _FREE, delete=True) == {"id": _FREE, "deleted": True}
