"""Notebook instances that have been running for days: AWS bills the machine by the second, also at night.

SageMaker publishes nothing about their use, so that this rests on time alone: a notebook that was started for some work
is stopped after it, or stops by itself with a lifecycle configuration.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.sagemaker.judging.unchanged import minimum_days, unchanged_days
from finops_operator.services.sagemaker.notebook import IN_SERVICE, STOPPED, NotebookFacts

ID: Final = "sagemaker_notebook_running"


def _evaluate(facts: Facts[NotebookFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least = facts.own, parameters["minimumRunningDays"]
    passed = unchanged_days(facts, IN_SERVICE, least)
    if isinstance(passed, str):
        return NotRecommended(ID, facts.resource.id, passed)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(replace(facts.resource, state=STOPPED)).unrounded_monthly,
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
    parameters=(minimum_days("minimumRunningDays", 7, "started"),),
)
