"""Distributions with addresses of their own for their certificate: AWS bills these by the month, used or not.

Every browser of the last ten years sends the name that it asks for (SNI), for which shared addresses do and cost
nothing. What is saved is unknown, because the tables hold no price of CloudFront.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.cloudfront.distribution import DistributionFacts
from finops_operator.services.cloudfront.judging.judged import not_judged

ID: Final = "cloudfront_distribution_dedicated_address"


def _evaluate(facts: Facts[DistributionFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    reason, own = not_judged(facts), facts.own.dedicated_address
    if not reason and own is None:
        reason = "whether it has addresses of its own is not known"
    elif not reason and not own:
        reason = "it shares its addresses"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    aliases = facts.own.aliases
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"dedicatedAddress": True},
        summary="It has addresses of its own for its certificate; shared ones cost nothing.",
        facts=(
            EvidenceFact("Certificate", "served from addresses of its own"),
            EvidenceFact("Names of yours", "not known" if aliases is None else f"{aliases}"),
            EvidenceFact("Before it is changed", "make sure that no client is too old to send the name it asks for"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Distribution with addresses of its own",
    kinds=("cloudfront-distribution",),
    documentation="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-https-dedicated-ip-or-sni.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
)
