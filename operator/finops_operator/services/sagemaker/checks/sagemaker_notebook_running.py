"""Notebook instances that have been running for days: AWS bills the machine by the second, also at night.

SageMaker publishes nothing about their use, so that this rests on time alone: a notebook that was started for some work
is stopped after it, or stops by itself with a lifecycle configuration.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.services.sagemaker.notebook import IN_SERVICE, NotebookFacts

ID: Final = "sagemaker_notebook_running"


def _evaluate(facts: Facts[NotebookFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least, state = facts.own, parameters["minimumRunningDays"], facts.resource.state
    since = parse_time(own.last_changed)
    reason = "" if state == IN_SERVICE else f"it is {state or 'in an unknown state'}, not {IN_SERVICE}"
    if not reason and not own.tags_known:
        reason = "its tags could not be read, so it may be protected"
    if reason or since is None:
        return NotRecommended(ID, facts.resource.id, reason or "when it was changed last is not known")
    passed = (facts.now - since) // timedelta(days=1)
    if passed < least:
        return NotRecommended(ID, facts.resource.id, f"it was changed {passed} days ago, {least} are needed")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"runningDays": passed, "thresholdRunningDays": str(least)},
        summary=f"It has been running for {passed} days; stopped, only its disk is billed.",
        facts=(
            EvidenceFact("Running for", f"{passed} days at least"),
            EvidenceFact("Type", own.instance_type or "not known"),
            EvidenceFact("Lifecycle configuration", "there is one" if own.lifecycle_configuration else "none"),
            EvidenceFact("Before it is stopped", "what was not saved on its disk is lost"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="SageMaker notebook that keeps running",
    kinds=("sagemaker-notebook",),
    documentation="https://docs.aws.amazon.com/sagemaker/latest/dg/nbi.html",
    action_type=ActionType.STOP,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumRunningDays",
            unit="days",
            default=Decimal(7),
            minimum=Decimal(1),
            maximum=Decimal(365),
            description="A notebook that was started or changed within this time is left alone.",
        ),
    ),
)
