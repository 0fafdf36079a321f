"""A synthetic fleet: pages of instances and volumes made from their number, without moto, for benchmarks.

Moto takes seconds for a few thousand instances; the answers here have the same shape and cost microseconds each. The
describe handlers and the metric catalogue ask a fleet in place of moto for its account and region.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws.errors import AwsError

_TYPES = ("m5.large", "m5.xlarge", "t3.large", "c5.xlarge", "r5.large", "m5.2xlarge", "t3.medium", "c5.2xlarge")
_CPU = ("steady", "idle", "low", "steady", "nightly_peak", "low", "idle", "busy", "weekly", "steady")
_NETWORK = ("normal", "quiet", "normal", "normal", "normal", "normal", "quiet", "heavy", "normal", "normal")
_ZONES = "abc"
_INSTANCE_PREFIX, _VOLUME_PREFIX = "i-0f1ee7", "vol-0f1ee7"


@dataclass(frozen=True, slots=True)
class FleetMember:
    """What the metric catalogue must know of one instance."""

    instance_id: str
    instance_type: str
    cpu: str
    network: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """``instance_count`` instances with one root volume each, and further detached volumes up to ``volume_count``."""

    account: str
    region: str
    instance_count: int
    volume_count: int
    launched: datetime

    def member(self, instance_id: str) -> FleetMember | None:
        number = _number(_INSTANCE_PREFIX, instance_id)
        if number is None or number >= self.instance_count:
            return None
        place = number % len(_CPU)
        return FleetMember(instance_id, _TYPES[number % len(_TYPES)], _CPU[place], _NETWORK[place])

    def volume_of(self, volume_id: str) -> str | None:
        """The shape of a volume's operations; nothing for a detached or unknown one."""
        number = _number(_VOLUME_PREFIX, volume_id)
        return "ops_busy" if number is not None and number < self.instance_count else None

    def instances(self, start: int, size: int | None, ids: Sequence[str]) -> list[dict[str, Any]]:
        """One page, or the instances named.

        Raises:
            AwsError: InvalidInstanceID.NotFound.
        """
        return [
            self._instance(number) for number in self._numbers(_INSTANCE_PREFIX, self.instance_count, start, size, ids)
        ]

    def volumes(self, start: int, size: int | None, ids: Sequence[str]) -> list[dict[str, Any]]:
        """One page, or the volumes named.

        Raises:
            AwsError: InvalidVolume.NotFound.
        """
        return [self._volume(number) for number in self._numbers(_VOLUME_PREFIX, self.volume_count, start, size, ids)]

    def _numbers(self, prefix: str, total: int, start: int, size: int | None, ids: Sequence[str]) -> Sequence[int]:
        if not ids:
            return range(start, total if size is None else min(total, start + size))
        numbers = []
        for one in ids:
            number = _number(prefix, one)
            if number is None or number >= total:
                code = "InvalidInstanceID.NotFound" if prefix == _INSTANCE_PREFIX else "InvalidVolume.NotFound"
                raise AwsError(code, f"The ID '{one}' does not exist")
            numbers.append(number)
        return numbers

    def _zone(self, number: int) -> str:
        return self.region + _ZONES[number % len(_ZONES)]

    def _instance(self, number: int) -> dict[str, Any]:
        instance_id = f"{_INSTANCE_PREFIX}{number:011x}"
        attached = self.launched + timedelta(seconds=5)
        return {
            "InstanceId": instance_id,
            "ImageId": "ami-0f1ee70000000000a",
            "State": {"Code": 16, "Name": "running"},
            "StateTransitionReason": "",
            "InstanceType": _TYPES[number % len(_TYPES)],
            "LaunchTime": self.launched,
            "Placement": {"AvailabilityZone": self._zone(number), "GroupName": "", "Tenancy": "default"},
            "Monitoring": {"State": "disabled"},
            "PrivateDnsName": f"ip-10-{number >> 16}-{number >> 8 & 255}-{number & 255}.ec2.internal",
            "PrivateIpAddress": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            "SubnetId": "subnet-0f1ee7000000000aa",
            "VpcId": "vpc-0f1ee7000000000aa",
            "Architecture": "x86_64",
            "VirtualizationType": "hvm",
            "Hypervisor": "xen",
            "RootDeviceType": "ebs",
            "RootDeviceName": "/dev/sda1",
            "BlockDeviceMappings": [
                {
                    "DeviceName": "/dev/sda1",
                    "Ebs": {
                        "VolumeId": f"{_VOLUME_PREFIX}{number:011x}",
                        "Status": "attached",
                        "DeleteOnTermination": True,
                        "AttachTime": attached,
                    },
                }
            ],
            "EbsOptimized": False,
            "EnaSupport": True,
            "PlatformDetails": "Linux/UNIX",
            "UsageOperation": "RunInstances",
            "UsageOperationUpdateTime": self.launched,
            "HibernationOptions": {"Configured": False},
            "SecurityGroups": [{"GroupId": "sg-0f1ee7000000000aa", "GroupName": "default"}],
            "NetworkInterfaces": [
                {"NetworkInterfaceId": f"eni-0f1ee7{number:011x}", "Status": "in-use", "InterfaceType": "interface"}
            ],
            "Tags": [
                {"Key": "Name", "Value": f"fleet-{number:05d}"},
                {"Key": "team", "Value": f"team-{number % 20}"},
                {"Key": "env", "Value": "production" if number % 3 else "test"},
            ],
            "Operator": {"Managed": False},
        }

    def _volume(self, number: int) -> dict[str, Any]:
        volume_id = f"{_VOLUME_PREFIX}{number:011x}"
        attachments = []
        if number < self.instance_count:
            attachments.append(
                {
                    "VolumeId": volume_id,
                    "InstanceId": f"{_INSTANCE_PREFIX}{number:011x}",
                    "Device": "/dev/sda1",
                    "State": "attached",
                    "AttachTime": self.launched + timedelta(seconds=5),
                    "DeleteOnTermination": True,
                }
            )
        kind = "gp3" if number % 2 else "gp2"
        return {
            "VolumeId": volume_id,
            "Size": 40 + number % 5 * 20,
            "VolumeType": kind,
            "Iops": 3000 if kind == "gp3" else max(100, 3 * (40 + number % 5 * 20)),
            "Throughput": 125 if kind == "gp3" else None,
            "State": "in-use" if attachments else "available",
            "AvailabilityZone": self._zone(number),
            "CreateTime": self.launched,
            "SnapshotId": "",
            "Encrypted": False,
            "MultiAttachEnabled": False,
            "Attachments": attachments,
            "Tags": [{"Key": "team", "Value": f"team-{number % 20}"}],
            "Operator": {"Managed": False},
        }


def _number(prefix: str, resource_id: str) -> int | None:
    if not resource_id.startswith(prefix):
        return None
    try:
        return int(resource_id.removeprefix(prefix), 16)
    except ValueError:
        return None
