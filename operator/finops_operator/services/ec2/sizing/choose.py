"""Choose the type to advise: the cheapest that fits, calmed so that the advice does not flap. Pure.

Called by the over-provisioned check. Prices come through the caller's `cost_of`; a candidate counts only when its price
is of the same kind (source and currency) as the current one's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from finops.domain.price import Cost
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.instance_types import Catalog, InstanceType
from finops_operator.services.ec2.instance import InstanceFacts, as_type
from finops_operator.services.ec2.rules.generations import of_previous_generation
from finops_operator.services.ec2.rules.vcpu_limits import VcpuLimits
from finops_operator.services.ec2.rules.vcpu_quota import quota_code
from finops_operator.services.ec2.sizing.fit import (
    attachable,
    compatible_offers,
    machine_of,
    one_step,
    refusal,
)
from finops_operator.services.ec2.sizing.migration import not_allowed
from finops_operator.services.ec2.sizing.need import Need, hidden_demand, least_need, may_hide_demand, need_of

LARGE_STEP_DAYS: Final = 32
"""Days of data that allow more than one size step."""

NEW_TARGET_SLACK: Final = 1.05
"""A target not advised before must have this much more room: a need that hovers at a limit changes no advice."""

PREFERENCE_SHARE: Final = Decimal("0.10")
"""Share of the current cost that the cheapest target must save more, to replace the last advice or another family."""

SHOWN_ALTERNATIVES: Final = 3

NO_ROOM: Final = "no smaller type has room for its peaks"
NO_SAVING: Final = "no smaller type with a known price saves enough"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A type that fits and is cheaper; costs and saving are monthly and unrounded.

    `not_allowed` says what keeps the change from being carried out: the policy, a quota; empty when nothing does.
    """

    kind: InstanceType
    monthly_cost: Decimal
    saving: Decimal
    not_allowed: str = ""

    @property
    def obstacles(self) -> int:
        """How many changes of it a policy or a person must allow first."""
        return len(self.not_allowed.split("; ")) if self.not_allowed else 0


@dataclass(frozen=True, slots=True)
class Choice:
    """The advised target, others that fit, and what was needed.

    Attributes:
        reason: why the target and none of the others, in words.
        final: where the steps end that the target is the first of; None where it is the last.
    """

    target: Candidate
    alternatives: tuple[Candidate, ...]
    current: InstanceType
    need: Need
    reason: str
    final: Candidate | None = None


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
        limits: the quotas of vCPUs, as far as they are known.
        previous_target: what was advised last.
        priced: the candidates by type, None for one without a price: each is priced once for all the pictures of a
            resource, and for all resources that differ in what they did and not in what they cost.
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
    limits: VcpuLimits = field(default_factory=VcpuLimits)
    previous_target: str = ""
    priced: dict[str, Candidate | None] = field(default_factory=dict)


def choose(sizing: Sizing) -> Choice | str:
    """Return the choice, or in words why there is none."""
    current = _changeable(sizing)
    if isinstance(current, str):
        return current
    reason = hidden_demand(sizing.utilization, sizing.cpu, current, sizing.policy.margins)
    if reason:
        return reason
    need = need_of(sizing.utilization, sizing.cpu, current, sizing.policy.margins)
    fitting = _fitting(sizing, current, need, large_steps=True)
    allowed = fitting if _large_steps(sizing) else [kind for kind in fitting if one_step(current, kind)]
    worthwhile = _worthwhile(sizing, current, allowed)
    if isinstance(worthwhile, str):
        return worthwhile
    target, reason = _calm(sizing, current, worthwhile)
    others = tuple(candidate for candidate in worthwhile if candidate is not target)[:SHOWN_ALTERNATIVES]
    return Choice(target, others, current, need, reason, _final(sizing, current, fitting, target))


def _final(sizing: Sizing, current: InstanceType, fitting: list[InstanceType], target: Candidate) -> Candidate | None:
    """Return what would be the target if every number of steps were allowed, where that saves more."""
    if _large_steps(sizing):
        return None
    worthwhile = _worthwhile(sizing, current, fitting)
    if isinstance(worthwhile, str):
        return None
    best, _ = _calm(sizing, current, worthwhile)
    return best if best.saving > target.saving and not one_step(current, best.kind) else None


def ruled_out(sizing: Sizing) -> str:
    """Return why the hourly picture alone leaves no choice, empty when the 5-minute one may show room.

    `sizing.cpu` is the hourly summary here. It spares seven series of 5-minute points for each resource it rules out.
    """
    current = _changeable(sizing)
    if isinstance(current, str):
        return current
    need = least_need(sizing.utilization, sizing.cpu, current, sizing.policy.margins)
    fitting = _fitting(sizing, current, need, large_steps=_large_steps(sizing))
    if not fitting:
        return NO_ROOM
    # One is enough here, so that the others need no price yet.
    least = _least_saving(sizing)
    return "" if any(_saves(least, _priced(sizing, current, kind)) for kind in fitting) else NO_SAVING


def same_choice(least: Sizing, most: Sizing) -> InstanceType | None:
    """Return the target that every load between `least` and `most` leads to, None where it is not one and the same.

    The types that fit a load fit every smaller one. So a target of both ends fits in between, and of the types that are
    preferred to it the most that can happen is that they do not fit; only the last advice may come nearer to the best.
    That holds for the types that may be carried out as for the others, which count only where there are none of them.
    What was preferred to the best for its fewer obstacles, or stays in a previous generation, may give way in between
    to one that is near a lesser best alone.
    """
    current = _changeable(least)
    if isinstance(current, str):
        return None
    margins = least.policy.margins
    if may_hide_demand(least.utilization, least.cpu, most.cpu, current, margins):
        return None
    for_least, for_most = _for_load(least, current), _for_load(most, current)
    if isinstance(for_least, str) or isinstance(for_most, str):
        return None
    chosen, last = _calm(least, current, for_least)[0], least.previous_target
    target = chosen.kind
    only_last = last in ("", target.name) or all(one.kind.name != last for one in for_least)
    in_own_family = target.family == current.family and not of_previous_generation(current.name)
    steady = in_own_family or target.name == last or chosen is _best(for_least)
    agreed = only_last and steady and target.name == _calm(most, current, for_most)[0].kind.name
    return target if agreed else None


def _for_load(sizing: Sizing, current: InstanceType) -> list[Candidate] | str:
    need = need_of(sizing.utilization, sizing.cpu, current, sizing.policy.margins)
    return _worthwhile(sizing, current, _fitting(sizing, current, need, large_steps=_large_steps(sizing)))


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


def _worthwhile(sizing: Sizing, current: InstanceType, fitting: list[InstanceType]) -> list[Candidate] | str:
    """Return those of the types that fit which save enough, the best first, or why there is none."""
    if not fitting:
        return NO_ROOM
    priced = [candidate for kind in fitting if (candidate := _priced(sizing, current, kind)) is not None]
    least = _least_saving(sizing)
    found = [candidate for candidate in priced if _saves(least, candidate)]
    if not found:
        return NO_SAVING
    return sorted(found, key=lambda candidate: (-candidate.saving, candidate.kind.name))


def _least_saving(sizing: Sizing) -> Decimal:
    return _monthly(sizing.current_cost) * sizing.minimum_saving_percent / 100


def _saves(least: Decimal, candidate: Candidate | None) -> bool:
    return candidate is not None and candidate.saving > 0 and candidate.saving >= least


def _large_steps(sizing: Sizing) -> bool:
    return sizing.cpu.days >= LARGE_STEP_DAYS


def _fitting(sizing: Sizing, current: InstanceType, need: Need, *, large_steps: bool) -> list[InstanceType]:
    with_slack = need.scaled(NEW_TARGET_SLACK)
    fitting, own_quota = [], quota_code(current.name)
    for offer in compatible_offers(sizing.catalog, machine_of(sizing.own), sizing.policy):
        kind = offer.kind
        if (
            (large_steps or offer.one_step)
            and offer.has_room(need if kind.name == sizing.previous_target else with_slack)
            and (sizing.offered_types is None or kind.name in sizing.offered_types)
            and attachable(sizing.own, kind)
            and (quota_code(kind.name) == own_quota or not sizing.limits.lacks(kind.name, kind.vcpus))
        ):
            fitting.append(kind)
    return fitting


def _priced(sizing: Sizing, current: InstanceType, kind: InstanceType) -> Candidate | None:
    if kind.name not in sizing.priced:
        sizing.priced[kind.name] = _candidate(sizing, current, kind)
    return sizing.priced[kind.name]


def _candidate(sizing: Sizing, current: InstanceType, kind: InstanceType) -> Candidate | None:
    cost = sizing.cost_of(as_type(sizing.instance, kind.name))
    if cost.monthly is None or _price_kind(cost) != _price_kind(sizing.current_cost):
        return None
    monthly = _monthly(cost)
    saving = _monthly(sizing.current_cost) - monthly
    return Candidate(kind, monthly, saving, not_allowed(current, kind, sizing.policy, sizing.limits))


def _calm(sizing: Sizing, current: InstanceType, worthwhile: list[Candidate]) -> tuple[Candidate, str]:
    """Return the target and why it is one.

    What may be carried out comes first, then the last advice and the family the workload knows, where they save nearly
    as much as the cheapest. A previous generation is left where the policy allows it: the stop is made anyway. Of what
    may not be carried out, that comes first which takes the fewest changes of the policy.
    """
    best = _best(worthwhile)
    worthwhile = [candidate for candidate in worthwhile if not candidate.not_allowed] or worthwhile
    near = _monthly(sizing.current_cost) * PREFERENCE_SHARE
    close = [candidate for candidate in worthwhile if best.saving - candidate.saving <= near]
    for candidate in close:
        if candidate.kind.name == sizing.previous_target:
            return candidate, "it was advised before and still fits, and none saves clearly more"
    if not best.not_allowed and of_previous_generation(current.name) and not of_previous_generation(best.kind.name):
        return best, f"it saves most, and {current.family} is of a previous generation"
    known = next((candidate for candidate in close if candidate.kind.family == current.family), None)
    if known is not None:
        return known, f"it stays in the family {current.family}, and no other saves clearly more"
    easiest = min(close, key=lambda candidate: candidate.obstacles)
    if easiest.obstacles < best.obstacles:
        return easiest, "it takes the fewest changes of the policy, and none saves clearly more"
    return best, "it saves most of those that fit" + (" and may be carried out" if not best.not_allowed else "")


def _best(worthwhile: list[Candidate]) -> Candidate:
    """Return the one that saves most of those that may be carried out, or of all where none may."""
    return next((candidate for candidate in worthwhile if not candidate.not_allowed), worthwhile[0])


def _monthly(cost: Cost) -> Decimal:
    return cost.unrounded_monthly or Decimal(0)


def _price_kind(cost: Cost) -> tuple[str, str]:
    return (cost.price.source, cost.price.currency) if cost.price else ("", "")
