"""EC2 instances with an automatic public IPv4 address that no security group lets anybody of the internet reach.

AWS bills every public IPv4 address. What remains is what the instance itself fetches from the internet: whether it does
is not measured, so this is advice with that question. Elastic IPs are left alone: they are resources of their own and
are kept on purpose. Prefix lists count as open, since their ranges are not read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.settled import whatever_was_measured
from finops_operator.services.ec2.instance import InstanceFacts
from finops_operator.services.ec2.rules.open_groups import OPEN_GROUPS

ID: Final = "ec2_instance_public_ipv4"


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own = facts.own
    kept = tuple(one for one, elastic in zip(own.public_ipv4 or (), own.elastic or (), strict=True) if elastic)
    automatic = len(own.public_ipv4 or ()) - len(kept)
    reason = _not_judged(facts, automatic)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    changed = with_facts(facts.resource, replace(own, public_ipv4=kept, elastic=(True,) * len(kept)))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(changed).unrounded_monthly,
        evidence={"automaticAddresses": automatic, "openSecurityGroups": 0},
        summary="Nobody of the internet can reach its public IPv4 address, which is billed by the hour.",
        facts=(
            EvidenceFact("Security groups that let the internet in", "none"),
            EvidenceFact("Before the change", "see that what it fetches from the internet has another way"),
            EvidenceFact("Another way", "a NAT gateway that exists, endpoints of the VPC, or IPv6"),
            EvidenceFact("How", "turn off the automatic address of its network interface; it is gone at once"),
        ),
    )


def _not_judged(facts: Facts[InstanceFacts], automatic: int) -> str:
    own, opened = facts.own, facts.answers.get(OPEN_GROUPS)
    if facts.resource.state != "running":
        return f"it is {facts.resource.state or 'in an unknown state'}, and an automatic address is then given back"
    if own.public_ipv4 is None or own.elastic is None:
        return "its public addresses are not known"
    if not automatic:
        return "it has no automatic public IPv4 address"
    if own.security_groups is None:
        return "its security groups are not known"
    if opened is None:
        return "what its security groups let in is not known"
    return "a security group lets the internet in" if opened.intersection(own.security_groups) else ""


CHECK: Final = Check(
    id=ID,
    title="EC2 instance with a public IPv4 address that nobody can reach",
    kinds=("ec2-instance",),
    documentation="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    settled_by_days=whatever_was_measured,
)
