"""What EC2 says about instances, types and regions: everything the SDK shows, with what moto leaves out.

Reads moto's instances and the estate's facts; a synthetic fleet answers in place of moto where there is one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.clock import aware_utc
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.paging import window

_ACTIVE = {"running"}


def filters(parameters: Mapping[str, Any]) -> dict[str, list[str]]:
    """Filters as moto wants them."""
    return {str(item["Name"]): list(item.get("Values") or []) for item in parameters.get("Filters") or []}


def refuse_filters(call: Call, known: set[str]) -> None:
    """A synthetic fleet filters by next to nothing, and says so instead of answering wrongly.

    Raises:
        AwsError: InvalidParameterValue for any other filter.
    """
    unknown = set(filters(call.parameters)) - known
    if unknown:
        raise AwsError("InvalidParameterValue", f"a synthetic fleet has no filter {', '.join(sorted(unknown))}")


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the order in which they were given."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def describe_instances(call: Call) -> Mapping[str, Any]:
    """One reservation per instance; a terminated one stays for an hour."""
    ids = call.parameters.get("InstanceIds") or []
    page = window("DescribeInstances", call.parameters, ids, "instancesSet")
    fleet = call.estate.fleets.get((call.account, call.region))
    if fleet is not None:
        refuse_filters(call, {"instance-state-name"})
        if "running" not in filters(call.parameters).get("instance-state-name", ["running"]):
            return {"Reservations": []}
        chosen = fleet.instances(page.start, page.size, ids)
        reservations = [_reservation(call.account, one["InstanceId"], one) for one in chosen]
        return {"Reservations": reservations, "NextToken": page.token(fleet.instance_count)}
    for one in ids:
        call.estate.instance(call.account, call.region, one)
    if ids:
        found = call.backend.get_reservations_by_instance_ids(ids, filters=filters(call.parameters))
    else:
        found = call.backend.describe_instances(filters=filters(call.parameters))
    instances = [instance for reservation in found for instance in reservation.instances]
    shown = [
        _reservation(call.account, instance.id, render_instance(call, instance)) for instance in page.cut(instances)
    ]
    return {"Reservations": shown, "NextToken": page.token(len(instances))}


def _reservation(account: str, instance_id: str, instance: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ReservationId": "r-" + instance_id.removeprefix("i-"),
        "OwnerId": account,
        "Groups": [],
        "Instances": [instance],
    }


def render_instance(call: Call, instance: Any) -> dict[str, Any]:
    """One instance as boto3 shows it."""
    facts = call.estate.instance_facts(instance)
    running = instance.state == "running"
    interfaces = _interfaces(call, instance)
    association = interfaces[0].get("Association", {}) if interfaces else {}
    shown: dict[str, Any] = {
        "InstanceId": instance.id,
        "ImageId": instance.image_id,
        "State": {"Code": instance.state_code, "Name": instance.state},
        "StateTransitionReason": instance.state_transition_reason or "",
        "InstanceType": instance.instance_type,
        "LaunchTime": aware_utc(instance.launch_time),
        "Placement": {
            "AvailabilityZone": instance.availability_zone,
            "GroupName": "",
            "Tenancy": instance.placement.tenancy,
        },
        "Monitoring": {"State": instance.monitoring_state},
        "PrivateDnsName": instance.private_dns_name,
        "PrivateIpAddress": instance.private_ip,
        "PublicDnsName": association.get("PublicDnsName", ""),
        "PublicIpAddress": association.get("PublicIp"),
        "SubnetId": instance.subnet_id,
        "VpcId": instance.vpc_id,
        "AmiLaunchIndex": 0,
        "Architecture": instance.architecture,
        "VirtualizationType": instance.virtualization_type,
        "Hypervisor": "xen",
        "RootDeviceType": instance.root_device_type,
        "RootDeviceName": instance.root_device_name,
        "BlockDeviceMappings": [_block(name, block) for name, block in instance.get_block_device_mapping],
        "EbsOptimized": bool(instance.ebs_optimized),
        "EnaSupport": facts.platform.ena_support,
        "Platform": "windows" if facts.platform.details.startswith("Windows") else None,
        "PlatformDetails": facts.platform.details,
        "UsageOperation": facts.platform.usage_operation,
        "UsageOperationUpdateTime": facts.created,
        "HibernationOptions": {"Configured": False},
        "CapacityReservationId": call.estate.further.commitments.inside.get(instance.id) if running else None,
        "SecurityGroups": _groups(instance),
        "NetworkInterfaces": interfaces,
        "Tags": tag_list(call.estate.tags(call.account, call.region, instance.id)),
        "Operator": {"Managed": bool(facts.managed_by), "Principal": facts.managed_by or None},
    }
    if instance.lifecycle:
        shown["InstanceLifecycle"] = instance.lifecycle
    if not running and instance.state_reason.code:
        shown["StateReason"] = {"Code": instance.state_reason.code, "Message": instance.state_reason.message}
    return shown


def _groups(instance: Any) -> list[dict[str, str]]:
    return [{"GroupId": group.id, "GroupName": group.name} for group in instance.security_groups]


def _interfaces(call: Call, instance: Any) -> list[dict[str, Any]]:
    """Network interfaces in the order of their device index.

    Who owns a public address shows its kind: `amazon` that of an automatic one, which a stop gives back, the account
    that of an Elastic IP, which stays.
    """
    elastic = {address.eni.id: address.public_ip for address in call.backend.addresses if address.eni is not None}
    shown = []
    for index, interface in sorted(instance.nics.items()):
        automatic = interface.public_ip if instance.state == "running" else None
        public_ip = elastic.get(interface.id) or automatic
        owner = call.account if interface.id in elastic else "amazon"
        association = {"Association": _association(call.region, public_ip, owner)} if public_ip else {}
        private = {"PrivateIpAddress": interface.private_ip_address, "PrivateDnsName": instance.private_dns_name}
        shown.append(
            {
                "NetworkInterfaceId": interface.id,
                "OwnerId": call.account,
                "Status": "in-use",
                "InterfaceType": "interface",
                "MacAddress": interface.mac_address,
                "SourceDestCheck": True,
                "SubnetId": interface.subnet.id,
                "VpcId": interface.subnet.vpc_id,
                "Groups": _groups(instance),
                "Ipv6Addresses": [],
                "PrivateIpAddresses": [{"Primary": True, **private, **association}],
                "Attachment": {
                    "AttachmentId": interface.attachment_id,
                    "DeviceIndex": index,
                    "DeleteOnTermination": True,
                    "NetworkCardIndex": 0,
                    "Status": "attached",
                },
                **private,
                **association,
            }
        )
    return shown


def _association(region: str, public_ip: str, owner: str) -> dict[str, str]:
    zone = "compute-1" if region == "us-east-1" else f"{region}.compute"
    name = f"ec2-{public_ip.replace('.', '-')}.{zone}.amazonaws.com"
    return {"IpOwnerId": owner, "PublicIp": public_ip, "PublicDnsName": name}


def _block(name: str, block: Any) -> dict[str, Any]:
    return {
        "DeviceName": name,
        "Ebs": {
            "VolumeId": block.volume_id,
            "Status": "attached",
            "DeleteOnTermination": bool(block.delete_on_termination),
            "AttachTime": aware_utc(block.attach_time) if isinstance(block.attach_time, datetime) else None,
        },
    }


def describe_instance_status(call: Call) -> Mapping[str, Any]:
    """Running instances only, unless all are asked for; checks are initializing for a while after a start."""
    ids = call.parameters.get("InstanceIds") or []
    page = window("DescribeInstanceStatus", call.parameters, ids, "instancesSet")
    everything = bool(call.parameters.get("IncludeAllInstances"))
    if ids:
        instances = [call.estate.instance(call.account, call.region, one) for one in ids]
    else:
        instances = [one for item in call.backend.describe_instances() for one in item.instances]
    wanted = filters(call.parameters).get("instance-state-name")
    chosen = [
        one for one in instances if (everything or one.state in _ACTIVE) and (wanted is None or one.state in wanted)
    ]
    shown = [_status(call, one) for one in page.cut(chosen)]
    return {"InstanceStatuses": shown, "NextToken": page.token(len(chosen))}


def _status(call: Call, instance: Any) -> dict[str, Any]:
    facts = call.estate.instance_facts(instance)
    summary: dict[str, Any] = {"Status": "not-applicable"}
    if instance.state == "running":
        initializing = facts.status_ok_at is not None and call.estate.clock.now() < facts.status_ok_at
        status, detail = ("initializing", "initializing") if initializing else ("ok", "passed")
        summary = {"Status": status, "Details": [{"Name": "reachability", "Status": detail}]}
    return {
        "InstanceId": instance.id,
        "AvailabilityZone": instance.availability_zone,
        "InstanceState": {"Code": instance.state_code, "Name": instance.state},
        "InstanceStatus": summary,
        "SystemStatus": summary,
        "Events": [],
    }


def describe_instance_types(call: Call) -> Mapping[str, Any]:
    """The types that the region offers, at most 100 a page."""
    names = call.parameters.get("InstanceTypes") or []
    page = window("DescribeInstanceTypes", call.parameters, names, "instanceTypes")
    offered = {item["InstanceType"] for item in call.backend.describe_instance_type_offerings("region", {})}
    unknown = [name for name in names if name not in offered]
    if unknown:
        message = f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
        raise AwsError("InvalidInstanceType", message)
    matches = call.backend.describe_instance_types(names, filters(call.parameters))
    types = [dict(item) for item in matches if item["InstanceType"] in offered]
    return {"InstanceTypes": page.cut(types), "NextToken": page.token(len(types))}


def describe_instance_type_offerings(call: Call) -> Mapping[str, Any]:
    """Which types are offered where; by region unless a zone is asked for."""
    page = window("DescribeInstanceTypeOfferings", call.parameters)
    kind = str(call.parameters.get("LocationType") or "region")
    offerings = call.backend.describe_instance_type_offerings(kind, filters(call.parameters))
    return {"InstanceTypeOfferings": page.cut(offerings), "NextToken": page.token(len(offerings))}


def describe_credit_specifications(call: Call) -> Mapping[str, Any]:
    """Credit modes as new accounts have them: T2 standard, all others unlimited; without ids only the latter."""
    ids = call.parameters.get("InstanceIds") or []
    page = window("DescribeInstanceCreditSpecifications", call.parameters, ids, "instanceIds")
    fleet = call.estate.fleets.get((call.account, call.region))
    if fleet is not None:
        raise AwsError("InvalidParameterValue", "a synthetic fleet has no credit modes")
    modes = {
        one.id: "standard" if one.instance_type.startswith("t2.") else "unlimited"
        for reservation in call.backend.describe_instances()
        for one in reservation.instances
        if one.instance_type.startswith(("t2.", "t3.", "t3a.", "t4g."))
    }
    wanted = ids or [one for one, mode in modes.items() if mode == "unlimited"]
    listed = [{"InstanceId": one, "CpuCredits": modes[one]} for one in wanted if one in modes]
    return {"InstanceCreditSpecifications": page.cut(listed), "NextToken": page.token(len(listed))}


def describe_regions(call: Call) -> Mapping[str, Any]:
    """Regions enabled for the account; with AllRegions also the others, as not-opted-in."""
    names = call.parameters.get("RegionNames") or []
    known = {region.name for region in call.backend.describe_regions()}
    for name in names:
        if name not in known:
            raise AwsError("InvalidParameterValue", f"Invalid region provided: {name}")
    shown = []
    for name in sorted(known):
        enabled = call.estate.is_enabled(call.account, name)
        if (names and name not in names) or not (enabled or call.parameters.get("AllRegions")):
            continue
        status = "opt-in-not-required" if enabled else "not-opted-in"
        shown.append({"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": status})
    return {"Regions": shown}


HANDLERS: dict[str, Handler] = {
    "DescribeInstances": describe_instances,
    "DescribeInstanceStatus": describe_instance_status,
    "DescribeInstanceTypes": describe_instance_types,
    "DescribeInstanceTypeOfferings": describe_instance_type_offerings,
    "DescribeInstanceCreditSpecifications": describe_credit_specifications,
    "DescribeRegions": describe_regions,
}
