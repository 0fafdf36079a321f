"""FSx file systems with more throughput than they use: below a quarter at the peak, half would do.

AWS advises to stay below half of the throughput on average; a quarter at the peak, so that half as much is used to half
at most, is ours. Lustre has its throughput by its storage and is not judged, and neither is one that has the least that
its type offers. What is saved is unknown without prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import gauge_facts, peak_sentence, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, not_measured, summaries
from finops_operator.services.fsx.file_system import ONTAP, OPENZFS, THROUGHPUT, WINDOWS, FsxFacts
from finops_operator.services.fsx.judging.judged import not_judged, ordered_facts

ID: Final = "fsx_file_system_throughput"
_LEAST_MBPS: Final[Mapping[str, int]] = {WINDOWS: 32, ONTAP: 128, OPENZFS: 160}
"""Below this a type offers nothing, or has no metric of it; of OpenZFS the largest of the least of its deployments."""


def _evaluate(facts: Facts[FsxFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, most, least = facts.own, parameters["maximumPeakPercent"], parameters["minimumMeasuredDays"]
    reason, smallest = not_judged(facts), _LEAST_MBPS.get(own.file_system_type or "")
    if not reason and (smallest is None or own.throughput_mbps is None):
        reason = "its throughput is not ordered by itself, or not known"
    elif not reason and own.file_system_type == ONTAP and not (own.deployment or "").endswith("_1"):
        reason = "what the second generation of ONTAP offers depends on its pairs of servers, which are not read"
    elif not reason and smallest is not None and (own.throughput_mbps or 0) < 2 * smallest:
        reason = f"half of {own.throughput_mbps} MB/s is less than its type offers"
    reason = reason or not_measured(facts, (THROUGHPUT,), least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (used,) = summaries(facts, (THROUGHPUT,))
    if used.maximum >= most:
        return NotRecommended(ID, facts.resource.id, f"its throughput reached {figure(used.maximum)} %")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "throughputMbps": own.throughput_mbps or 0,
            "peakPercent": figure(used.maximum),
            "thresholdPeakPercent": str(most),
            **coverage_evidence(used),
        },
        summary=f"{peak_sentence('Its throughput', used, 'p99_5')}; half of it would do.",
        facts=(*gauge_facts("Throughput", used, "p99_5"), window_fact(used), *ordered_facts(own), _BEFORE),
    )


_BEFORE: Final = EvidenceFact(
    "Before it is changed", "the file servers are replaced, and clients wait for some minutes"
)

CHECK: Final = Check(
    id=ID,
    title="FSx file system with too much throughput",
    kinds=("fsx-file-system",),
    documentation="https://docs.aws.amazon.com/fsx/latest/WindowsGuide/managing-throughput-capacity.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    restart_needed=True,
    parameters=(
        measured_days("its throughput"),
        ParameterSpec(
            name="maximumPeakPercent",
            unit="percent",
            default=Decimal(25),
            minimum=Decimal(1),
            maximum=Decimal(50),
            description="A file system whose throughput reached this share stays as it is.",
            metrics=("networkThroughputPercent",),
        ),
    ),
)
