"""EC2 instances that need more CPU, memory, network or EBS bandwidth than their type has, and what a larger one costs.

It costs and saves nothing, so it is listed as advice with no saving, and nothing can be approved. The limits are those
of right-sizing: the percentile of the policy's preset of the 5-minute CPU maxima with its headroom, the highest memory
with its headroom, of the network what the type sustains, and of its volumes together the operations and the bandwidth
that the type carries. What was not measured is never short. To read what goes to the volumes of every instance would
double what their metrics cost: volumes alone are a shortage only where the policy asks for it, and beside another one
always. Of an instance on Xen its volumes say it. A burstable instance without credits is held at its baseline, where
its peak says nothing; surplus credits have a check of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from finops.domain.money import to_cents
from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec, Pictures, Settled
from finops_operator.plugins.settled import seen_enough
from finops_operator.plugins.sufficiency import insufficient, seen_whole, unread
from finops_operator.pricing.instance_types import InstanceType
from finops_operator.services.ec2.instance import InstanceFacts
from finops_operator.services.ec2.rules.new_types import own_type
from finops_operator.services.ec2.rules.run_by_others import run_by_a_service
from finops_operator.services.ec2.sizing.fit import refusal
from finops_operator.services.ec2.sizing.known_type import type_too_new
from finops_operator.services.ec2.sizing.shortage import (
    CPU,
    MEMORY,
    NETWORK,
    Larger,
    Shortage,
    next_larger,
    shortage_of,
)
from finops_operator.services.ec2.sizing.shortage_words import shortage_evidence, shortage_facts, target_evidence
from finops_operator.services.ec2.sizing.volume_load import BUSY_PERCENT, TOWARDS_VOLUMES

ID: Final = "ec2_instance_underprovisioned"
_OTHERS: Final = (MEMORY, *NETWORK, *TOWARDS_VOLUMES)
_NOTHING: Final = "nothing that was measured exceeds what its type has"
_MEAN: Final = "minimumMeanPercent"
_VOLUMES: Final = "judgeVolumes"


@dataclass(frozen=True, slots=True)
class _Judged:
    """An instance that is short of something, and the type to take instead."""

    facts: Facts[InstanceFacts]
    current: InstanceType
    cpu: MetricSummary
    short: Shortage
    larger: Larger | None

    def same_as(self, other: _Judged) -> bool:
        """Return whether the same is said of the same type."""
        return (self.short, self.larger and self.larger.kind) == (other.short, other.larger and other.larger.kind)


def _judged(facts: Facts[InstanceFacts], parameters: Parameters) -> _Judged | str:
    """Return what is short, or in words why nothing is."""
    facts = replace(facts, utilization=seen_whole(facts.utilization, _OTHERS, facts.settings))
    current = own_type(facts)
    reason = _not_judged(facts, current) or insufficient(facts.utilization, CPU, facts.settings)
    cpu = facts.utilization.fine.get(CPU)
    if reason or current is None:
        return reason
    if cpu is None and not facts.utilization.least and _may_be_short(facts, parameters):
        # Days did not decide, and the 5 minutes that could were not to be had.
        return "its 5-minute metrics are not known"
    short = Shortage() if cpu is None else _short(facts, cpu, current, parameters)
    if short.ebs_alone and not parameters[_VOLUMES]:
        short = Shortage()
    if cpu is None or not short:
        return unread(facts.utilization, _OTHERS) or _NOTHING
    return _Judged(facts, current, cpu, short, next_larger(facts, cpu, current, short))


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    one = _judged(facts, parameters)
    if isinstance(one, str):
        return NotRecommended(ID, facts.resource.id, one)
    larger, now = one.larger, facts.cost.unrounded_monthly
    extra = None if larger is None or now is None else to_cents(larger.cost) - to_cents(now)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=now if larger is None else larger.cost,
        evidence=shortage_evidence(one.facts, one.cpu, one.current, parameters[_MEAN]) | target_evidence(larger, extra),
        summary=f"It needs more {one.short.words} than its {one.current.name} has.",
        facts=tuple(shortage_facts(one.facts, one.cpu, one.current, one.short, larger, extra)),
        target="" if larger is None else larger.kind.name,
    )


def _not_judged(facts: Facts[InstanceFacts], current: InstanceType | None) -> str:
    if facts.resource.state != "running":
        return f"it is {facts.resource.state or 'in an unknown state'}, not running"
    if current is None:
        return "nothing is known about its type"
    return run_by_a_service(facts) or refusal(facts.own, current) or type_too_new(facts)


def _short(facts: Facts[InstanceFacts], cpu: MetricSummary, current: InstanceType, parameters: Parameters) -> Shortage:
    return shortage_of(facts.utilization, cpu, current, facts.settings.sizing.margins, parameters[_MEAN])


def _judges_volumes(current: InstanceType, parameters: Parameters) -> bool:
    """A type without limits of its own towards EBS is never at one."""
    limited = current.ebs_baseline_iops is not None or current.ebs_baseline_mbytes_per_second is not None
    return bool(parameters[_VOLUMES]) and limited


def _may_be_short(facts: Facts[InstanceFacts], parameters: Parameters) -> bool:
    """Return whether an hourly picture leaves room for a shortage in its 5 minutes."""
    current = own_type(facts)
    if _not_judged(facts, current) or current is None:
        return False
    hourly = facts.utilization.metrics.get(CPU)
    if hourly is None or insufficient(facts.utilization, CPU, facts.settings):
        return False
    if _judges_volumes(current, parameters):
        return True
    # No 5 minutes are above the highest of all; an hour's bytes may all have come within 5 minutes.
    peak = replace(hourly, p90=hourly.maximum, p95=hourly.maximum, p99_5=hourly.maximum)
    bytes_at_most = {
        name: replace(one, p99=one.maximum, period_seconds=300, points=one.points * one.period_seconds // 300)
        for name in NETWORK
        if (one := facts.utilization.metrics.get(name)) is not None
    }
    within = replace(facts.utilization, fine=bytes_at_most)
    return bool(_short(replace(facts, utilization=within), peak, current, parameters))


def _settled(pictures: Pictures[InstanceFacts], parameters: Parameters) -> Settled:
    """Where the most that finer points can say is no shortage, days decide; else where both ends name one target."""
    current = own_type(pictures.days)
    if _not_judged(pictures.days, current) or current is None:
        return Settled.BY_DAYS
    most = pictures.most.utilization.fine.get(CPU)
    if most is None:
        return Settled.BY_DAYS if CPU not in pictures.days.utilization.metrics else Settled.OPEN
    if not _short(pictures.most, most, current, parameters):
        # What went to volumes is read by days for a judgement by bounds, and for none by days alone.
        return Settled.BY_BOUNDS if _judges_volumes(current, parameters) else Settled.BY_DAYS
    if not seen_enough(pictures):
        return Settled.OPEN
    least, highest = (_judged(one, parameters) for one in (pictures.least, pictures.most))
    if not isinstance(least, _Judged) or not isinstance(highest, _Judged):
        return Settled.OPEN
    return Settled.BY_BOUNDS if least.same_as(highest) else Settled.OPEN


CHECK: Final = Check(
    id=ID,
    title="Under-provisioned EC2 instance",
    kinds=("ec2-instance",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-ec2-recommendations.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    wants_fine=_may_be_short,
    settled_by_days=_settled,
    restart_needed=True,
    parameters=(
        ParameterSpec(
            name=_MEAN,
            unit="percent",
            default=Decimal(BUSY_PERCENT),
            minimum=Decimal(0),
            maximum=Decimal(100),
            description="CPU, or the network or EBS bandwidth that its type sustains, must be in use by this share in "
            "the mean: a short job that takes all there is needs no larger type. 0: the peak alone decides, as for "
            "Compute Optimizer.",
        ),
        ParameterSpec(
            name=_VOLUMES,
            unit="0 or 1",
            default=Decimal(0),
            minimum=Decimal(0),
            maximum=Decimal(1),
            description="1: what goes to the volumes of every instance is read and judged, four further metrics of "
            "each, on Xen of each of its volumes, which about doubles what CloudWatch bills for instances. 0: volumes "
            "count beside another shortage.",
        ),
    ),
)
