"""The acts that the tests of this folder walk: action, resource, parameters, and what AWS must have been changed by."""

from __future__ import annotations

from typing import Any

from tests.integration.act.act_world import ACCOUNT, REGION, reference

from finops.domain.recommendation import ResourceRef
from finops_sandbox.aws.estate import resource_id


def find(name: str) -> ResourceRef:
    """Return the estate's resource of a name."""
    kind = "volume" if name == "old-data" else "instance"
    word = "ebs-volume" if kind == "volume" else "ec2-instance"
    return reference(word, resource_id(kind, ACCOUNT, REGION, name))


CASES: dict[str, tuple[str, dict[str, Any], dict[str, int]]] = {
    "ec2_instance_stop": ("web", {}, {"StopInstances": 1}),
    "ec2_instance_resize": (
        "web",
        {"instanceType": "m5.large"},
        {"StopInstances": 1, "ModifyInstanceAttribute": 1, "StartInstances": 1},
    ),
    "ebs_volume_modify": (
        "old-data",
        {"volumeType": "gp3", "iops": 3000, "throughput": 125},
        {"ModifyVolume": 1},
    ),
    "ebs_volume_delete": ("old-data", {}, {"CreateSnapshot": 2, "DeleteVolume": 1}),
}
