"""Choose the type to advise: the cheapest that fits, calmed so that the advice does not flap. Pure.

Called by the over-provisioned check. Prices come through the caller's `cost_of`; a candidate counts only when its price
is of the same kind (source and currency) as the current one's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from finops.domain.price import Cost
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.instance_types import Catalog, InstanceType
from finops_operator.services.ec2.instance import InstanceFacts
from finops_operator.services.ec2.sizing.fit import (
    attachable,
    compatible_types,
    has_room,
    machine_of,
    one_step,
    refusal,
)
from finops_operator.services.ec2.sizing.need import Need, hidden_demand, least_need, may_hide_demand, need_of

LARGE_STEP_DAYS: Final = 32
"""Days of data that allow more than one size step."""

NEW_TARGET_SLACK: Final = 1.05
"""A target not advised before must have this much more room: a need that hovers at a limit changes no advice."""

PREFERENCE_SHARE: Final = Decimal("0.10")
"""Share of the current cost that the cheapest target must save more, to replace the last advice or another family."""

SHOWN_ALTERNATIVES: Final = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A type that fits and is cheaper; costs and saving are monthly and unrounded."""

    kind: InstanceType
    monthly_cost: Decimal
    saving: Decimal


@dataclass(frozen=True, slots=True)
class Choice:
    """The advised target, others that fit, and what was needed."""

    target: Candidate
    alternatives: tuple[Candidate, ...]
    current: InstanceType
    need: Need


@dataclass(frozen=True, slots=True)
class Sizing:
    """What the choice is made of.

    Attributes:
        instance, own, utilization: what is sized, its facts, and what it did.
        cpu: its sufficient summary of `cpuPercent`.
        current_cost: its cost as it stands.
        cost_of: cost of a changed copy.
        minimum_saving_percent: saving below which nothing is advised.
        offered_types: types offered in the zone, None when not asked.
        previous_target: what was advised last.
    """

    instance: Resource
    own: InstanceFacts
    utilization: Utilization
    cpu: MetricSummary
    current_cost: Cost
    cost_of: Callable[[Resource], Cost]
    catalog: Catalog
    policy: SizingPolicy
    minimum_saving_percent: Decimal
    offered_types: frozenset[str] | None = None
    previous_target: str = ""


def choose(sizing: Sizing) -> Choice | str:
    """Return the choice, or in words why there is none."""
    current = _changeable(sizing)
    if isinstance(current, str):
        return current
    reason = hidden_demand(sizing.utilization, sizing.cpu, current, sizing.policy.margins)
    if reason:
        return reason
    need = need_of(sizing.utilization, sizing.cpu, current, sizing.policy.margins)
    worthwhile = _worthwhile(sizing, current, need)
    if isinstance(worthwhile, str):
        return worthwhile
    target = _calm(sizing, current, worthwhile)
    others = tuple(candidate for candidate in worthwhile if candidate is not target)
    return Choice(target, others[:SHOWN_ALTERNATIVES], current, need)


def ruled_out(sizing: Sizing) -> str:
    """Return why the hourly picture alone leaves no choice, empty when the 5-minute one may show room.

    `sizing.cpu` is the hourly summary here. It spares seven series of 5-minute points for each resource it rules out.
    """
    current = _changeable(sizing)
    if isinstance(current, str):
        return current
    least = least_need(sizing.utilization, sizing.cpu, current, sizing.policy.margins)
    worthwhile = _worthwhile(sizing, current, least)
    return worthwhile if isinstance(worthwhile, str) else ""


def same_choice(least: Sizing, most: Sizing) -> bool:
    """Return whether every load between `least` and `most` leads to one and the same target.

    The types that fit a load fit every smaller one. So a target of both ends fits in between, and of the types that are
    preferred to it the most that can happen is that they do not fit; only the last advice may come nearer to the best.
    """
    current = _changeable(least)
    if isinstance(current, str):
        return False
    margins = least.policy.margins
    if may_hide_demand(least.utilization, least.cpu, most.cpu, current, margins):
        return False
    for_least = _worthwhile(least, current, need_of(least.utilization, least.cpu, current, margins))
    for_most = _worthwhile(most, current, need_of(most.utilization, most.cpu, current, margins))
    if isinstance(for_least, str) or isinstance(for_most, str):
        return False
    target, last = _calm(least, current, for_least).kind.name, least.previous_target
    only_last = last in ("", target) or all(one.kind.name != last for one in for_least)
    return only_last and target == _calm(most, current, for_most).kind.name


def _changeable(sizing: Sizing) -> InstanceType | str:
    """Return the current type, or why nothing can be advised whatever the load is."""
    current = sizing.catalog.get(sizing.own.instance_type or "")
    if current is None:
        return "nothing is known about its type"
    reason = refusal(sizing.own, current)
    if reason:
        return reason
    if sizing.current_cost.monthly is None:
        return f"no price for what it is now ({'; '.join(sizing.current_cost.missing)})"
    return current


def _worthwhile(sizing: Sizing, current: InstanceType, need: Need) -> list[Candidate] | str:
    """Return the types that fit and save enough, the best first, or why there is none."""
    fitting = _fitting(sizing, current, need)
    if not fitting:
        return "no smaller type has room for its peaks"
    least = _monthly(sizing.current_cost) * sizing.minimum_saving_percent / 100
    priced = [candidate for kind in fitting if (candidate := _priced(sizing, kind)) and candidate.saving > 0]
    found = [candidate for candidate in priced if candidate.saving >= least]
    if not found:
        return "no smaller type with a known price saves enough"
    return sorted(found, key=lambda candidate: (-candidate.saving, candidate.kind.name))


def _fitting(sizing: Sizing, current: InstanceType, need: Need) -> list[InstanceType]:
    large_steps = sizing.cpu.days >= LARGE_STEP_DAYS
    with_slack = need.scaled(NEW_TARGET_SLACK)
    fitting = []
    for kind in compatible_types(sizing.catalog, machine_of(sizing.own), sizing.policy):
        wanted = need if kind.name == sizing.previous_target else with_slack
        if (
            (large_steps or one_step(current, kind))
            and (sizing.offered_types is None or kind.name in sizing.offered_types)
            and has_room(wanted, current, kind)
            and attachable(sizing.own, kind)
        ):
            fitting.append(kind)
    return fitting


def _priced(sizing: Sizing, kind: InstanceType) -> Candidate | None:
    changed = with_facts(sizing.instance, replace(sizing.own, instance_type=kind.name))
    cost = sizing.cost_of(changed)
    if cost.monthly is None or _price_kind(cost) != _price_kind(sizing.current_cost):
        return None
    monthly = _monthly(cost)
    return Candidate(kind, monthly, _monthly(sizing.current_cost) - monthly)


def _calm(sizing: Sizing, current: InstanceType, worthwhile: list[Candidate]) -> Candidate:
    """Prefer the last advice, then the family the workload knows, unless the cheapest saves clearly more."""
    best = worthwhile[0]
    near = _monthly(sizing.current_cost) * PREFERENCE_SHARE
    close = [candidate for candidate in worthwhile if best.saving - candidate.saving <= near]
    for candidate in close:
        if candidate.kind.name == sizing.previous_target:
            return candidate
    return next((candidate for candidate in close if candidate.kind.family == current.family), best)


def _monthly(cost: Cost) -> Decimal:
    return cost.unrounded_monthly or Decimal(0)


def _price_kind(cost: Cost) -> tuple[str, str]:
    return (cost.price.source, cost.price.currency) if cost.price else ("", "")
