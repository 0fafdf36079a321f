"""What forbids giving an instance another type, and what it brings with it; called by ec2_instance_resize.

Source: Amazon EC2 user guide, "Compatibility for changing the instance type" and "Change the instance type"; fields of
DescribeInstanceTypes. Every rule that cannot be answered from AWS's own words refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.protection import described_by_template
from finops_operator.services.ec2.rules.licences import licence_refusals
from finops_operator.services.ec2.rules.served_targets import unknown_targets
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.stop_refusals import part, stop_refusals, tags
from finops_operator.services.ec2.rules.vcpu_quota import quota_code, quota_refusals, vcpus

_UNKNOWN_ATTACHMENT_LIMIT: Final = 20
"""Assumed where AWS gives no maximum of EBS attachments: below the 28 that Nitro shares with network interfaces."""


def resize_refusals(observation: Observation, target_type: str, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to resize this instance to `target_type`."""
    refusals = list(stop_refusals(observation, facts))
    if not observation.exists:
        return tuple(refusals)
    refusals.extend(described_by_template(tags(observation), SIGNS))
    instance, current, target = part(observation, "instance"), part(observation, "type"), part(observation, "target")
    if observation.text("instanceType") == target_type:
        refusals.append(Refusal("SameType", f"It already is a {target_type}."))
    if observation.facts.get("offered") is not True:
        zone = instance.get("Placement", {}).get("AvailabilityZone", "its zone")
        refusals.append(Refusal("TypeNotOffered", f"{target_type} is not offered in {zone}."))
    refusals.extend(_placement(instance))
    refusals.extend(_room(observation, target_type))
    if observation.text("state") == "running":
        refusals.extend(unknown_targets(observation))
    if not target or not current:
        refusals.append(Refusal("TypeUnknown", f"AWS did not describe its type and {target_type}; nothing is known."))
        return tuple(refusals)
    for rule in _RULES:
        refusals.extend(rule(instance, current, target))
    return tuple(refusals)


def resize_warnings(observation: Observation) -> tuple[str, ...]:
    """Return what the change of type brings with it and AWS does not know, for the card."""
    if not _nitro(part(observation, "target")) or _nitro(part(observation, "type")):
        return ()
    needs = "The new type runs on Nitro, the current one is not known to: without NVMe drivers it does not start"
    return (f"{needs}, and its disks get other names (/dev/nvme…): check /etc/fstab and scripts.",)


def _room(observation: Observation, target_type: str) -> tuple[Refusal, ...]:
    """Return why the vCPU quota of the target has no room; what the instance itself uses of it is given back first."""
    instance, runs = part(observation, "instance"), observation.text("state") == "running"
    same_quota = quota_code(observation.text("instanceType")) == quota_code(target_type)
    own = vcpus(part(observation, "type"), instance.get("CpuOptions")) if runs and same_quota else 0
    return quota_refusals(observation, own or 0, vcpus(part(observation, "target")), starts=runs)


def _nitro(kind: Mapping[str, Any]) -> bool:
    # Bare metal has no hypervisor but the same devices. Without a word on either, a type that requires ENA has them.
    hypervisor = kind.get("Hypervisor")
    return bool(hypervisor == "nitro" or kind.get("BareMetal") or (hypervisor is None and _requires_ena(kind)))


def _requires_ena(kind: Mapping[str, Any]) -> bool:
    return bool(kind.get("NetworkInfo", {}).get("EnaSupport") == "required")


def _placement(instance: Mapping[str, Any]) -> Iterator[Refusal]:
    if instance.get("Placement", {}).get("GroupName"):
        yield Refusal("PlacementGroup", "It is in a placement group, where a new type may not find capacity.")
    if instance.get("CapacityReservationId"):
        yield Refusal("CapacityReservation", "It runs in a capacity reservation of its present type.")
    if instance.get("ProductCodes"):
        yield Refusal("ProductCodes", "Its image comes from the Marketplace, whose terms may fix the type.")


def _hardware(instance: Mapping[str, Any], _current: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Refusal]:
    architecture = instance.get("Architecture")
    if architecture not in target.get("ProcessorInfo", {}).get("SupportedArchitectures", ()):
        yield Refusal("Architecture", f"The target does not run {architecture or 'an unknown'} architecture.")
    virtualization = instance.get("VirtualizationType")
    if virtualization not in target.get("SupportedVirtualizationTypes", ()):
        yield Refusal("Virtualization", f"The target does not support {virtualization or 'unknown'} virtualization.")
    if "ebs" not in target.get("SupportedRootDeviceTypes", ()):
        yield Refusal("RootDevice", "The target does not start from an EBS root device.")
    boot = instance.get("CurrentInstanceBootMode") or instance.get("BootMode")
    modes = target.get("SupportedBootModes")
    if boot in {"uefi", "legacy-bios"} and modes is not None and boot not in modes:
        yield Refusal("BootMode", f"The target does not boot in {boot} mode.")


def _drivers(instance: Mapping[str, Any], current: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Refusal]:
    # An instance that already runs on a type that requires a driver has it; otherwise only EnaSupport can show it.
    if _requires_ena(target) and not _requires_ena(current) and instance.get("EnaSupport") is not True:
        yield Refusal(
            "EnaSupport", "The target needs the ENA network driver, and AWS does not say the instance has it."
        )
    if target.get("EbsInfo", {}).get("EbsOptimizedSupport") == "unsupported" and instance.get("EbsOptimized"):
        yield Refusal("EbsOptimized", "The instance is EBS-optimized and the target cannot be.")


def _attachments(instance: Mapping[str, Any], _now: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Refusal]:
    volumes = len(instance.get("BlockDeviceMappings", ()))
    limit = target.get("EbsInfo", {}).get("MaximumEbsAttachments", _UNKNOWN_ATTACHMENT_LIMIT)
    if volumes > int(limit):
        yield Refusal("Attachments", f"It has {volumes} volumes, the target takes {limit}.")
    interfaces = list(instance.get("NetworkInterfaces", ()))
    network = target.get("NetworkInfo", {})
    if len(interfaces) > int(network.get("MaximumNetworkInterfaces", 1)):
        yield Refusal("NetworkInterfaces", f"It has {len(interfaces)} network interfaces, more than the target takes.")
    for name, maximum in (
        ("PrivateIpAddresses", "Ipv4AddressesPerInterface"),
        ("Ipv6Addresses", "Ipv6AddressesPerInterface"),
    ):
        most = max((len(interface.get(name, ())) for interface in interfaces), default=0)
        if most > int(network.get(maximum, 1)):
            yield Refusal("Addresses", f"A network interface has {most} addresses, more than the target takes.")
    if any(interface.get("InterfaceType") == "efa" for interface in interfaces) and not network.get("EfaSupported"):
        yield Refusal("Efa", "It uses an Elastic Fabric Adapter, which the target does not have.")


def _features(instance: Mapping[str, Any], current: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Refusal]:
    if target.get("InstanceStorageSupported") or current.get("InstanceStorageSupported"):
        yield Refusal("InstanceStorage", "One of the two types has local disks, whose number would change.")
    if instance.get("HibernationOptions", {}).get("Configured") and not target.get("HibernationSupported"):
        yield Refusal("Hibernation", "It is configured for hibernation, which the target does not support.")
    if instance.get("EnclaveOptions", {}).get("Enabled") and target.get("NitroEnclavesSupport") != "supported":
        yield Refusal("Enclaves", "It uses Nitro Enclaves, which the target does not support.")
    if instance.get("TpmSupport") and target.get("NitroTpmSupport") != "supported":
        yield Refusal("NitroTpm", "It uses NitroTPM, which the target does not support.")
    if instance.get("Placement", {}).get("Tenancy") == "dedicated" and not target.get("DedicatedHostsSupported", True):
        yield Refusal("Tenancy", "The target does not run with dedicated tenancy.")


_RULES: Final[tuple[Callable[[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]], Iterator[Refusal]], ...]] = (
    _hardware,
    _drivers,
    _attachments,
    _features,
    licence_refusals,
)
