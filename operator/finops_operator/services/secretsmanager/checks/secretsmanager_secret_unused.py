"""Secrets that nobody has read for a quarter of a year: AWS bills each by the month, read or not.

AWS publishes no rule for it; ninety days are ours. Secrets Manager keeps the last day of access in each region, and a
read by a rotation or by a client that caches counts as well. One that is kept for a disaster is no different, and
the evidence says so.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.services.secretsmanager.secret import MAY_HAVE_REPLICAS, SecretFacts

ID: Final = "secretsmanager_secret_unused"


def _evaluate(facts: Facts[SecretFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least = facts.own, parameters["minimumUnusedDays"]
    read = parse_time(own.last_accessed)
    if own.owning_service:
        reason = "an AWS service keeps it"
    elif own.last_accessed == "":
        reason = "it was never read"
    else:
        reason = "when it was read last is not known"
    if read is not None and not own.owning_service and own.replicated:
        reason, read = MAY_HAVE_REPLICAS, None
    if own.owning_service or read is None:
        return NotRecommended(ID, facts.resource.id, reason)
    passed = (facts.now - read) // timedelta(days=1)
    if passed < least:
        return NotRecommended(ID, facts.resource.id, f"it was read {passed} days ago, {least} are needed")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"daysSinceRead": passed, "thresholdUnusedDays": str(least)},
        summary=f"Nobody has read it for {passed} days.",
        facts=(
            EvidenceFact("Read last", f"{own.last_accessed}, {passed} days ago"),
            EvidenceFact("Replica", f"of the one in {own.replica_of}" if own.replica_of else "no, and it has none"),
            EvidenceFact(
                "Before it is deleted", "ask whether it is kept for a disaster; AWS can restore it for 30 days"
            ),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Unused secret",
    kinds=("secretsmanager-secret",),
    documentation="https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=True,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumUnusedDays",
            unit="days",
            default=Decimal(90),
            minimum=Decimal(7),
            maximum=Decimal(730),
            description="A secret that was read within this time is left alone.",
        ),
    ),
)
