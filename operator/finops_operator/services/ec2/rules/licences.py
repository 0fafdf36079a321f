"""Whether a licence of the account's own depends on the cores of an instance; called by the preflight of a resize.

Licences that AWS includes are billed with the instance and follow it. What people brought along is counted by them:
License Manager names its configurations on the instance, the usage operation names systems that were brought along, and
fewer cores than the type has were set because somebody pays by core. Source: EC2 API reference, DescribeInstances
(`Licenses`, `CpuOptions`, `Placement.HostResourceGroupArn`); EC2 user guide, "AMI billing information fields" and "CPU
options for Amazon EC2 instances".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from finops_operator.plugins.action import Refusal

BROUGHT_LICENCES: Final[Mapping[str, str]] = {
    "RunInstances:0800": "Windows",
    "RunInstances:00g0": "Red Hat Enterprise Linux",
}
"""Usage operations of systems whose licence the account brought along."""
_CODE: Final = "LicenceFollowsCores"


def licence_refusals(
    instance: Mapping[str, Any], current: Mapping[str, Any], _target: Mapping[str, Any]
) -> Iterator[Refusal]:
    """Yield why another number of cores may break a licence."""
    if instance.get("Licenses"):
        yield Refusal(_CODE, "License Manager counts licences for it, which may go by cores: change it there first.")
    system = BROUGHT_LICENCES.get(str(instance.get("UsageOperation", "")))
    if system:
        yield Refusal(_CODE, f"Its licence of {system} is the account's own and may be counted by cores.")
    if instance.get("Placement", {}).get("HostResourceGroupArn"):
        yield Refusal(_CODE, "It is in a host resource group, where License Manager counts the cores of hosts.")
    cores, usual = instance.get("CpuOptions", {}).get("CoreCount"), current.get("VCpuInfo", {}).get("DefaultCores")
    if cores and usual and int(cores) < int(usual):
        yield Refusal(_CODE, f"It uses {cores} of {usual} cores, as for licences by core: another type may use all.")
