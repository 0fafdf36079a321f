"""Load balancers that hardly anybody uses: their hours are billed all the same.

AWS publishes one threshold, Trusted Advisor's for classic load balancers: fewer than 100 requests a day. It is taken
for application load balancers too, where requests that a rule redirects or answers itself count as well. Of network and
gateway load balancers AWS publishes none, and a single flow may be a database's or a firewall's: those are idle only
without any new flow and any byte. The window is the 14 days of AWS's other idle rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen
from finops_operator.services.elasticloadbalancing.judging.judged import busiest_day, not_judged, too_young
from finops_operator.services.elasticloadbalancing.load_balancer import LoadBalancerFacts
from finops_operator.services.elasticloadbalancing.rules.traffic import APPLICATION, CLASSIC, TRAFFIC, Traffic

ID: Final = "load_balancer_idle"
_ACTION: Final = "load_balancer_delete"
_BY_REQUESTS: Final = frozenset({APPLICATION, CLASSIC})
_STREAMS: Final = frozenset({"TCP", "SSL"})


def _evaluate(facts: Facts[LoadBalancerFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, limit = parameters["minimumIdleDays"], parameters["minimumRequestsPerDay"]
    reason = not_judged(facts) or too_young(facts, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    traffic = TRAFFIC[facts.own.load_balancer_type or ""]
    counted = (*traffic.requests, *([traffic.amount] if traffic.amount else ()))
    reason = days_unseen(facts, counted, least)
    summary = facts.utilization.best(traffic.requests[0])
    if reason or summary is None:
        return NotRecommended(ID, facts.resource.id, reason or "it was not measured")
    requests = busiest_day(facts.utilization, traffic.requests)
    amount = busiest_day(facts.utilization, (traffic.amount,)) if traffic.amount else 0.0
    by_requests = facts.own.load_balancer_type in _BY_REQUESTS
    if by_requests and requests >= limit:
        reason = f"its busiest day had {count(requests)} requests, idle is below {limit}"
    elif not by_requests and requests > 0:
        reason = f"it carried {count(requests)} new flows on its busiest day"
    elif amount > 0 and _counts_bytes(facts.own):
        reason = f"it carried {count(amount)} bytes on its busiest day"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action=_ACTION if requests == 0 and _serves_nothing(facts.own) else "",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "busiestDayRequests": figure(requests),
            "thresholdRequestsPerDay": str(limit) if by_requests else "1",
            "thresholdIdleDays": str(least),
            "registeredTargets": facts.own.registered_targets,
            **coverage_evidence(summary),
        },
        summary=f"Idle for {days(summary.hours)}: {_at_most(requests, traffic.noun)}.",
        facts=tuple(_facts(facts.own, summary, traffic, requests, limit if by_requests else Decimal(1))),
    )


def _serves_nothing(own: LoadBalancerFacts) -> bool:
    """Return whether no target works behind it; with one that does, or may, to delete it is a person's decision."""
    return own.registered_targets == 0 or own.healthy_targets == 0


def _counts_bytes(own: LoadBalancerFacts) -> bool:
    """Return whether bytes speak against idleness: HTTP says all in its requests, a stream may stay open for days."""
    return (
        own.load_balancer_type != CLASSIC
        or own.listener_protocols is None
        or bool(_STREAMS & set(own.listener_protocols))
    )


def _at_most(requests: float, noun: str) -> str:
    return f"no {noun} at all" if requests == 0 else f"at most {count(requests)} {noun} on any day"


def _facts(
    own: LoadBalancerFacts, summary: MetricSummary, traffic: Traffic, requests: float, limit: Decimal
) -> Iterator[EvidenceFact]:
    yield EvidenceFact(f"{traffic.noun.capitalize()}, busiest day", f"{count(requests)}; idle is below {limit}")
    yield window_fact(summary)
    targets = own.registered_targets
    yield EvidenceFact("Registered targets", "not known" if targets is None else count(targets))
    yield EvidenceFact("Billed by use", "public addresses are not in the cost")


CHECK: Final = Check(
    id=ID,
    title="Idle load balancer",
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
            name="minimumRequestsPerDay",
            unit="requests a day",
            default=Decimal(100),
            minimum=Decimal(1),
            maximum=Decimal(1000000),
            description="An application or classic load balancer with this many requests on any day is not idle.",
        ),
        ParameterSpec(
            name="minimumIdleDays",
            unit="days",
            default=Decimal(14),
            minimum=Decimal(7),
            maximum=Decimal(63),
            description="A load balancer is idle after this many days, which must lie within `metrics.lookbackDays`.",
        ),
    ),
)
