"""Desktops to which nobody has connected for 63 days, the window of Compute Optimizer's rule for WorkSpaces.

Two things must agree: the last connection that WorkSpaces keeps, and the metric of connected users, which may be
missing where the desktop was stopped but must show nobody where it is there. Where nobody ever connected, the metric
must reach back all of the window, because AWS does not say when a desktop was made. A client of another maker may
connect unseen, and the evidence says so.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.sufficiency import unread
from finops_operator.plugins.window import days_unseen, idle_days
from finops_operator.services.workspaces.judging.judged import not_judged
from finops_operator.services.workspaces.workspace import CONNECTED, WorkspaceFacts

ID: Final = "workspaces_workspace_unused"


def _evaluate(facts: Facts[WorkspaceFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least = facts.own, parameters["minimumIdleDays"]
    reason = not_judged(facts) or _connected(facts, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    last = own.connected_last[:10] if own.connected_last else "never"
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"connectedLast": last, "thresholdIdleDays": str(least)},
        summary=f"Nobody has connected to it for at least {least} days.",
        facts=(
            EvidenceFact("Connected last", last),
            EvidenceFact("Running mode", own.running_mode or "not known"),
            EvidenceFact("Type", own.compute_type or "not known"),
            EvidenceFact(
                "Before it is deleted", "ask its user: the disks are deleted too, and other clients go unseen"
            ),
        ),
    )


def _connected(facts: Facts[WorkspaceFacts], least: Decimal) -> str:
    """Return why it may have been used, empty when it was not."""
    if facts.own.connected_last is None:
        return "when a user connected last is not known"
    last = parse_time(facts.own.connected_last)
    if last is None:
        reason = days_unseen(facts, (CONNECTED,), least)
    else:
        passed = (facts.now - last) // timedelta(days=1)
        reason = f"a user connected {passed} days ago, {least} are needed" if passed < least else ""
    users = facts.utilization.best(CONNECTED)
    if not reason and users is not None and users.maximum > 0:
        reason = "a user was connected in the days that were measured"
    return reason or unread(facts.utilization, (CONNECTED,))


CHECK: Final = Check(
    id=ID,
    title="Unused WorkSpace",
    kinds=("workspaces-workspace",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    window_parameter="minimumIdleDays",
    parameters=(idle_days("A desktop", 63, by_day=True),),
)
