"""Notebook instances that have been stopped for weeks: AWS bills their disks all the same.

AWS publishes no rule for it. What is on the disk is lost with the notebook.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.sagemaker.judging.unchanged import minimum_days, unchanged_days
from finops_operator.services.sagemaker.notebook import STOPPED, NotebookFacts

ID: Final = "sagemaker_notebook_stopped"


def _evaluate(facts: Facts[NotebookFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least = facts.own, parameters["minimumStoppedDays"]
    passed = unchanged_days(facts, STOPPED, least)
    if isinstance(passed, str):
        return NotRecommended(ID, facts.resource.id, passed)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"stoppedDays": passed, "thresholdStoppedDays": str(least)},
        summary=f"It has been stopped for {passed} days, and its disk is billed.",
        facts=(
            EvidenceFact("Stopped for", f"{passed} days at least"),
            EvidenceFact("Type", own.instance_type or "not known"),
            EvidenceFact("Before it is deleted", "copy what is on its disk"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Stopped SageMaker notebook",
    kinds=("sagemaker-notebook",),
    documentation="https://docs.aws.amazon.com/sagemaker/latest/dg/nbi.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(minimum_days("minimumStoppedDays", 30, "stopped"),),
)
