"""What instances that are billed alike have in common."""

from __future__ import annotations

from dataclasses import replace

from finops_operator.services.ec2.instance import InstanceFacts


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
        public_ipv4=None if facts.public_ipv4 is None else ("",) * len(facts.public_ipv4),
    )
