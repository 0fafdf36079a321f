"""Classic load balancers, AWS's previous generation: what succeeds them costs less by the hour.

Advice: a migration gives a new DNS name. Where all listeners speak HTTP an application load balancer takes over, else a
network load balancer. The saving is of the hours alone; data of the one and capacity units of the other are by use.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.price import Cost
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.sufficiency import figure
from finops_operator.services.elasticloadbalancing.judging.judged import not_judged
from finops_operator.services.elasticloadbalancing.load_balancer import LoadBalancerFacts
from finops_operator.services.elasticloadbalancing.rules.traffic import APPLICATION, CLASSIC, NETWORK

_HOUR: Final = "hour"
ID: Final = "load_balancer_classic"
_WEB: Final = frozenset({"HTTP", "HTTPS"})


def _evaluate(facts: Facts[LoadBalancerFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    resource, own = facts.resource, facts.own
    reason = not_judged(facts)
    if not reason and own.load_balancer_type != CLASSIC:
        reason = f"it is of the type {own.load_balancer_type}"
    if not reason and not own.listener_protocols:
        reason = "it has no listeners"
    if reason:
        return NotRecommended(ID, resource.id, reason)
    target = APPLICATION if set(own.listener_protocols or ()) <= _WEB else NETWORK
    future = facts.cost_of(with_facts(resource, replace(own, load_balancer_type=target)))
    current, new = _hours(facts.cost), _hours(future)
    if current is None or new is None:
        missing = "; ".join(
            one for one in dict.fromkeys((*facts.cost.missing, *future.missing)) if one.startswith(_HOUR)
        )
        return NotRecommended(ID, resource.id, f"the saving is not known ({missing})")
    if new >= current:
        return NotRecommended(ID, resource.id, f"a load balancer of the type {target} would not cost less")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=_after(facts.cost, current, new),
        evidence={
            "loadBalancerType": CLASSIC,
            "targetType": target,
            "hoursMonthlyCost": figure(current),
            "targetHoursMonthlyCost": figure(new),
        },
        summary=f"It is of the previous generation; a load balancer of the type {target} costs less by the hour.",
        target=target,
        facts=(
            EvidenceFact("Type", "classic, the previous generation"),
            EvidenceFact("Protocols of its listeners", ", ".join(sorted(set(own.listener_protocols or ())))),
            EvidenceFact("Hours, billed a month", f"{current:,.2f} USD now, {new:,.2f} USD as {target}"),
            EvidenceFact("Billed by use", "data now, capacity units then, which are not known"),
        ),
    )


def _after(cost: Cost, current: Decimal, new: Decimal) -> Decimal | None:
    """Return its cost with the hours of the other type; its public addresses stay.

    What a used one will need in capacity units, nothing measured now says.
    """
    total = cost.unrounded_monthly
    return None if total is None or any(one.by_use for one in cost.components) else total - current + new


def _hours(cost: Cost) -> Decimal | None:
    return next((one.monthly for one in cost.components if one.dimension == _HOUR), None)


CHECK: Final = Check(
    id=ID,
    title="Classic load balancer",
    kinds=("load-balancer",),
    documentation="https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/migrate-classic-load-balancer.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
    restart_needed=False,
    rollback_possible=True,
    destructive=False,
)
