"""Keys that were not used for a quarter of a year, as KMS itself remembers: each is billed by the month.

AWS publishes no threshold; ninety days are ours. AWS warns that the last use alone proves nothing, because a disk asks
for its key only when it is attached: what is encrypted with a deleted key is lost, and the evidence says so.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.kms.judging.last_use import deletion, unused_parameter
from finops_operator.services.kms.key import ENABLED, KeyFacts

ID: Final = "kms_key_unused"


def _evaluate(facts: Facts[KeyFacts], parameters: Parameters) -> Finding | NotRecommended:
    return deletion(ID, facts, parameters, ENABLED, "")


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
