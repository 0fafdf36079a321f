"""FSx file systems that nobody read or wrote for a month: AWS bills what was ordered all the same.

AWS publishes no rule for it; the window is a month, because a file system may serve a job of the month's end.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.fsx.file_system import LUSTRE, READ, WRITTEN, FsxFacts
from finops_operator.services.fsx.judging.judged import not_judged, ordered_facts

ID: Final = "fsx_file_system_idle"
_NAMES: Final = (READ, WRITTEN)


def _evaluate(facts: Facts[FsxFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own = parameters["minimumIdleDays"], facts.own
    reason = not_judged(facts) or too_young(facts, least) or days_unseen(facts, _NAMES, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    read, written = summaries(facts, _NAMES)
    for summary, what in ((read, "read"), (written, "write")):
        if summary.maximum > 0:
            return NotRecommended(ID, facts.resource.id, f"{count(summary.total or 0)} {what} operations were counted")
    kept = "back it up; Lustre keeps no copy" if own.file_system_type == LUSTRE else "check that a final backup is made"
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "readOperations": 0,
            "writeOperations": 0,
            "thresholdIdleDays": str(least),
            **coverage_evidence(read),
        },
        summary=f"Nobody read or wrote it for {days(read.hours)}.",
        facts=(
            EvidenceFact("Reads and writes", "none"),
            window_fact(read),
            *ordered_facts(own),
            EvidenceFact("Before it is deleted", kept),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle FSx file system",
    kinds=("fsx-file-system",),
    documentation="https://docs.aws.amazon.com/fsx/latest/WindowsGuide/fsx-windows-metrics.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    window_parameter="minimumIdleDays",
    parameters=(idle_days("A file system", 30, by_day=True),),
)
