"""Notebook instances that have been stopped for weeks: AWS bills their disks all the same.

AWS publishes no rule for it. What is on the disk is lost with the notebook.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.services.sagemaker.notebook import STOPPED, NotebookFacts

ID: Final = "sagemaker_notebook_stopped"


def _evaluate(facts: Facts[NotebookFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least, state = facts.own, parameters["minimumStoppedDays"], facts.resource.state
    since = parse_time(own.last_changed)
    reason = "" if state == STOPPED else f"it is {state or 'in an unknown state'}, not {STOPPED}"
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
    parameters=(
        ParameterSpec(
            name="minimumStoppedDays",
            unit="days",
            default=Decimal(30),
            minimum=Decimal(1),
            maximum=Decimal(365),
            description="A notebook that was stopped or changed within this time is left alone.",
        ),
    ),
)
