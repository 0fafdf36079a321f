"""File systems that no client connected to: AWS bills what they store all the same.

AWS publishes no rule for it. The window is a month, because a file system may serve a job of the month's end, and
without a connection nothing can be read or written; the bytes that were read and written are asked for as well.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, summaries, too_young
from finops_operator.services.efs.file_system import CONNECTIONS, METERED, FileSystemFacts
from finops_operator.services.efs.judging.size import not_available, stored_fact

ID: Final = "efs_file_system_idle"
_NAMES: Final = (CONNECTIONS, METERED)


def _evaluate(facts: Facts[FileSystemFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    reason = not_available(facts)
    if not reason and facts.own.mount_targets == 0:
        reason = "it has no mount target"
    reason = reason or too_young(facts, least) or days_unseen(facts, _NAMES, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    connections, metered = summaries(facts, _NAMES)
    if connections.maximum > 0:
        reason = f"clients were connected, {count(connections.total or 0)} connections were counted"
    elif metered.maximum > 0:
        reason = f"{count(metered.total or 0)} bytes were read or written"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "connections": figure(connections.total or 0),
            "meteredBytes": figure(metered.total or 0),
            "thresholdConnections": "1",
            "thresholdIdleDays": str(least),
            **coverage_evidence(connections),
        },
        summary=f"No client connected to it for {days(connections.hours)}.",
        facts=(
            EvidenceFact("Connections", "none"),
            window_fact(connections),
            stored_fact(facts.own),
            EvidenceFact("Before it is deleted", "back it up with AWS Backup; EFS keeps no copy"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle EFS file system",
    kinds=("efs-file-system",),
    documentation="https://docs.aws.amazon.com/efs/latest/ug/efs-metrics.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    window_parameter="minimumIdleDays",
    parameters=(
        ParameterSpec(
            name="minimumIdleDays",
            unit="days",
            default=Decimal(30),
            minimum=Decimal(7),
            maximum=Decimal(90),
            description="A file system is idle after this many days without a connection.",
        ),
    ),
)
