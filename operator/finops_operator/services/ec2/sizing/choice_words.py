"""What a choice says to people: why this target, where the steps end, what to see to, and the others. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from finops.domain.canonical import Json
from finops.domain.price import Price
from finops.domain.recommendation import Effort, EvidenceFact
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.measured import count, percent
from finops_operator.plugins.sufficiency import figure
from finops_operator.services.ec2.rules.platform_words import described, differences
from finops_operator.services.ec2.sizing.choose import LARGE_STEP_DAYS, Candidate, Choice
from finops_operator.services.ec2.sizing.fit import usable_vcpus
from finops_operator.services.ec2.sizing.migration import migration_effort
from finops_operator.services.ec2.sizing.projection import projection

_EFFORTS: Final = {
    Effort.VERY_LOW: "very low: the same maker of the processor and the same drivers",
    Effort.LOW: "low: see that the software runs as well on the other processor",
    Effort.MEDIUM: "medium: NVMe and ENA drivers first, volumes mounted by their ids",
    Effort.HIGH: "high: an image for another architecture",
}


def reasons(chosen: Choice) -> Iterator[EvidenceFact]:
    """Yield why the target was chosen, the final target where it is only the next step, and the effort."""
    target = chosen.target.kind
    yield EvidenceFact(f"Why {target.name}", chosen.reason)
    if chosen.final is not None:
        steps = f"{target.name} is the next step: more than one takes {LARGE_STEP_DAYS} days of data"
        yield EvidenceFact("Final target", f"{chosen.final.kind.name}; {steps}")
    yield EvidenceFact("Migration effort", _EFFORTS[migration_effort(chosen.current, target)])
    if chosen.need.packets_per_second is not None:
        used = f"{count(chosen.need.packets_per_second)} a second; AWS publishes no limit of any type"
        yield EvidenceFact("Packets, 99 % of the time below", used)


def credit_facts(chosen: Choice, price: Price | None) -> Iterator[EvidenceFact]:
    """Yield what a burstable target earns and what is billed beyond it; nothing of any other target.

    `price` is that of a vCPU-hour beyond its credits.
    """
    target = chosen.target.kind
    if target.baseline_percent is None:
        return
    baseline = usable_vcpus(chosen.current, target) * float(target.baseline_percent) / 100
    used = percent(100 * chosen.need.sustained_vcpus / baseline)
    earned = f"{target.name} earns {target.baseline_percent:g} % of each vCPU for ever"
    yield EvidenceFact("CPU credits", f"{earned}; the mean with its headroom takes {used} of that: no surplus to bill")
    amount = "a price that is not known here" if price is None else f"{price.amount} {price.currency} for a vCPU-hour"
    mode = f"unlimited unless set otherwise: what exceeds its credits is billed at {amount}"
    yield EvidenceFact("Credit mode", mode)


def alternatives(chosen: Choice, cpu: MetricSummary, memory: MetricSummary | None) -> tuple[dict[str, Json], ...]:
    """Return the other types with what a person weighs them by; `notAllowed` is empty where the policy allows one."""
    return tuple(_alternative(candidate, chosen, cpu, memory) for candidate in chosen.alternatives)


def _alternative(
    candidate: Candidate, chosen: Choice, cpu: MetricSummary, memory: MetricSummary | None
) -> dict[str, Json]:
    current, kind = chosen.current, candidate.kind
    return {
        "instanceType": kind.name,
        "newMonthlyCost": figure(candidate.monthly_cost),
        "monthlySavings": figure(candidate.saving),
        "performanceRisk": projection(current, kind, cpu, memory).risk.value,
        "migrationEffort": migration_effort(current, kind).value,
        "platformDifferences": [
            f"{one.label}: {one.value}" for one in differences(described(current), described(kind))
        ],
        "notAllowed": candidate.not_allowed,
    }
