"""Instances: states, refusals and what Describe shows, with the real SDK."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id

Refusal = Callable[[Callable[[], object]], str]
OPEN = "arn:aws:iam::111111111111:role/finops-open"


def instance_id(name: str) -> str:
    return resource_id("instance", "111111111111", "us-east-1", name)


@pytest.fixture
def ec2(aws: AwsDouble) -> Any:
    return aws.client("ec2", role=OPEN)


def shown(ec2: Any, name: str) -> dict[str, Any]:
    found = ec2.describe_instances(InstanceIds=[instance_id(name)])["Reservations"][0]["Instances"][0]
    assert isinstance(found, dict)
    return found


def state(ec2: Any, name: str) -> str:
    return str(shown(ec2, name)["State"]["Name"])


def retype(ec2: Any, name: str, kind: str) -> Any:
    return ec2.modify_instance_attribute(InstanceId=instance_id(name), InstanceType={"Value": kind})


def test_describe_shows_what_moto_leaves_out(ec2: Any) -> None:
    web = shown(ec2, "web")
    assert (web["PlatformDetails"], web["UsageOperation"], web["EnaSupport"]) == ("Linux/UNIX", "RunInstances", True)
    assert web["LaunchTime"] - datetime.now(UTC) + timedelta(days=40) < timedelta(minutes=1)
    assert web["PublicIpAddress"]
    assert "PublicIpAddress" not in shown(ec2, "guarded")
    assert shown(ec2, "managed")["PublicIpAddress"]
    assert [one["Ebs"]["Status"] for one in web["BlockDeviceMappings"]] == ["attached", "attached"]
    windows = shown(ec2, "windows")
    assert (windows["Platform"], windows["UsageOperation"]) == ("windows", "RunInstances:0002")
    assert windows["Placement"]["Tenancy"] == "dedicated"
    assert shown(ec2, "managed")["Operator"] == {"Managed": True, "Principal": "eks.amazonaws.com"}
    assert shown(ec2, "spot")["InstanceLifecycle"] == "spot"


def test_who_owns_a_public_address_distinguishes_an_automatic_one_from_an_elastic_one(ec2: Any) -> None:
    def owner(name: str) -> tuple[str, bool]:
        one = shown(ec2, name)
        association = one["NetworkInterfaces"][0]["Association"]
        inner = one["NetworkInterfaces"][0]["PrivateIpAddresses"][0]["Association"]
        return association["IpOwnerId"], association["PublicIp"] == inner["PublicIp"] == one["PublicIpAddress"]

    assert owner("web") == ("amazon", True)
    assert owner("managed") == ("111111111111", True)
    private = shown(ec2, "guarded")["NetworkInterfaces"]
    assert len(private) == 1
    assert "Association" not in private[0]


def test_an_elastic_address_stays_with_a_stopped_instance(aws: AwsDouble, ec2: Any) -> None:
    address = shown(ec2, "managed")["PublicIpAddress"]
    aws.control.change("111111111111", "us-east-1", instance_id("managed"), {"state": "stopped"})
    assert shown(ec2, "managed")["PublicIpAddress"] == address


def test_hostile_tag_text_arrives_as_it_was_written(ec2: Any) -> None:
    tags = {one["Key"]: one["Value"] for one in shown(ec2, "web")["Tags"]}
    assert tags["text"] == "<b> & \r\n \u202e"
    assert tags["aws:autoscaling:groupName"] == "web"


def test_a_stop_goes_through_stopping_and_drops_the_public_address(aws: AwsDouble, ec2: Any) -> None:
    change = ec2.stop_instances(InstanceIds=[instance_id("web")])["StoppingInstances"][0]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("running", "stopping")
    assert state(ec2, "web") == "stopping"
    aws.control.advance(61)
    assert state(ec2, "web") == "stopped"
    assert "PublicIpAddress" not in shown(ec2, "web")
    assert shown(ec2, "web")["StateReason"]["Code"] == "Client.UserInitiatedShutdown"


def test_a_start_goes_through_pending_and_initializing_checks(aws: AwsDouble, ec2: Any) -> None:
    one = instance_id("stopped")
    ec2.start_instances(InstanceIds=[one])
    assert state(ec2, "stopped") == "pending"
    assert ec2.describe_instance_status(InstanceIds=[one])["InstanceStatuses"] == []
    aws.control.advance(61)
    assert state(ec2, "stopped") == "running"
    status = ec2.describe_instance_status(InstanceIds=[one])["InstanceStatuses"][0]
    assert (status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"]) == ("initializing", "initializing")
    aws.control.advance(61)
    status = ec2.describe_instance_status(InstanceIds=[one])["InstanceStatuses"][0]
    assert (status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"]) == ("ok", "ok")
    assert datetime.now(UTC) - shown(ec2, "stopped")["LaunchTime"] < timedelta(minutes=1)


def test_a_termination_leaves_the_instance_visible_for_an_hour(aws: AwsDouble, ec2: Any) -> None:
    one = instance_id("young")
    root = shown(ec2, "young")["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    ec2.terminate_instances(InstanceIds=[one])
    assert state(ec2, "young") == "shutting-down"
    aws.control.advance(61)
    assert state(ec2, "young") == "terminated"
    assert root not in {one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]}
    aws.control.advance(3600)
    # The session has expired meanwhile.
    ec2 = aws.client("ec2", role=OPEN)
    ids = {item["InstanceId"] for one in ec2.describe_instances()["Reservations"] for item in one["Instances"]}
    assert one not in ids


def test_stopping_what_is_stopped_and_starting_what_runs_changes_nothing(ec2: Any) -> None:
    change = ec2.stop_instances(InstanceIds=[instance_id("stopped")])["StoppingInstances"][0]
    assert change["CurrentState"] == change["PreviousState"] == {"Code": 80, "Name": "stopped"}
    change = ec2.start_instances(InstanceIds=[instance_id("web")])["StartingInstances"][0]
    assert change["CurrentState"]["Name"] == "running"


def test_transitional_states_refuse_stop_and_start(aws: AwsDouble, ec2: Any, refusal: Refusal) -> None:
    ec2.stop_instances(InstanceIds=[instance_id("web")])
    assert refusal(lambda: ec2.start_instances(InstanceIds=[instance_id("web")])) == "IncorrectInstanceState"
    ec2.start_instances(InstanceIds=[instance_id("stopped")])
    assert refusal(lambda: ec2.stop_instances(InstanceIds=[instance_id("stopped")])) == "IncorrectInstanceState"
    assert refusal(lambda: ec2.reboot_instances(InstanceIds=[instance_id("stopped")])) == "IncorrectInstanceState"


@pytest.mark.parametrize(
    ("name", "code"),
    [("kept", "OperationNotPermitted"), ("old", "UnsupportedOperation"), ("managed", "OperationNotPermitted")],
)
def test_a_stop_is_refused_for_protection_instance_store_and_managed_instances(
    ec2: Any, refusal: Refusal, name: str, code: str
) -> None:
    assert refusal(lambda: ec2.stop_instances(InstanceIds=[instance_id(name)])) == code


def test_a_stop_of_several_is_all_or_nothing(ec2: Any, refusal: Refusal) -> None:
    both = [instance_id("web"), instance_id("kept")]
    assert refusal(lambda: ec2.stop_instances(InstanceIds=both)) == "OperationNotPermitted"
    assert state(ec2, "web") == "running"


def test_protection_is_lifted_by_its_attribute(ec2: Any, refusal: Refusal) -> None:
    one = instance_id("kept")
    assert refusal(lambda: ec2.terminate_instances(InstanceIds=[one])) == "OperationNotPermitted"
    ec2.modify_instance_attribute(InstanceId=one, DisableApiStop={"Value": False})
    assert ec2.stop_instances(InstanceIds=[one])["StoppingInstances"][0]["CurrentState"]["Name"] == "stopping"


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("web", "m5.large", "IncorrectInstanceState"),
        ("stopped", "m5.gigantic", "InvalidInstanceAttributeValue"),
        ("stopped", "m6g.large", "InvalidInstanceAttributeValue"),
        ("xen", "m5.large", "InvalidParameterCombination"),
        ("spot", "m5.xlarge", "UnsupportedOperation"),
        ("managed", "m5.xlarge", "OperationNotPermitted"),
    ],
)
def test_a_type_change_is_refused_for_state_type_architecture_ena_and_owner(
    ec2: Any, refusal: Refusal, name: str, kind: str, code: str
) -> None:
    assert refusal(lambda: retype(ec2, name, kind)) == code


def test_a_type_that_the_zone_does_not_offer_is_unsupported(ec2: Any, refusal: Refusal) -> None:
    offers = ec2.get_paginator("describe_instance_type_offerings").paginate(LocationType="availability-zone")
    here = {
        one["InstanceType"]
        for page in offers
        for one in page["InstanceTypeOfferings"]
        if one["Location"] == "us-east-1a"
    }
    types = ec2.get_paginator("describe_instance_types").paginate(
        Filters=[{"Name": "processor-info.supported-architecture", "Values": ["x86_64"]}]
    )
    elsewhere = sorted({one["InstanceType"] for page in types for one in page["InstanceTypes"]} - here)
    assert refusal(lambda: retype(ec2, "stopped", elsewhere[0])) == "Unsupported"


def test_a_resize_of_a_stopped_instance_works(aws: AwsDouble, ec2: Any) -> None:
    retype(ec2, "stopped", "t3.small")
    ec2.start_instances(InstanceIds=[instance_id("stopped")])
    aws.control.advance(61)
    web = shown(ec2, "stopped")
    assert (web["InstanceType"], web["State"]["Name"]) == ("t3.small", "running")


def test_missing_capacity_refuses_the_start_for_the_type_as_often_as_set(
    aws: AwsDouble, ec2: Any, refusal: Refusal
) -> None:
    aws.control.inject({"kind": "capacity", "instanceType": "t3.small", "count": 2})
    retype(ec2, "stopped", "t3.small")
    for _ in range(2):
        code = refusal(lambda: ec2.start_instances(InstanceIds=[instance_id("stopped")]))
        assert code == "InsufficientInstanceCapacity"
        assert state(ec2, "stopped") == "stopped"
    assert ec2.start_instances(InstanceIds=[instance_id("stopped")])["StartingInstances"]


def test_without_a_grant_on_the_customer_key_a_start_ends_stopped(aws: AwsDouble, ec2: Any) -> None:
    ec2.start_instances(InstanceIds=[instance_id("secret")])
    aws.control.advance(61)
    failed = shown(ec2, "secret")
    assert (failed["State"]["Name"], failed["StateReason"]["Code"]) == ("stopped", "Client.InternalError")
    executor = aws.client("ec2", role="arn:aws:iam::111111111111:role/finops-executor")
    executor.start_instances(InstanceIds=[instance_id("secret")])
    aws.control.advance(61)
    assert state(ec2, "secret") == "running"


def test_dry_run_says_what_would_be_allowed_and_changes_nothing(aws: AwsDouble, ec2: Any, refusal: Refusal) -> None:
    one = [instance_id("web")]
    scanner = aws.client("ec2", role="arn:aws:iam::111111111111:role/finops-scanner")
    assert refusal(lambda: ec2.stop_instances(InstanceIds=one, DryRun=True)) == "DryRunOperation"
    assert refusal(lambda: scanner.stop_instances(InstanceIds=one, DryRun=True)) == "UnauthorizedOperation"
    assert state(ec2, "web") == "running"
    assert [(call.dry_run, call.result, call.applied) for call in aws.calls] == [
        (True, "DryRunOperation", False),
        (True, "UnauthorizedOperation", False),
    ]


@pytest.mark.parametrize("call", ["stop_instances", "start_instances", "terminate_instances"])
def test_an_unknown_instance_is_not_found(ec2: Any, refusal: Refusal, call: str) -> None:
    action = getattr(ec2, call)
    assert refusal(lambda: action(InstanceIds=["i-0123456789abcdef0"])) == "InvalidInstanceID.NotFound"


def test_pages_follow_each_other_and_cover_everything_once(aws: AwsDouble) -> None:
    ec2 = aws.client("ec2", role="arn:aws:iam::222222222222:role/finops-scanner")
    pages = list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["Reservations"]) for page in pages] == [5, 5, 2]
    ids = [one["Instances"][0]["InstanceId"] for page in pages for one in page["Reservations"]]
    assert len(set(ids)) == 12


@pytest.mark.parametrize(
    ("call", "arguments", "code"),
    [
        ("describe_instances", {"MaxResults": 4}, "InvalidParameterValue"),
        ("describe_instances", {"MaxResults": 1001}, "InvalidParameterValue"),
        ("describe_instances", {"MaxResults": 5, "InstanceIds": [instance_id("web")]}, "InvalidParameterCombination"),
        ("describe_instance_types", {"MaxResults": 101}, "InvalidParameterValue"),
        ("describe_instances", {"NextToken": "nonsense"}, "InvalidParameterValue"),
        ("describe_instance_types", {"InstanceTypes": ["m5.gigantic"]}, "InvalidInstanceType"),
    ],
)
def test_page_sizes_and_ids_have_the_limits_of_aws(
    ec2: Any, refusal: Refusal, call: str, arguments: dict[str, Any], code: str
) -> None:
    assert refusal(lambda: getattr(ec2, call)(**arguments)) == code


def test_types_come_in_pages_of_at_most_a_hundred(ec2: Any) -> None:
    pages = list(ec2.get_paginator("describe_instance_types").paginate())
    assert max(len(page["InstanceTypes"]) for page in pages) == 100
    types = {one["InstanceType"]: one for page in pages for one in page["InstanceTypes"]}
    assert types["t2.large"]["VCpuInfo"]["DefaultVCpus"] == 2
    assert types["m5.large"]["MemoryInfo"]["SizeInMiB"] == 8192


def test_regions_are_those_of_the_account(aws: AwsDouble, ec2: Any, refusal: Refusal) -> None:
    assert [one["RegionName"] for one in ec2.describe_regions()["Regions"]] == ["eu-central-1", "us-east-1"]
    everywhere = {one["RegionName"]: one["OptInStatus"] for one in ec2.describe_regions(AllRegions=True)["Regions"]}
    assert everywhere["eu-west-1"] == "not-opted-in"
    elsewhere = aws.client("ec2", role=OPEN, region="us-east-1")
    assert elsewhere.describe_regions()["Regions"]
    outside = aws.client("ec2", role=OPEN, region="eu-west-1")
    assert refusal(outside.describe_instances) == "AuthFailure"


def test_calls_without_rules_of_ours_reach_moto_in_the_right_account(aws: AwsDouble, ec2: Any) -> None:
    ec2.create_tags(Resources=[instance_id("web")], Tags=[{"Key": "team", "Value": "platform"}])
    assert {"Key": "team", "Value": "platform"} in shown(ec2, "web")["Tags"]
    addresses = {one["AllocationId"]: one.get("InstanceId") for one in ec2.describe_addresses()["Addresses"]}
    assert addresses[resource_id("address", "111111111111", "us-east-1", "used")] == instance_id("managed")
    made = ec2.run_instances(ImageId="ami-1", InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    found = ec2.describe_instances(InstanceIds=[made["InstanceId"]])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "running"
    assert [call.action for call in aws.calls] == ["CreateTags", "RunInstances"]


def test_a_call_that_nobody_implements_is_an_invalid_action(ec2: Any, refusal: Refusal) -> None:
    assert refusal(ec2.describe_fpga_images) == "InvalidAction"
