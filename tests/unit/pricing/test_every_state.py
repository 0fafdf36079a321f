"""No state makes a resource cost nothing unless its kind says so: a word that nobody knows is unknown, never 0.00."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, Final

import botocore.session
import pytest
from tests.unit.pricing.test_every_billed_part import resources

from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.price import Cost
from finops.domain.resource import Resource
from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import cost_of

KINDS: Final = load_kinds()
NEVER_BILLED: Final = {"ami": "AWS bills the snapshots of an image, each a resource of its own"}
STRANGE: Final = ("", "a-word-of-tomorrow", "MAINTENANCE 2")
WORDS_OF_AWS: Final = {
    "dynamodb-table": ("dynamodb", "TableStatus"),
    "ebs-volume": ("ec2", "VolumeState"),
    "ec2-instance": ("ec2", "InstanceStateName"),
    "efs-file-system": ("efs", "LifeCycleState"),
    "eks-cluster": ("eks", "ClusterStatus"),
    "fsx-file-system": ("fsx", "FileSystemLifecycle"),
    "kinesis-stream": ("kinesis", "StreamStatus"),
    "kms-key": ("kms", "KeyState"),
    "load-balancer": ("elbv2", "LoadBalancerStateEnum"),
    "msk-cluster": ("kafka", "ClusterState"),
    "nat-gateway": ("ec2", "NatGatewayState"),
    "sagemaker-endpoint": ("sagemaker", "EndpointStatus"),
    "sagemaker-notebook": ("sagemaker", "NotebookInstanceStatus"),
    "transit-gateway-attachment": ("ec2", "TransitGatewayAttachmentState"),
    "vpn-connection": ("ec2", "VpnState"),
    "workspaces-workspace": ("workspaces", "WorkspaceState"),
}
"""Kind → service and shape of its states in AWS's model; of all others AWS has no list, or the words are ours."""
BILLED: Final = tuple(
    kind
    for kind in KINDS.values()
    if kind.id not in NEVER_BILLED and (kind.members is None or kind.members.billed_itself)
)


def cost(kind: ResourceKind[Any], resource: Resource) -> Cost:
    return cost_of(resource, kind.billed_parts, SOURCE.lookup, DEFAULT_HOURS_PER_MONTH)


def words(kind: ResourceKind[Any]) -> set[str]:
    known = kind.states
    found = {*STRANGE, *known.running, *known.stopped, *known.billed}
    if kind.id in WORDS_OF_AWS:
        service, shape = WORDS_OF_AWS[kind.id]
        model = botocore.session.get_session().get_service_model(service)
        said = [str(one) for one in getattr(model.shape_for(shape), "enum", ())]
        assert len(said) > 1
        # Kinds keep AWS's word as it is, or in small letters.
        found |= {one.lower() for one in said}
    return found - known.free - {one.lower() for one in known.free}


def of(kind: ResourceKind[Any], state: str) -> Resource:
    return Resource(kind.id, kind.sample.id, kind.sample.arn, "", "111111111111", "us-east-1", state)


@pytest.mark.parametrize("kind", BILLED, ids=lambda kind: kind.id)
def test_a_state_that_a_kind_does_not_call_free_never_costs_nothing(kind: ResourceKind[Any]) -> None:
    assert [one for one in words(kind) if cost(kind, of(kind, one)).monthly == 0] == []


@pytest.mark.parametrize("kind", BILLED, ids=lambda kind: kind.id)
def test_what_costs_something_while_it_works_costs_something_or_is_unknown_in_a_strange_state(
    kind: ResourceKind[Any],
) -> None:
    """With all sorts of facts, so that no fact hides what a state is billed for."""
    chance = random.Random(kind.id)
    for resource in resources(kind):
        if cost(kind, resource).monthly == 0:
            continue  # Free by its facts, such as tasks on machines that are billed themselves.
        strange = chance.choice(STRANGE)
        other = replace(resource, state=strange)
        assert cost(kind, other).monthly != 0, (strange, resource.attributes)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_nothing_works_in_a_state_that_is_free(kind: ResourceKind[Any]) -> None:
    assert not kind.states.free & kind.states.running
    assert not set(STRANGE) & kind.states.free
