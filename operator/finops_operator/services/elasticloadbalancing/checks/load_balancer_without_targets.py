"""Load balancers with nothing behind them: every client gets an error, and the hours are billed.

Follows Trusted Advisor's "no active back-end instances", which covers classic load balancers only. A load balancer
whose listeners or rules redirect or answer clients themselves needs no targets and is left alone, and so is one that
carried traffic in the window: its targets may come and go with a schedule.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count
from finops_operator.plugins.sufficiency import metric_words, unread
from finops_operator.services.elasticloadbalancing.judging.judged import busiest_day, not_judged, too_young
from finops_operator.services.elasticloadbalancing.load_balancer import LoadBalancerFacts
from finops_operator.services.elasticloadbalancing.rules.traffic import CLASSIC, TRAFFIC

ID: Final = "load_balancer_without_targets"
_ACTION: Final = "load_balancer_delete"


def _evaluate(facts: Facts[LoadBalancerFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumAgeDays"]
    reason = not_judged(facts) or too_young(facts, least) or _has_targets(facts.own) or _carried(facts)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "registeredTargets": 0,
            "targetGroups": facts.own.target_groups,
            "thresholdAgeDays": str(least),
        },
        summary="No target is registered with it, so every request to it fails.",
        facts=tuple(_facts(facts)),
    )


def _has_targets(own: LoadBalancerFacts) -> str:
    if own.registered_targets is None:
        return "its targets are not known"
    if own.registered_targets:
        return f"{count(own.registered_targets)} targets are registered"
    if own.load_balancer_type == CLASSIC:
        return ""
    if own.answers_itself is None:
        return "its listeners are not known"
    return "a listener or rule answers without targets" if own.answers_itself else ""


def _carried(facts: Facts[LoadBalancerFacts]) -> str:
    """Return what speaks for targets that were there; that nothing was published is what one without them does."""
    names = TRAFFIC[facts.own.load_balancer_type or ""].requests
    failed = unread(facts.utilization, names)
    if failed:
        return failed
    for name in names:
        if facts.utilization.best(name) is None and name not in facts.utilization.unknown:
            return f"{metric_words(name)} is unknown (not measured)"
    carried = busiest_day(facts.utilization, tuple(name for name in names if facts.utilization.best(name)))
    return f"it carried traffic in the window, {count(carried)} on its busiest day" if carried else ""


def _facts(facts: Facts[LoadBalancerFacts]) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Registered targets", "none")
    if facts.own.target_groups is not None:
        yield EvidenceFact("Target groups", count(facts.own.target_groups))
    if facts.resource.created is not None:
        yield EvidenceFact("Created", f"{facts.resource.created:%Y-%m-%d}")
    yield EvidenceFact("Billed by use", "capacity, data and public addresses are not in the cost")


CHECK: Final = Check(
    id=ID,
    title="Load balancer without targets",
    kinds=("load-balancer",),
    documentation="https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html#idle-load-balancers",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    action=_ACTION,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumAgeDays",
            unit="days",
            default=Decimal(7),
            minimum=Decimal(1),
            maximum=Decimal(63),
            description="A load balancer younger than this may still get its targets.",
        ),
    ),
)
