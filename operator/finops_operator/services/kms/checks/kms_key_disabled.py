"""Keys that are disabled and have not been used for a quarter of a year: AWS bills a disabled key like any other.

AWS publishes no threshold; ninety days are ours. KMS does not say since when a key is disabled, so that its last use
stands in for it. What is encrypted with a deleted key is lost.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.kms.judging.last_use import deletion, unused_parameter
from finops_operator.services.kms.key import DISABLED, KeyFacts

ID: Final = "kms_key_disabled"


def _evaluate(facts: Facts[KeyFacts], parameters: Parameters) -> Finding | NotRecommended:
    return deletion(ID, facts, parameters, DISABLED, "It is disabled, billed all the same, and ")


CHECK: Final = Check(
    id=ID,
    title="Disabled KMS key",
    kinds=("kms-key",),
    documentation="https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(unused_parameter("A disabled key"),),
)
