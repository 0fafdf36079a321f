"""Turn findings into recommendations with money. Pure; called once per resource, then once for the whole scan.

Money: costs are list prices rounded to cents; the list saving is the difference of the two rounded costs, so that
columns add up; the discount reduces it to the net saving, which is what `monthly_savings` holds. 0 ≤ saving ≤ cost.
Alternatives for one resource form a group of which only the best counts; figures that are not known stay null and say
why, and count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from finops.domain.canonical import Json
from finops.domain.money import as_text, clamp_saving, to_cents
from finops.domain.price import Cost, missing_in_words
from finops.domain.recommendation import Finding, Recommendation, ResourceRef, recommendation_id
from finops.domain.report import Savings
from finops.domain.resource import Resource
from finops_operator.plugins.action import Action, OwnerChange
from finops_operator.plugins.check import Check
from finops_operator.plugins.kind import ResourceKind
from finops_operator.rules.readiness import ActTerms, judged


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says about recommendations.

    Attributes:
        policy: `namespace/name`, part of every recommendation's id.
        acts: what the policy and the resource's account allow; decides each recommendation's status.
        discount_percent: `pricing.discountPercent`, what commitments and agreements take off the list price.
    """

    policy: str
    acts: ActTerms
    discount_percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Declarations:
    """What the resource's kind, the checks and the actions declare about themselves."""

    kind: ResourceKind[Any]
    checks: Mapping[str, Check[Any]]
    actions: Mapping[str, Action]


def recommend(
    resource: Resource, cost: Cost, findings: Iterable[Finding], declared: Declarations, terms: Terms
) -> tuple[Recommendation, ...]:
    """Return the recommendations for one resource, best first; only the first one counts."""
    made = [judged(_recommendation(resource, cost, finding, declared, terms), terms.acts) for finding in findings]
    ordered = ranked(made)
    return tuple(replace(one, counted=index == 0) for index, one in enumerate(ordered))


def ranked(recommendations: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
    """Return recommendations by saving, largest first; unknown savings last; acts that can be undone before others."""
    return tuple(sorted(recommendations, key=_rank))


def savings_of(recommendations: Iterable[Recommendation]) -> Savings:
    """Add the rounded savings of the counted recommendations by status; an unknown saving is only counted."""
    sums = Savings()
    for one in recommendations:
        if one.counted:
            sums = sums.plus(one.status, one.monthly_savings, once=bool(one.lasts_days))
    return sums


def _rank(one: Recommendation) -> tuple[bool, Decimal, bool, str, str]:
    saving = one.monthly_savings
    return (saving is None, -(saving or Decimal(0)), one.destructive, one.check, one.resource.arn)


def _recommendation(
    resource: Resource, cost: Cost, finding: Finding, declared: Declarations, terms: Terms
) -> Recommendation:
    check = declared.checks[finding.check]
    list_saving = _list_saving(cost, finding)
    saving = None if list_saving is None else _net(list_saving, terms.discount_percent)
    new_cost = None if finding.new_monthly_cost is None else to_cents(finding.new_monthly_cost)
    attributes: dict[str, Json] = {
        "listMonthlySavings": as_text(list_saving),
        "discountPercent": as_text(terms.discount_percent),
    }
    action = declared.actions.get(finding.action)
    if list_saving is None:
        attributes["noPriceReason"] = missing_in_words(cost.missing) or "no price for what would remain"
    return Recommendation(
        id=recommendation_id(terms.policy, check.id, resource.arn, finding.action, finding.parameters),
        policy=terms.policy,
        check=check.id,
        action=finding.action,
        action_type=check.action_type,
        destructive=check.destructive,
        resource=ResourceRef(
            resource.kind, resource.id, resource.arn, resource.account, resource.region, resource.name
        ),
        parameters=finding.parameters,
        current_monthly_cost=cost.monthly,
        new_monthly_cost=new_cost,
        monthly_savings=saving,
        price_source=cost.price.source if cost.price else "",
        price_as_of=cost.price.as_of.isoformat() if cost.price else "",
        effort=check.effort,
        restart_needed=check.restart_needed,
        rollback_possible=check.rollback_possible,
        evidence=finding.evidence,
        summary=finding.summary,
        group=resource.arn,
        alternatives=finding.alternatives,
        advice=finding.advice or _advice(resource, finding, declared),
        attributes=attributes,
        target=finding.target,
        facts=finding.facts,
        expectation=finding.expectation,
        performance_risk=finding.performance_risk,
        tags=dict(resource.tags),
        lasts_days=action.lasts_days if action is not None else 0,
    )


def _list_saving(cost: Cost, finding: Finding) -> Decimal | None:
    if cost.monthly is None or finding.new_monthly_cost is None:
        return None
    return clamp_saving(to_cents(cost.monthly) - to_cents(finding.new_monthly_cost), to_cents(cost.monthly))


def _net(list_saving: Decimal, discount_percent: Decimal) -> Decimal:
    return clamp_saving(to_cents(list_saving * (1 - discount_percent / 100)), list_saving)


def _advice(resource: Resource, finding: Finding, declared: Declarations) -> str:
    owner = declared.kind.owner(resource)
    action = declared.actions.get(finding.action)
    rules = action.at_owner if action is not None else OwnerChange()
    if owner is None or not owner.would_undo(only_stops=rules.only_stops):
        return ""
    return owner.advice(rules.patch(owner, resource, finding.parameters), only_stops=rules.only_stops)
