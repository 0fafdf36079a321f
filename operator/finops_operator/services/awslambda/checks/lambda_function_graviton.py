"""Functions on x86 processors whose runtime AWS also offers on Arm, where the same duration costs a fifth less.

The saving counts the same duration. Code in an interpreted language usually runs unchanged; what was compiled, native
libraries and extensions of layers among it, must be built for Arm first, which only a test shows. Functions that are
container images are not judged: their image is built for one processor. One that costs next to nothing is left alone.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.money import as_text
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.sufficiency import insufficient
from finops_operator.services.awslambda.function import DURATION, FunctionFacts
from finops_operator.services.awslambda.judging.judged import not_judged
from finops_operator.services.awslambda.rules.runtimes import ARM, X86, runs_on_arm

ID: Final = "lambda_function_graviton"
_IMAGE: Final = "Image"


def _evaluate(facts: Facts[FunctionFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least = facts.own, parameters["minimumMonthlyCost"]
    reason = not_judged(facts) or _not_movable(own) or insufficient(facts.utilization, DURATION, facts.settings)
    by_use = facts.share_of_bill.monthly_by_use
    if not reason and by_use is not None and by_use < least:
        reason = f"it costs {as_text(by_use)} USD a month by use, {least} USD count"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    after = facts.cost_of(with_facts(facts.resource, replace(own, architecture=ARM)))
    return Finding(
        check=ID,
        action="",
        parameters={"architecture": ARM},
        new_monthly_cost=after.unrounded_monthly,
        evidence={"architecture": own.architecture, "monthlyCostByUse": as_text(by_use), "runtime": own.runtime},
        summary="Its runtime is offered on Arm, where the same duration costs less.",
        facts=(
            EvidenceFact("Processor", f"{X86}, {ARM} is offered"),
            EvidenceFact("Runtime", own.runtime or ""),
            EvidenceFact("Cost by use", f"{as_text(by_use) or 'unknown'} USD a month"),
        ),
        target=ARM,
    )


def _not_movable(own: FunctionFacts) -> str:
    if own.architecture != X86:
        return f"it runs on {own.architecture or 'a processor that is not known'}"
    if own.package_type == _IMAGE:
        return "it is a container image, which is built for one processor"
    if own.runtime is None:
        return "its runtime is not known"
    return "" if runs_on_arm(own.runtime) else f"{own.runtime} is not offered on Arm"


CHECK: Final = Check(
    id=ID,
    title="Function that could run on Arm",
    kinds=("lambda-function",),
    documentation="https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumMonthlyCost",
            unit="USD",
            default=Decimal(1),
            minimum=Decimal(0),
            maximum=Decimal(10_000),
            description="A function that costs less by use is left alone.",
        ),
    ),
)
