"""Observations that nothing speaks against, and how to make one thing wrong about them."""

from __future__ import annotations

import copy
from typing import Any

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef

INSTANCE = ResourceRef(
    "ec2-instance",
    "i-1",
    "arn:aws:ec2:us-east-1:111111111111:instance/i-1",
    "111111111111",
    "us-east-1",
)
VOLUME = ResourceRef(
    "ebs-volume", "vol-1", "arn:aws:ec2:us-east-1:111111111111:volume/vol-1", "111111111111", "us-east-1"
)

_NITRO: dict[str, Any] = {
    "InstanceStorageSupported": False,
    "VCpuInfo": {"DefaultVCpus": 4, "DefaultCores": 2},
    "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
    "SupportedVirtualizationTypes": ["hvm"],
    "SupportedRootDeviceTypes": ["ebs"],
    "SupportedBootModes": ["legacy-bios", "uefi"],
    "NetworkInfo": {
        "EnaSupport": "required",
        "MaximumNetworkInterfaces": 3,
        "Ipv4AddressesPerInterface": 10,
        "Ipv6AddressesPerInterface": 10,
        "EfaSupported": False,
    },
    "EbsInfo": {"EbsOptimizedSupport": "default", "MaximumEbsAttachments": 28},
    "HibernationSupported": True,
    "NitroEnclavesSupport": "unsupported",
    "NitroTpmSupport": "unsupported",
}

_FACTS: dict[str, Any] = {
    "state": "running",
    "instanceType": "m5.xlarge",
    "launchTime": "t0",
    "tags": {"team": "web"},
    "checks": "ok",
    "events": [],
    "stopProtection": False,
    "offered": True,
    "keyStates": {},
    "serves": {"places": [], "unasked": 0, "denied": ""},
    "quota": {"code": "L-1216C47A", "name": "Running On-Demand Standard", "limit": 64, "used": 8, "denied": ""},
    "type": _NITRO,
    "target": copy.deepcopy(_NITRO),
    "instance": {
        "InstanceId": "i-1",
        "InstanceType": "m5.xlarge",
        "RootDeviceType": "ebs",
        "Architecture": "x86_64",
        "VirtualizationType": "hvm",
        "BootMode": "uefi",
        "EnaSupport": True,
        "Placement": {"AvailabilityZone": "us-east-1a", "Tenancy": "default", "GroupName": ""},
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}],
        "NetworkInterfaces": [{"InterfaceType": "interface", "PrivateIpAddresses": [{}], "Ipv6Addresses": []}],
    },
}

_VOLUME_FACTS: dict[str, Any] = {
    "state": "available",
    "volumeType": "gp2",
    "sizeGiB": "100",
    "iops": "300",
    "throughput": "",
    "tags": {"team": "data"},
    "volume": {"Operator": {"Managed": False}, "MultiAttachEnabled": False, "attached": False},
    "modification": "",
    "modificationTarget": "//",
    "snapshot": "",
}


def _with(facts: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Change facts by dotted path; the value `...` removes."""
    changed = copy.deepcopy(facts)
    for path, value in changes.items():
        *parents, last = path.split("/")
        place = changed
        for parent in parents:
            place = place[parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return changed


def instance(**changes: Any) -> Observation:
    return Observation(True, {"state": "running"}, _with(_FACTS, changes))


def instance_with(changes: dict[str, Any]) -> Observation:
    return Observation(True, {"state": "running"}, _with(_FACTS, changes))


def volume_with(changes: dict[str, Any]) -> Observation:
    return Observation(True, {"state": "available"}, _with(_VOLUME_FACTS, changes))
