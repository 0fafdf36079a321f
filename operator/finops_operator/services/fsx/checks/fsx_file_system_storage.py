"""FSx file systems for Windows that never fill 40 % of their storage: AWS bills what was ordered.

AWS publishes no threshold; 40 % are ours, and below some hundreds of gigabytes it is not worth the work. Such a file
system can grow and never shrink: the data must move to a smaller one. What is saved is unknown without prices.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, not_measured, summaries
from finops_operator.services.fsx.file_system import FREE_STORAGE, WINDOWS, FsxFacts
from finops_operator.services.fsx.judging.judged import not_judged, ordered_facts

ID: Final = "fsx_file_system_storage"
_GIB: Final = 2**30
_PERCENT: Final = 100
_LEAST_HDD_GIB: Final = 2000
"""CreateFileSystem, WindowsConfiguration: less is offered on SSD alone, whose gigabytes cost several times as much."""


def _evaluate(facts: Facts[FsxFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, most = facts.own, parameters["maximumUsedPercent"]
    ordered, smallest = own.storage_gib, parameters["minimumStorageGib"]
    reason = not_judged(facts)
    if not reason and own.file_system_type != WINDOWS:
        reason = f"its type is {own.file_system_type or 'not known'}, not {WINDOWS}"
    elif not reason and ordered is None:
        reason = "its storage is not known"
    elif not reason and ordered is not None and ordered < smallest:
        reason = f"it has {ordered} GiB, {smallest} are needed"
    elif not reason and own.storage_type != "SSD" and (ordered or 0) <= _LEAST_HDD_GIB:
        reason = f"it has {ordered} GiB, and HDD storage begins at {_LEAST_HDD_GIB}"
    reason = reason or not_measured(facts, (FREE_STORAGE,), parameters["minimumMeasuredDays"])
    if reason or ordered is None:
        return NotRecommended(ID, facts.resource.id, reason)
    (free,) = summaries(facts, (FREE_STORAGE,))
    used = _PERCENT * (1 - free.lowest / (ordered * _GIB))
    if used >= most:
        return NotRecommended(
            ID, facts.resource.id, f"{percent(used)} of its storage were used, {most} % are the limit"
        )
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "storageGib": ordered,
            "usedPercent": figure(used),
            "thresholdUsedPercent": str(most),
            **coverage_evidence(free),
        },
        summary=f"It never used more than {percent(used)} of its storage.",
        facts=(
            EvidenceFact("Storage used, highest hour", percent(used)),
            window_fact(free),
            *ordered_facts(own),
            EvidenceFact("How to change it", "move the data to a smaller file system; this one cannot shrink"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="FSx file system with too much storage",
    kinds=("fsx-file-system",),
    documentation="https://docs.aws.amazon.com/fsx/latest/WindowsGuide/managing-storage-capacity.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
    restart_needed=True,
    parameters=(
        measured_days("its free storage"),
        ParameterSpec(
            name="maximumUsedPercent",
            unit="percent",
            default=Decimal(40),
            minimum=Decimal(1),
            maximum=Decimal(80),
            description="A file system that used this share of its storage stays as it is.",
        ),
        ParameterSpec(
            name="minimumStorageGib",
            unit="GiB",
            default=Decimal(500),
            minimum=Decimal(64),
            maximum=Decimal(65536),
            description="A smaller file system is left alone.",
        ),
    ),
)
