"""NAT gateways that carry much in a VPC without a gateway endpoint for S3: traffic to S3 of the region is billed there.

A gateway endpoint is free of charge, and what goes through it is not billed by the gigabyte. How much of what a gateway
carries goes to S3 no metric says (flow logs do), so that the saving is unknown: it is at most the gigabytes that are
billed, which stand in the evidence. AWS publishes no threshold; below 100 GiB in 30 days a few dollars are at stake.
Endpoints of the whole VPC count: an endpoint that some of its route tables lack is not found.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.quantity import GIB
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count
from finops_operator.plugins.settled import whatever_was_measured
from finops_operator.plugins.sufficiency import figure
from finops_operator.services.ec2.nat_gateway import AVAILABLE, BYTES, NatGatewayFacts
from finops_operator.services.ec2.rules.s3_endpoints import S3_ENDPOINTS

ID: Final = "nat_gateway_s3"
_LEAST: Final = "minimumGibibytes"


def _evaluate(facts: Facts[NatGatewayFacts], parameters: Parameters) -> Finding | NotRecommended:
    carried = _carried(facts)
    reason = _not_judged(facts, carried, parameters[_LEAST])
    if reason or carried is None:
        return NotRecommended(ID, facts.resource.id, reason)
    amount = count(int(carried))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        unpriced="how much of what it carries goes to S3 is not known",
        evidence={
            "gibibytes30Days": figure(float(carried)),
            "thresholdGibibytes": str(parameters[_LEAST]),
            "gatewayEndpointsForS3": 0,
        },
        summary=f"It carried {amount} GiB in 30 days, and its VPC has no gateway endpoint for S3, which is free.",
        facts=(
            EvidenceFact("Carried in 30 days", f"{amount} GiB, each of them billed"),
            EvidenceFact("Gateway endpoint for S3 in its VPC", "none"),
            EvidenceFact("How much of it goes to S3", "not known; flow logs of its network interface say it"),
            EvidenceFact("How", "make a gateway endpoint for S3 and name the route tables that lead to the gateway"),
            EvidenceFact(
                "Before the change",
                "policies of buckets that allow the gateway's address alone must allow the endpoint, and connections "
                "to S3 that are open break once",
            ),
        ),
    )


def _carried(facts: Facts[NatGatewayFacts]) -> Decimal | None:
    """Return the GiB of 30 days from both sides, None where one of them is not known."""
    uses = [facts.utilization.month.get(name) for name in BYTES]
    known = [Decimal(use.amount) for use in uses if use is not None]
    return sum(known, Decimal(0)) / GIB if len(known) == len(uses) else None


def _not_judged(facts: Facts[NatGatewayFacts], carried: Decimal | None, least: Decimal) -> str:
    own, state, reached = facts.own, facts.resource.state, facts.answers.get(S3_ENDPOINTS)
    if state != AVAILABLE:
        return f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    if own.connectivity == "private":
        return "it is private and leads to no S3 of the internet"
    if carried is None:
        return "what it carried in 30 days is not known"
    if carried < least:
        return f"it carried {count(int(carried))} GiB in 30 days, less than {least}"
    if own.vpc_id is None or reached is None:
        return "whether its VPC has a gateway endpoint for S3 is not known"
    return "its VPC has a gateway endpoint for S3" if own.vpc_id in reached else ""


CHECK: Final = Check(
    id=ID,
    title="NAT gateway beside no S3 endpoint",
    kinds=("nat-gateway",),
    documentation="https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    settled_by_days=whatever_was_measured,
    parameters=(
        ParameterSpec(
            name=_LEAST,
            unit="GiB",
            default=Decimal(100),
            minimum=Decimal(1),
            maximum=Decimal(1_000_000),
            description="A gateway that carried less in 30 days is left alone.",
        ),
    ),
)
