"""Every reason against an act, one broken fact at a time; an unbroken observation has none."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.action_cases import instance_with, volume_with

from finops.domain.execution import Observation
from finops.errors import InvalidInput
from finops_operator.plugins.action import Action, PolicyFacts
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION as MODIFY
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP

_NOTHING = PolicyFacts()
_TO_SMALL = {"instanceType": "m5.large"}
_GP3 = {"volumeType": "gp3", "iops": 3000, "throughput": 125}


def codes(
    action: Action, observation: Observation, parameters: dict[str, Any], facts: PolicyFacts = _NOTHING
) -> list[str]:
    return [refusal.code for refusal in action.preflight(observation, parameters, facts)]


_STOP_CASES: list[tuple[dict[str, Any], str]] = [
    ({"state": "stopped"}, "NotRunning"),
    ({"tags/finops.dev/protected": "true"}, "Protected"),
    ({"tags/DoNotStop": ""}, "Protected"),
    ({"tags/aws:autoscaling:groupName": "web"}, "OwnedByController"),
    ({"tags/kubernetes.io/cluster/main": "owned"}, "OwnedByController"),
    ({"tags/eks:nodegroup-name": "a"}, "OwnedByController"),
    ({"tags/karpenter.sh/nodepool": "a"}, "OwnedByController"),
    ({"tags/aws:ecs:clusterName": "a"}, "OwnedByController"),
    ({"tags/elasticbeanstalk:environment-name": "a"}, "OwnedByController"),
    ({"instance/RootDeviceType": "instance-store"}, "RootNotEbs"),
    ({"instance/RootDeviceType": ...}, "RootNotEbs"),
    ({"instance/Operator": {"Managed": True, "Principal": "eks.amazonaws.com"}}, "ManagedInstance"),
    ({"instance/InstanceLifecycle": "spot"}, "NotOnDemand"),
    ({"instance/InstanceLifecycle": "scheduled"}, "NotOnDemand"),
    ({"instance/Placement/Tenancy": "host"}, "DedicatedHost"),
    ({"instance/InstanceType": "mac2.metal"}, "DedicatedHost"),
    ({"type/InstanceStorageSupported": True}, "InstanceStorage"),
    ({"type": None}, "InstanceStorageUnknown"),
    ({"stopProtection": True}, "StopProtection"),
    ({"stopProtection": None}, "StopProtectionUnknown"),
    ({"events": ["system-reboot"]}, "ScheduledEvent"),
]

_RESIZE_CASES: list[tuple[dict[str, Any], str]] = [
    *((changes, code) for changes, code in _STOP_CASES if code != "NotRunning"),
    ({"state": "stopping"}, "NotSettled"),
    ({"tags/aws:cloudformation:stack-name": "shop"}, "OwnedByTemplate"),
    ({"tags/terraform": "true"}, "OwnedByTemplate"),
    ({"instanceType": "m5.large"}, "SameType"),
    ({"offered": False}, "TypeNotOffered"),
    ({"offered": None}, "TypeNotOffered"),
    ({"target": None}, "TypeUnknown"),
    ({"instance/Placement/GroupName": "cluster"}, "PlacementGroup"),
    ({"instance/CapacityReservationId": "cr-1"}, "CapacityReservation"),
    ({"instance/ProductCodes": [{"ProductCodeId": "x"}]}, "ProductCodes"),
    ({"instance/Architecture": "arm64"}, "Architecture"),
    ({"instance/Architecture": ...}, "Architecture"),
    ({"instance/VirtualizationType": "paravirtual"}, "Virtualization"),
    ({"target/SupportedRootDeviceTypes": ["instance-store"]}, "RootDevice"),
    ({"target/SupportedBootModes": ["legacy-bios"]}, "BootMode"),
    ({"instance/EnaSupport": False, "type/NetworkInfo/EnaSupport": "unsupported"}, "EnaSupport"),
    ({"instance/EnaSupport": ..., "type/NetworkInfo/EnaSupport": "supported"}, "EnaSupport"),
    ({"instance/EbsOptimized": True, "target/EbsInfo/EbsOptimizedSupport": "unsupported"}, "EbsOptimized"),
    ({"target/EbsInfo/MaximumEbsAttachments": 0}, "Attachments"),
    ({"instance/BlockDeviceMappings": [{}] * 21, "target/EbsInfo/MaximumEbsAttachments": ...}, "Attachments"),
    ({"instance/NetworkInterfaces": [{}] * 4}, "NetworkInterfaces"),
    ({"instance/NetworkInterfaces": [{"PrivateIpAddresses": [{}] * 11}]}, "Addresses"),
    ({"instance/NetworkInterfaces": [{"Ipv6Addresses": [{}] * 11}]}, "Addresses"),
    ({"instance/NetworkInterfaces": [{"InterfaceType": "efa"}]}, "Efa"),
    ({"target/InstanceStorageSupported": True}, "InstanceStorage"),
    ({"instance/HibernationOptions": {"Configured": True}, "target/HibernationSupported": False}, "Hibernation"),
    ({"instance/EnclaveOptions": {"Enabled": True}}, "Enclaves"),
    ({"instance/TpmSupport": "v2.0"}, "NitroTpm"),
]

_MODIFY_CASES: list[tuple[dict[str, Any], str]] = [
    ({"state": "creating"}, "NotUsable"),
    ({"modification": "modifying"}, "ModificationRunning"),
    ({"modification": "optimizing"}, "ModificationRunning"),
    ({"volume/MultiAttachEnabled": True}, "MultiAttach"),
    ({"volume/Operator/Managed": True}, "ManagedVolume"),
    ({"volumeType": "gp3", "iops": "3000", "throughput": "125"}, "SameSettings"),
    ({"tags/aws:cloudformation:stack-name": "shop"}, "OwnedByTemplate"),
    ({"tags/finops.dev/ignore": "true"}, "Protected"),
]

_DELETE_CASES: list[tuple[dict[str, Any], str]] = [
    ({"state": "in-use"}, "NotAvailable"),
    ({"volume/Operator/Managed": True}, "ManagedVolume"),
    ({"tags/kubernetes.io/created-for/pv/name": "pvc-1"}, "OwnedByController"),
    ({"tags/ebs.csi.aws.com/cluster": "true"}, "OwnedByController"),
    ({"tags/CSIVolumeName": "pvc-1"}, "OwnedByController"),
    ({"tags/aws:backup:source-resource": "x"}, "OwnedByController"),
    ({"tags/finops.dev/protected": "TRUE"}, "Protected"),
]


def _dotted(changes: dict[str, Any]) -> dict[str, Any]:
    """Tag keys hold slashes of their own: put them in as a whole dictionary."""
    tags = {path.removeprefix("tags/"): value for path, value in changes.items() if path.startswith("tags/")}
    rest = {path: value for path, value in changes.items() if not path.startswith("tags/")}
    return rest | ({"tags": tags} if tags else {})


@pytest.mark.parametrize(("changes", "code"), _STOP_CASES)
def test_an_instance_is_not_stopped_when(changes: dict[str, Any], code: str) -> None:
    assert codes(STOP, instance_with(_dotted(changes)), {}) == [code]


@pytest.mark.parametrize(("changes", "code"), _RESIZE_CASES)
def test_an_instance_is_not_resized_when(changes: dict[str, Any], code: str) -> None:
    found = codes(RESIZE, instance_with(_dotted(changes)), _TO_SMALL)
    assert code in found
    assert set(found) <= {code, "TypeUnknown"} or code == "DedicatedHost"


@pytest.mark.parametrize(("changes", "code"), _MODIFY_CASES)
def test_a_volume_is_not_modified_when(changes: dict[str, Any], code: str) -> None:
    assert codes(MODIFY, volume_with(_dotted(changes)), _GP3) == [code]


@pytest.mark.parametrize(("changes", "code"), _DELETE_CASES)
def test_a_volume_is_not_deleted_when(changes: dict[str, Any], code: str) -> None:
    assert codes(DELETE, volume_with(_dotted(changes)), {}) == [code]


def test_nothing_speaks_against_the_plain_case() -> None:
    assert codes(STOP, instance_with({}), {}) == []
    assert codes(RESIZE, instance_with({}), _TO_SMALL) == []
    assert codes(RESIZE, instance_with({"state": "stopped"}), _TO_SMALL) == []
    assert codes(MODIFY, volume_with({}), _GP3) == []
    assert codes(MODIFY, volume_with({"state": "in-use"}), _GP3) == []
    assert codes(DELETE, volume_with({}), {}) == []


def test_ena_needs_no_proof_from_an_instance_that_already_runs_on_a_type_that_requires_it() -> None:
    assert codes(RESIZE, instance_with({"instance/EnaSupport": ...}), _TO_SMALL) == []


def test_a_template_may_see_a_stop_and_is_named_on_the_card() -> None:
    observation = instance_with({"tags": {"terraform": "true"}})
    assert codes(STOP, observation, {}) == []
    assert "Terraform will show a drift." in STOP.warnings(observation, {})


@pytest.mark.parametrize("action", [STOP, RESIZE, MODIFY, DELETE])
def test_what_is_gone_is_refused_and_nothing_else_is_said(action: Action) -> None:
    parameters = {**_TO_SMALL, **_GP3}
    assert codes(action, Observation(exists=False), parameters) == ["NotFound"]


@pytest.mark.parametrize(("action", "observe"), [(STOP, instance_with), (DELETE, volume_with)])
def test_tags_that_the_policy_protects_are_refused(action: Action, observe: Any) -> None:
    observation = observe({"tags": {"env": "production"}})
    assert codes(action, observation, {}, PolicyFacts({"env": ("production", "live")})) == ["Protected"]
    assert codes(action, observation, {}, PolicyFacts({"env": ("live",)})) == []


@pytest.mark.parametrize(
    ("iops", "throughput", "expected"),
    [
        (2999, 125, ["IopsOutOfRange"]),
        (80001, 125, ["IopsOutOfRange"]),
        (50001, 125, ["IopsOutOfRange"]),
        (50000, 125, []),
        (3000, 124, ["ThroughputOutOfRange"]),
        (3000, 751, ["ThroughputOutOfRange"]),
        (3000, 750, []),
        (16000, 2001, ["ThroughputOutOfRange"]),
    ],
)
def test_gp3_settings_stay_within_what_aws_takes_for_a_hundred_gibibytes(
    iops: int, throughput: int, expected: list[str]
) -> None:
    parameters = {"volumeType": "gp3", "iops": iops, "throughput": throughput}
    assert codes(MODIFY, volume_with({}), parameters) == expected


@pytest.mark.parametrize(
    ("action", "parameters", "field"),
    [
        (RESIZE, {}, "parameters.instanceType"),
        (RESIZE, {"instanceType": 5}, "parameters.instanceType"),
        (MODIFY, {"volumeType": "io2", "iops": 3000, "throughput": 125}, "parameters.volumeType"),
        (MODIFY, {"volumeType": "gp3", "throughput": 125}, "parameters.iops"),
        (MODIFY, {"volumeType": "gp3", "iops": 3000, "throughput": "125"}, "parameters.throughput"),
        (MODIFY, {"volumeType": "gp3", "iops": True, "throughput": 125}, "parameters.iops"),
    ],
)
def test_a_wrong_parameter_is_named(action: Action, parameters: dict[str, Any], field: str) -> None:
    observation = volume_with({}) if action is MODIFY else instance_with({})
    with pytest.raises(InvalidInput) as caught:
        action.preflight(observation, parameters, _NOTHING)
    assert caught.value.field == field
