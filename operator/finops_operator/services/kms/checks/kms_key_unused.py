"""Keys that were not used for a quarter of a year, as KMS itself remembers: each is billed by the month.

AWS publishes no threshold; ninety days are ours. AWS warns that the last use alone proves nothing, because a disk asks
for its key only when it is attached: what is encrypted with a deleted key is lost, and the evidence says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.kms.judging.last_use import key_facts, unused_days, unused_parameter
from finops_operator.services.kms.key import ENABLED, KeyFacts

ID: Final = "kms_key_unused"


def _evaluate(facts: Facts[KeyFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumUnusedDays"]
    passed = unused_days(facts, ENABLED, least)
    if isinstance(passed, str):
        return NotRecommended(ID, facts.resource.id, passed)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"unusedDays": passed, "thresholdUnusedDays": str(least)},
        summary=f"KMS knows of no use of it for {passed} days.",
        facts=key_facts(facts.own, passed),
    )


CHECK: Final = Check(
    id=ID,
    title="Unused KMS key",
    kinds=("kms-key",),
    documentation="https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-keys-determining-usage.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(unused_parameter("A key"),),
)
