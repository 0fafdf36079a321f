"""Functions on a runtime that AWS no longer maintains. It saves no money: it is a risk that only grows.

AWS gives a deprecated runtime no security patches and no support, and forbids later to create and then to change
functions that use it; they go on running. The day is that of AWS's table.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.services.awslambda.function import FunctionFacts
from finops_operator.services.awslambda.judging.judged import not_judged
from finops_operator.services.awslambda.rules.runtimes import DEPRECATED

ID: Final = "lambda_function_deprecated_runtime"


def _evaluate(facts: Facts[FunctionFacts], parameters: Parameters) -> Finding | NotRecommended:
    runtime, least = facts.own.runtime, parameters["minimumDaysAfter"]
    reason = not_judged(facts)
    if not reason and runtime is None:
        reason = "its runtime is its own image's, or not known"
    since = DEPRECATED.get(runtime or "")
    if not reason and since is None:
        reason = f"AWS maintains {runtime}"
    if reason or since is None or runtime is None:
        return NotRecommended(ID, facts.resource.id, reason)
    past = (facts.now.date() - since).days
    if past < least:
        return NotRecommended(ID, facts.resource.id, f"{runtime} is deprecated since {past} days, {least} are needed")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost.unrounded_monthly,
        evidence={"runtime": runtime, "deprecatedSince": since.isoformat()},
        summary=f"AWS has not maintained its runtime {runtime} since {since.isoformat()}.",
        facts=(EvidenceFact("Runtime", runtime), EvidenceFact("Deprecated since", since.isoformat())),
    )


CHECK: Final = Check(
    id=ID,
    title="Function on a deprecated runtime",
    kinds=("lambda-function",),
    documentation="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumDaysAfter",
            unit="days",
            default=Decimal(0),
            minimum=Decimal(0),
            maximum=Decimal(3650),
            description="How many days after AWS's date a function is named.",
        ),
    ),
)
