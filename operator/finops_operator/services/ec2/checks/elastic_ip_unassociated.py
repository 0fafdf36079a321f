"""Elastic IP addresses on nothing: AWS bills them like those in use.

Trusted Advisor finds every address without an association, whatever its age, and so does this check; a policy may ask
for some days, counted from our own first sight, since AWS does not say when an address was last in use. An address
given back may go to somebody else, while partners still let it through: that is why this is advice.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.services.ec2.elastic_ip import BROUGHT_ALONG, UNASSOCIATED, AddressFacts

ID: Final = "elastic_ip_unassociated"


def _evaluate(facts: Facts[AddressFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, state = parameters["minimumUnassociatedDays"], facts.resource.state
    since = parse_time(facts.own.unassociated_since)
    reason = ""
    if state == BROUGHT_ALONG:
        reason = "its owner brought it along, and it costs nothing"
    elif state != UNASSOCIATED:
        reason = "it is in use"
    elif facts.own.service_managed:
        reason = "a service of AWS made it and gives it back"
    elif since is None and least > 0:
        reason = "since when it is on nothing is not known"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    # An address that this very scan sees first is listed after the scan began.
    seen = None if since is None else max(0, (facts.now - since) // timedelta(days=1))
    if seen is not None and seen < least:
        return NotRecommended(
            ID, facts.resource.id, f"it was first seen on nothing {seen} days ago, {least} are needed"
        )
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"seenUnassociatedDays": seen, "thresholdUnassociatedDays": str(least)},
        summary="The address is on nothing and billed like one in use.",
        facts=(
            EvidenceFact("Associated with", "nothing"),
            EvidenceFact("Seen on nothing since", "not known" if since is None else f"{since:%Y-%m-%d}"),
            EvidenceFact("Before it is released", "see that no name, firewall or partner refers to it"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Elastic IP address on nothing",
    kinds=("elastic-ip",),
    documentation="https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html",
    action_type=ActionType.DELETE,
    effort=Effort.VERY_LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumUnassociatedDays",
            unit="days",
            default=Decimal(0),
            minimum=Decimal(0),
            maximum=Decimal(365),
            description="An address that was first seen on nothing more recently than this is left alone.",
        ),
    ),
)
