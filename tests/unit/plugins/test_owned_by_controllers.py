"""What a controller in a cluster owns is nobody else's to change, of whatever kind it is."""

from __future__ import annotations

from typing import Final

import pytest

from finops.domain.execution import Observation
from finops.domain.resource import Resource
from finops_operator.plugins.action import PolicyFacts
from finops_operator.plugins.loaded import load_actions, load_kinds

OWNED: Final = {
    "Crossplane": {"crossplane-name": "web", "crossplane-kind": "instance.ec2.aws.upbound.io"},
    "a Kubernetes cluster": {"services.k8s.aws/namespace": "shop", "services.k8s.aws/controller-version": "ec2-1"},
}
"""System → tags that the controllers of Crossplane and of ACK, AWS's own, put on what they make."""


@pytest.mark.parametrize("system", sorted(OWNED))
@pytest.mark.parametrize("name", sorted(load_kinds()))
def test_a_resource_of_any_kind_that_a_controller_made_is_owned_by_it(name: str, system: str) -> None:
    kind = load_kinds()[name]
    resource = Resource(
        kind=name,
        id=kind.sample.id,
        arn=kind.sample.arn,
        name="",
        account="111111111111",
        region="us-east-1",
        state="available",
        tags=OWNED[system],
        created=None,
        attributes={},
    )
    owner = kind.owner(resource)
    assert owner is not None
    assert (owner.system, owner.is_template) == (system, False)


@pytest.mark.parametrize("system", sorted(OWNED))
@pytest.mark.parametrize("name", sorted(load_actions()))
def test_every_act_is_refused_on_what_a_controller_made(name: str, system: str) -> None:
    action = load_actions()[name]
    assumed = dict(action.sample.assumed)
    now = Observation(exists=True, fingerprint=assumed, facts={**assumed, "tags": dict(OWNED[system])})
    codes = {one.code: one.message for one in action.preflight(now, action.sample.parameters, PolicyFacts())}
    assert f"It belongs to {system}" in codes["OwnedByController"]
