"""Desktops that are always on and used for less than 80 hours a month: stopping by themselves, they would cost less.

AWS bills one that is always on by the month and one that stops by itself by a smaller month and the hour; where the two
meet depends on the bundle, and lies at 80 hours or above. The time that users are connected is worked out for a month.
What is saved is unknown without prices.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, not_measured, summaries
from finops_operator.services.workspaces.judging.judged import not_judged
from finops_operator.services.workspaces.workspace import ALWAYS_ON, CONNECTED, WorkspaceFacts

ID: Final = "workspaces_workspace_always_on"


def _evaluate(facts: Facts[WorkspaceFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, most = parameters["minimumMeasuredDays"], parameters["maximumMonthlyHours"]
    mode = facts.own.running_mode
    reason = not_judged(facts)
    if not reason and mode != ALWAYS_ON:
        reason = f"its running mode is {mode or 'not known'}"
    reason = reason or not_measured(facts, (CONNECTED,), least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (users,) = summaries(facts, (CONNECTED,))
    hours = Decimal(str(users.average)) * facts.settings.hours_per_month
    if hours >= most:
        return NotRecommended(
            ID, facts.resource.id, f"it is used {figure(hours, 0)} hours a month, {most} are the limit"
        )
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"monthlyHours": figure(hours, 1), "thresholdMonthlyHours": str(most), **coverage_evidence(users)},
        summary=f"It is always on and used for about {figure(hours, 0)} hours a month.",
        facts=(
            EvidenceFact("Users connected", f"about {figure(hours, 0)} hours a month"),
            window_fact(users),
            EvidenceFact("Type", facts.own.compute_type or "not known"),
            EvidenceFact("Before it is changed", "programs that run on without a user would be stopped with it"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="WorkSpace that is always on",
    kinds=("workspaces-workspace",),
    documentation="https://docs.aws.amazon.com/workspaces/latest/adminguide/running-mode.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    window_parameter="minimumMeasuredDays",
    parameters=(
        measured_days("connections of users", 30, by_day=True),
        ParameterSpec(
            name="maximumMonthlyHours",
            unit="hours",
            default=Decimal(80),
            minimum=Decimal(1),
            maximum=Decimal(300),
            description="A desktop that is used for as many hours a month stays as it is.",
        ),
    ),
)
