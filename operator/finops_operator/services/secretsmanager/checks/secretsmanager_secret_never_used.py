"""Secrets that were made long ago and never read in their region: most are left over from a test or a failed start.

AWS publishes no rule for it; ninety days are ours. A secret without a day of access was never read there, which is
AWS's own statement and no missing measurement.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.window import too_young
from finops_operator.services.secretsmanager.secret import MAY_HAVE_REPLICAS, SecretFacts

ID: Final = "secretsmanager_secret_never_used"


def _evaluate(facts: Facts[SecretFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least, created = facts.own, parameters["minimumAgeDays"], facts.resource.created
    reason = "an AWS service keeps it" if own.owning_service else ""
    if not reason and own.last_accessed is None:
        reason = "when it was read last is not known"
    if not reason and own.last_accessed:
        reason = f"it was read on {own.last_accessed}"
    if not reason and own.replicated:
        reason = MAY_HAVE_REPLICAS
    reason = reason or too_young(facts, least)
    if reason or created is None:
        return NotRecommended(ID, facts.resource.id, reason)
    age = (facts.now - created) // timedelta(days=1)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"ageDays": age, "thresholdAgeDays": str(least)},
        summary=f"Nobody has read it since it was made {age} days ago.",
        facts=(
            EvidenceFact("Read", "never in this region"),
            EvidenceFact("Age", f"{age} days"),
            EvidenceFact("Replica", f"of the one in {own.replica_of}" if own.replica_of else "no, and it has none"),
            EvidenceFact(
                "Before it is deleted", "ask whether it is kept for a disaster; AWS can restore it for 30 days"
            ),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Secret never used",
    kinds=("secretsmanager-secret",),
    documentation="https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=True,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumAgeDays",
            unit="days",
            default=Decimal(90),
            minimum=Decimal(7),
            maximum=Decimal(730),
            description="A secret younger than this is left alone.",
        ),
    ),
)
