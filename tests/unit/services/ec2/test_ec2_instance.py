"""EC2 instances as collected: every agreed attribute, nothing invented, errors as gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.facts import instance as running

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.services.ec2.instance import KIND


class Pages:
    """A reader with given pages; an exception among them is raised."""

    account, region = "111111111111", "eu-central-1"

    def __init__(self, *pages: Mapping[str, Any] | Exception) -> None:
        self._pages = pages
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        raise AssertionError("collectors read pages")

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        self.asked.append((operation, dict(parameters)))
        for page in self._pages:
            if isinstance(page, Exception):
                raise page
            yield page


def page(*instances: dict[str, Any]) -> dict[str, Any]:
    return {"Reservations": [{"OwnerId": "111111111111", "Instances": list(instances)}]}


def instance(**changes: Any) -> dict[str, Any]:
    return {
        "InstanceId": "i-0123456789abcdef0",
        "InstanceType": "t3.large",
        "State": {"Name": "running"},
        "LaunchTime": "2026-11-01T10:20:30+00:00",
        "Placement": {"AvailabilityZone": "eu-central-1a", "Tenancy": "default", "GroupName": ""},
        "Tags": [{"Key": "Name", "Value": "<b>web</b>"}, {"Key": "aws:autoscaling:groupName", "Value": "front"}],
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}],
        "EbsOptimized": False,
        **changes,
    }


def collected(**changes: Any) -> Resource:
    (found,) = KIND.listing.collect(Pages(page(instance(**changes))), "aws")
    assert isinstance(found, Resource)
    return found


def test_pages_are_asked_at_the_documented_maximum_and_without_filters() -> None:
    reader = Pages(page())
    list(KIND.listing.collect(reader, "aws"))
    assert reader.asked == [("ec2:DescribeInstances", {"MaxResults": 1000})]


def test_an_instance_carries_identity_launch_tags_and_attributes() -> None:
    found = collected()
    assert found.arn == "arn:aws:ec2:eu-central-1:111111111111:instance/i-0123456789abcdef0"
    assert (found.name, found.state, found.account) == ("<b>web</b>", "running", "111111111111")
    assert found.created == datetime(2026, 11, 1, 10, 20, 30, tzinfo=UTC)
    assert found.attributes["volume_ids"] == ["vol-1"]
    assert found.attributes["auto_scaling_group"] == "front"
    assert found.attributes["ebs_optimized"] is False
    assert found.text("availability_zone") == "eu-central-1a"


def test_what_aws_did_not_say_is_absent() -> None:
    attributes = collected().attributes
    for name in ("ena_support", "usage_operation", "operator_managed", "architecture", "cpu_credits"):
        assert name not in attributes


def test_addresses_distinguish_elastic_from_automatic_ones() -> None:
    found = collected(
        PublicIpAddress="3.3.3.3",
        NetworkInterfaces=[
            {
                "Association": {"PublicIp": "3.3.3.3", "IpOwnerId": "amazon"},
                "PrivateIpAddresses": [
                    {"Association": {"PublicIp": "3.3.3.3", "IpOwnerId": "amazon"}},
                    {"Association": {"PublicIp": "4.4.4.4", "IpOwnerId": "111111111111"}},
                ],
            },
            {"Association": None, "PrivateIpAddresses": [{}]},
        ],
    )
    assert found.attributes["public_ipv4"] == ["3.3.3.3", "4.4.4.4"]
    assert found.attributes["elastic"] == [False, True]
    assert found.attributes["network_interface_count"] == 2


def test_an_address_of_unknown_kind_counts_as_one_that_goes_on_costing() -> None:
    found = collected(PublicIpAddress="3.3.3.3")
    assert found.attributes["elastic"] == [True]


def test_managed_instances_and_reservations_are_seen() -> None:
    found = collected(
        Operator={"Managed": True, "Principal": "eks.amazonaws.com"},
        CapacityReservationSpecification={"CapacityReservationTarget": {"CapacityReservationId": "cr-1"}},
        InstanceLifecycle="spot",
        Platform="Windows",
    )
    assert found.attributes["operator_managed"] is True
    assert found.text("capacity_reservation") == "cr-1"
    assert (found.text("lifecycle"), found.text("platform")) == ("spot", "windows")


@pytest.mark.parametrize("state", ["terminated", "shutting-down"])
def test_instances_that_are_gone_are_left_out(state: str) -> None:
    assert list(KIND.listing.collect(Pages(page(instance(State={"Name": state}))), "aws")) == []


def test_a_lost_page_keeps_what_was_read_and_says_what_was_not() -> None:
    denied = AwsDenied("no", operation="ec2:DescribeInstances", code="UnauthorizedOperation")
    first, gap = KIND.listing.collect(Pages(page(instance()), denied), "aws")
    assert isinstance(first, Resource)
    assert isinstance(gap, Gap)
    assert (gap.account, gap.region, gap.operation, gap.code) == (
        "111111111111",
        "eu-central-1",
        "DescribeInstances",
        "UnauthorizedOperation",
    )
    assert gap.resources is None


def test_only_what_publishes_is_measured() -> None:
    def measured(**changes: Any) -> set[str]:
        return {spec.name for spec in KIND.metrics if spec.applies(collected(**changes))}

    assert measured(State={"Name": "stopped"}) == set()
    assert "cpuCreditBalance" in measured(InstanceType="t3.large")
    assert "cpuCreditBalance" not in measured(InstanceType="m5.large")


def test_the_console_link_leads_to_the_instance() -> None:
    assert KIND.console_url(collected()).endswith("#InstanceDetails:instanceId=i-0123456789abcdef0")


def test_an_agent_is_asked_about_gpus_only_where_the_type_has_some() -> None:
    spec = next(one for one in KIND.metrics if one.name == "gpuPercent")
    assert [spec.applies(running(instance_type=name)) for name in ("g5g.xlarge", "g5g.16xlarge", "m5.large")] == [
        *(True, True, False)
    ]
    assert not spec.applies(running("stopped", instance_type="g5g.xlarge"))
