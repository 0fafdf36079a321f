"""What forbids stopping an instance; called by the preflights of stop and resize.

Source: Amazon EC2 user guide, "Stop and start Amazon EC2 instances" and "Troubleshoot Amazon EC2 instance stop
issues". A fact that AWS did not give refuses where a wrong guess would lose data or leave an instance stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.protection import controlled, protected, stop_opt_out
from finops_operator.services.ec2.rules.served_targets import served_warnings
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.volume_keys import key_refusals


def part(observation: Observation, name: str) -> Mapping[str, Any]:
    """Return one of AWS's structures, empty when unknown."""
    value = observation.facts.get(name)
    return value if isinstance(value, Mapping) else {}


def tags(observation: Observation) -> Mapping[str, str]:
    """Return the resource's tags."""
    return {key: str(value) for key, value in part(observation, "tags").items()}


def stop_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to stop this instance."""
    if not observation.exists:
        return (Refusal("NotFound", "The instance does not exist any more."),)
    known = tags(observation)
    return (
        *protected(known, facts),
        *stop_opt_out(known),
        *controlled(known, SIGNS),
        *_instance_refusals(part(observation, "instance")),
        *_storage_refusals(observation),
        *_protection_refusals(observation),
        *key_refusals(observation),
    )


def _instance_refusals(instance: Mapping[str, Any]) -> list[Refusal]:
    found: list[Refusal] = []
    if instance.get("RootDeviceType") != "ebs":
        found.append(Refusal("RootNotEbs", "Its root device is not known to be on EBS; it could not be started again."))
    operator = instance.get("Operator") or {}
    if operator.get("Managed"):
        found.append(Refusal("ManagedInstance", f"It is managed by {operator.get('Principal') or 'an AWS service'}."))
    lifecycle = instance.get("InstanceLifecycle")
    if lifecycle:
        found.append(Refusal("NotOnDemand", f"It is a {lifecycle} instance; AWS decides when such instances run."))
    tenancy = instance.get("Placement", {}).get("Tenancy", "default")
    if tenancy == "host" or str(instance.get("InstanceType", "")).startswith("mac"):
        found.append(Refusal("DedicatedHost", "It runs on a dedicated host, which is billed all the same."))
    return found


def _storage_refusals(observation: Observation) -> list[Refusal]:
    supported = part(observation, "type").get("InstanceStorageSupported")
    if supported is None:
        return [Refusal("InstanceStorageUnknown", "AWS did not say whether its type has disks that a stop empties.")]
    return [Refusal("InstanceStorage", "Its local disks lose their data when it stops.")] if supported else []


def _protection_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    protection = observation.facts.get("stopProtection")
    if protection is None:
        found.append(Refusal("StopProtectionUnknown", "AWS did not say whether stop protection is on."))
    elif protection:
        found.append(Refusal("StopProtection", "Stop protection (disableApiStop) is on."))
    events = observation.facts.get("events")
    if events:
        listed = ", ".join(str(event) for event in events) if isinstance(events, (list, tuple)) else str(events)
        found.append(Refusal("ScheduledEvent", f"AWS has scheduled maintenance for it: {listed}."))
    return found


def stop_warnings(observation: Observation) -> tuple[str, ...]:
    """Return what a stop brings with it, for the card."""
    instance = part(observation, "instance")
    found = ["Data in memory is lost."]
    owners = {
        interface.get("Association", {}).get("IpOwnerId", "") for interface in instance.get("NetworkInterfaces", ())
    }
    if instance.get("PublicIpAddress") and owners <= {"", "amazon"}:
        found.append("Its public IPv4 address changes: check DNS records and allow lists.")
    elif instance.get("PublicIpAddress"):
        found.append("Its Elastic IP address stays and is still billed.")
    if instance.get("Placement", {}).get("GroupName"):
        found.append("It is in a placement group: AWS may have no capacity to start it again.")
    found.extend(served_warnings(observation))
    found.append("Who calls it without a load balancer is not known.")
    return tuple(found)
