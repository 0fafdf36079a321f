"""Load balancers and what passed through them, for the tests of the kind and its checks; bundled prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from tests.support.facts import NOW, summarize

from finops.domain.canonical import Json
from finops.domain.price import Cost
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, MonthlyUse, Utilization
from finops_operator.plugins.check import Check, Facts, JudgeSettings
from finops_operator.plugins.facts import facts_of
from finops_operator.plugins.kind import MetricSpec, PriceLookup
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import cost_of
from finops_operator.services.elasticloadbalancing.load_balancer import KIND

HOURS: Final = 14 * 24
_NOTHING: Final[Mapping[str, Sequence[float]]] = MappingProxyType({})
IDS: Final = {
    "application": "app/shop/50dc6c495c0c9188",
    "network": "net/shop/50dc6c495c0c9188",
    "gateway": "gwy/shop/50dc6c495c0c9188",
    "classic": "shop",
}


def balancer(kind: str = "application", state: str = "active", **attributes: Json) -> Resource:
    """Return a load balancer of the type in us-east-1, a year old, with three healthy targets."""
    arn = f"arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/{IDS[kind]}"
    facts: dict[str, Json] = {
        "load_balancer_name": "shop",
        "load_balancer_arn": arn,
        "load_balancer_type": kind,
        "scheme": "internal",
        "public_addresses": 0,
        "registered_targets": 3,
        "tags_known": True,
    }
    if kind == "classic":
        facts["listener_protocols"] = ["HTTP"]
    return Resource(
        kind="load-balancer",
        id=IDS[kind],
        arn=arn,
        name="shop",
        account="111122223333",
        region="us-east-1",
        state=state,
        created=NOW - timedelta(days=365),
        attributes={**facts, **attributes},
    )


def specs(resource: Resource) -> tuple[MetricSpec, ...]:
    """Return the metrics that this load balancer publishes, without those that only its bill is made of."""
    return tuple(spec for spec in KIND.metrics if spec.applies(resource) and not spec.daily)


def billed(resource: Resource, amount: float = 0.0) -> dict[str, MonthlyUse]:
    """Return what of its use 720 hours brought, in units of the metric."""
    return {spec.name: MonthlyUse(amount, 720.0) for spec in KIND.metrics if spec.applies(resource) and spec.daily}


def carried(resource: Resource, points: Mapping[str, Sequence[float]] = _NOTHING, *, hours: int = HOURS) -> Utilization:
    """Return what was measured: zero in every hour, but for the metrics named."""
    metrics: dict[str, MetricSummary] = {
        spec.name: summarize(points.get(spec.name, [0.0] * hours), expected=hours) for spec in specs(resource)
    }
    return Utilization(resource.id, metrics=metrics, month=billed(resource))


def without(utilization: Utilization, name: str, reason: str = "Throttled") -> Utilization:
    """Return the same measurements with one metric unknown."""
    rest = {key: value for key, value in utilization.metrics.items() if key != name}
    return replace(utilization, metrics=rest, unknown={name: reason})


def cost(
    resource: Resource,
    utilization: Utilization | None = None,
    *,
    lookup: PriceLookup = SOURCE.lookup,
    hours: int = 730,
) -> Cost:
    """Return what it costs at bundled prices; nothing passed through it unless stated otherwise."""
    used = utilization or Utilization(resource.id, month=billed(resource))
    return cost_of(resource, KIND.billed_parts, lookup, Decimal(hours), used)


def judged(
    check: Check[Any], resource: Resource, utilization: Utilization | None = None, **parameters: Decimal
) -> Finding | NotRecommended:
    """Return the check's verdict, with its defaults where no parameter is given."""
    facts = Facts(
        resource=resource,
        own=facts_of(KIND.facts, resource),
        utilization=utilization or Utilization(resource.id),
        cost=cost(resource, utilization),
        cost_of=lambda changed: cost(changed, utilization or Utilization(resource.id, month=billed(resource))),
        lookup=SOURCE.lookup,
        settings=JudgeSettings(),
        now=NOW,
    )
    return check.evaluate(facts, {**{spec.name: spec.default for spec in check.parameters}, **parameters})


def found(
    check: Check[Any], resource: Resource, utilization: Utilization | None = None, **parameters: Decimal
) -> Finding:
    """Return the finding; a verdict against one fails the test."""
    verdict = judged(check, resource, utilization, **parameters)
    assert isinstance(verdict, Finding), verdict
    return verdict


def reason(check: Check[Any], resource: Resource, utilization: Utilization | None = None, **parameters: Decimal) -> str:
    """Return why there is no finding; a finding fails the test."""
    verdict = judged(check, resource, utilization, **parameters)
    assert isinstance(verdict, NotRecommended), verdict
    return verdict.reason
