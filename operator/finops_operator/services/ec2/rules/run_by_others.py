"""Instances that an AWS service runs for its own purpose, and hosts that are billed anyway: their figures size nothing.

A replication server must be as large as its service says however little it does, an environment of Cloud9 stops by
itself, a provisioned product has the sizes of its catalog, and a desktop is billed by WorkSpaces. Other owners change
what they own by the same figures, so that they get advice; see `plugins.ownership`.
Sources: DRS user guide, "Replication servers"; WorkSpaces Core, "Managed Instances" (their operator in
DescribeInstances); EC2 user guide, "Dedicated Hosts" (billing).
"""

from __future__ import annotations

from typing import Any, Final

from finops_operator.plugins.check import Facts
from finops_operator.plugins.ownership import owners
from finops_operator.services.ec2.rules.signs import SIGNS

_SERVICES: Final = frozenset(
    {"AWS Cloud9", "Service Catalog", "Elastic Disaster Recovery", "Application Migration Service"}
)
_DESKTOPS: Final = "workspaces"
_HOST: Final = "host"


def run_by_a_service(facts: Facts[Any]) -> str:
    """Return which service runs an instance that is not judged, empty where it is judged."""
    if facts.own.operator_managed and _DESKTOPS in (facts.own.operator_principal or ""):
        return "WorkSpaces runs it, and bills the desktop"
    found = next((one for one in owners(facts.resource.tags, SIGNS) if one.system in _SERVICES), None)
    return "" if found is None else f"{found.system} runs it, and how busy it is does not say how large it must be"


def stop_saves_nothing(facts: Facts[Any]) -> str:
    """Return why an instance is not judged by how idle it is, empty where it is judged."""
    if facts.own.tenancy == _HOST:
        return "it runs on a dedicated host, which is billed whatever runs on it"
    return run_by_a_service(facts)
