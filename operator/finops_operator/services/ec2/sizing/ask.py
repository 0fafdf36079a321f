"""What the over-provisioned check asks the rules of sizing before there is a 5-minute picture. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Facts, Parameters, Pictures, Settled
from finops_operator.plugins.settled import seen_enough
from finops_operator.plugins.sufficiency import insufficient, metric_words
from finops_operator.services.ec2.instance import OFFERED_TYPES, InstanceFacts
from finops_operator.services.ec2.rules.new_types import catalog_of
from finops_operator.services.ec2.rules.run_by_others import run_by_a_service
from finops_operator.services.ec2.rules.vcpu_limits import VCPU_LIMITS, limits_of
from finops_operator.services.ec2.sizing.as_billed import what_prices
from finops_operator.services.ec2.sizing.choose import Sizing, ruled_out, same_choice
from finops_operator.services.ec2.sizing.known_type import type_too_new
from finops_operator.services.ec2.sizing.volume_load import held_by_volumes

_CPU: Final = "cpuPercent"
_PARTIAL_DAYS: Final = 2


def why_not(facts: Facts[InstanceFacts], parameters: Parameters) -> str:
    """Return why hours, or days in their place, leave nothing to advise; empty when 5-minute points may show room."""
    if facts.resource.state != "running":
        return f"it is {facts.resource.state}, not running"
    if reason := run_by_a_service(facts) or type_too_new(facts):
        return reason
    hourly = facts.utilization.metrics.get(_CPU)
    if hourly is None:
        return f"{metric_words(_CPU)} is unknown ({facts.utilization.unknown.get(_CPU, 'not measured')})"
    if _CPU in facts.utilization.least:
        # The finer windows begin and end within a day of the whole days: as long as they may be, large steps count.
        hourly = replace(hourly, expected=hourly.expected + _PARTIAL_DAYS)
    unknown = insufficient(facts.utilization, _CPU, facts.settings)
    return unknown or ruled_out(sizing_of(facts, parameters, hourly))


def sizing_of(facts: Facts[InstanceFacts], parameters: Parameters, cpu: MetricSummary) -> Sizing:
    """Return what a choice is made of; `cpu` is a sufficient summary of `cpuPercent`, of either picture."""
    return Sizing(
        instance=facts.resource,
        own=facts.own,
        utilization=facts.utilization,
        cpu=cpu,
        current_cost=facts.cost,
        cost_of=facts.cost_of,
        catalog=catalog_of(facts),
        policy=facts.settings.sizing,
        minimum_saving_percent=parameters["minimumSavingPercent"],
        offered_types=facts.answers.get(OFFERED_TYPES),
        limits=limits_of(facts.answers.get(VCPU_LIMITS)),
        previous_target=facts.previous_target,
        priced=facts.shared.setdefault((__name__, what_prices(facts)), {}),
    )


def settled_by_days(pictures: Pictures[InstanceFacts], parameters: Parameters) -> Settled:
    """Return whether no target fits even the least load, or one and the same is chosen for the least and the most.

    Whether its volumes would be held at the limits of that type, only 5 minutes say where days leave it open.
    """
    if not seen_enough(pictures):
        return Settled.OPEN
    if why_not(pictures.days, parameters):
        return Settled.BY_DAYS
    ends = [(facts, facts.utilization.fine.get(_CPU)) for facts in (pictures.least, pictures.most)]
    least, most = (None if cpu is None else sizing_of(facts, parameters, cpu) for facts, cpu in ends)
    agreed = None if least is None or most is None else same_choice(least, most)
    held = agreed is not None and held_by_volumes(pictures.most.utilization, agreed)
    return Settled.OPEN if agreed is None or held else Settled.BY_BOUNDS
