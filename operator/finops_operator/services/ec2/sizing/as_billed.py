"""What instances that are billed alike have in common. Pure; asked by both checks of sizing."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from finops_operator.plugins.check import Facts
from finops_operator.plugins.facts import for_the_last
from finops_operator.services.ec2.instance import InstanceFacts


def what_prices(facts: Facts[InstanceFacts]) -> Hashable:
    """Return all that the candidates of an instance and their costs follow from, with its policy and the prices.

    What is kept under it in `Facts.shared` is worked out once for all instances that are billed alike.
    """
    cost, resource = facts.cost, facts.resource
    return resource.region, resource.state, as_billed(facts.own), cost.unrounded_monthly, cost.price


@for_the_last
def as_billed(facts: InstanceFacts) -> InstanceFacts:
    """Return the same without what says only which instance it is: with equal ones its hours and addresses cost alike.

    Whatever is not known to be without a price stays, so that a new fact distinguishes until somebody decides.
    """
    return replace(
        facts,
        root_device_name=None,
        image_id=None,
        state_transition_reason=None,
        auto_scaling_group=None,
        volume_ids=None,
        security_groups=None,
        launched=None,
        type_since=None,
        type_changed=None,
        public_ipv4=None if facts.public_ipv4 is None else ("",) * len(facts.public_ipv4),
    )
