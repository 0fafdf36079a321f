"""Turn findings into recommendations with money. Pure; called once per resource, then once for the whole scan.

Money: costs are list prices rounded to cents; the list saving is the difference of the two rounded costs, so that
columns add up. Of units whose price falls with what an account uses, a resource costs its share at the average price,
and what goes takes the last, cheapest units: the saving is then what the bill falls by, and the new cost the rest. What
commitments keep on the bill and the policy's discount reduce it to the net saving, which is what `monthly_savings`
holds. Where commitments are not known, it holds the list saving less the discount, and the net saving is null.
0 ≤ net ≤ list ≤ cost. The cost of a group is its members', with its own where it has one.
Alternatives for one resource form a group of which only one counts: an act that people can be asked for before advice,
then the larger saving. Figures that are not known stay null and say why, and count for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.money import DEFAULT_HOURS_PER_MONTH, as_text, clamp_saving, to_cents
from finops.domain.price import Cost, Price, PriceQuery, missing_in_words
from finops.domain.recommendation import EvidenceFact, Finding, Recommendation, ResourceRef, Status, recommendation_id
from finops.domain.report import Savings
from finops.domain.resource import Resource
from finops_operator.plugins.action import Action, OwnerChange
from finops_operator.plugins.check import Check
from finops_operator.plugins.commitments import Act, Committed, Unsaved
from finops_operator.plugins.kind import ResourceKind
from finops_operator.rules.readiness import SAVES_NOTHING, ActTerms, judged


def never_failed(_query: PriceQuery) -> bool:
    """Return that every source could be asked, as `Terms.price_failed`."""
    return False


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says about recommendations.

    Attributes:
        policy: `namespace/name`, part of every recommendation's id.
        acts: what the policy and the resource's account allow; decides each recommendation's status.
        discount_percent: `pricing.discountPercent`, what private prices take off the list price.
        hours_per_month: `pricing.hoursPerMonth`.
        price_failed: whether a source could not be asked for a price in this scan, which a next one may know.
    """

    policy: str
    acts: ActTerms
    discount_percent: Decimal = Decimal(0)
    hours_per_month: Decimal = DEFAULT_HOURS_PER_MONTH
    price_failed: Callable[[PriceQuery], bool] = never_failed


@dataclass(frozen=True, slots=True)
class Declarations:
    """What the resource's kind, the checks and the actions declare about themselves."""

    kind: ResourceKind[Any]
    checks: Mapping[str, Check[Any]]
    actions: Mapping[str, Action]


_CHEAPEST_UNITS: Final = EvidenceFact(
    "Saving", "at the lowest prices that the account reaches; its cost is at the average of all prices"
)
_NOT_ASKED: Final = "AWS's price list could not be asked in this scan"
CommittedFor = Callable[[Status], Committed]
"""Commitments as they stand beside the recommendations of one status that were counted before."""


def recommend(
    resource: Resource,
    cost: Cost,
    findings: Iterable[Finding],
    declared: Declarations,
    terms: Terms,
    committed: CommittedFor | None = None,
    at_margin: Cost | None = None,
) -> tuple[Recommendation, ...]:
    """Return the recommendations for one resource, best first; only the first one counts.

    `at_margin`: what the bill falls by when the resource goes, which the new costs of findings are to be compared with;
    None: its cost.
    `committed` is asked only where there is something to save; None: what the kind knows without reading anything.
    """
    made: list[Recommendation] = []
    for finding in findings:
        listed = judged(_recommendation(resource, cost, _spread(finding, cost, at_margin), declared, terms), terms.acts)
        kept = _unsaved(listed, resource, finding, declared, committed)
        made.append(judged(_net_of(listed, kept, terms), terms.acts))
    ordered = ranked(made)
    counts = ((one, index == 0) for index, one in enumerate(ordered))
    return tuple(one if one.counted is first else replace(one, counted=first) for one, first in counts)


def ranked(recommendations: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
    """Return the recommendations for one resource, the one that counts first.

    Acts that people can be asked for come before advice of any saving, which would keep them from being proposed; so
    do those whose saving nobody can know, where the policy lets people weigh them. Within each the largest saving
    comes first, unknown savings last, acts that can be undone before others.
    """
    return tuple(sorted(recommendations, key=_rank))


def savings_of(recommendations: Iterable[Recommendation]) -> Savings:
    """Add the rounded savings of the counted recommendations by status; an unknown saving is only counted."""
    sums = Savings()
    for one in recommendations:
        if one.counted:
            sums = sums.plus(one.status, one.monthly_savings, once=bool(one.lasts_days))
    return sums


def _rank(one: Recommendation) -> tuple[bool, bool, Decimal, bool, str, str]:
    saving, can_be_asked_for = one.monthly_savings, one.status is Status.ACTIONABLE
    return (not can_be_asked_for, saving is None, -(saving or Decimal(0)), one.destructive, one.check, one.resource.arn)


def _spread(finding: Finding, cost: Cost, at_margin: Cost | None) -> Finding:
    """Return the finding with a new cost that is less than `cost` by what the bill falls by, where that is less."""
    now, last, new = cost.at_stake, None if at_margin is None else at_margin.at_stake, finding.new_monthly_cost
    if at_margin is None or at_margin is cost or now is None or new is None or last == now:
        return finding
    if last is None:
        return replace(finding, new_monthly_cost=None, unpriced=missing_in_words(at_margin.missing))
    saving = clamp_saving(to_cents(last) - to_cents(new), to_cents(now))
    facts = (*finding.facts, _CHEAPEST_UNITS) if saving else finding.facts
    return replace(finding, new_monthly_cost=to_cents(now) - saving, facts=facts)


def _recommendation(
    resource: Resource, cost: Cost, finding: Finding, declared: Declarations, terms: Terms
) -> Recommendation:
    check = _with_own_reason(declared.checks[finding.check], finding)
    list_saving, price = _list_saving(cost, finding), _price_of(cost)
    new_cost = None if finding.new_monthly_cost is None else to_cents(finding.new_monthly_cost)
    failed = finding.saving_needs is not None and terms.price_failed(finding.saving_needs)
    knowable = finding.saving_knowable or failed
    unknown = check.saving_unknown if list_saving is None and not knowable else ""
    unpriced = unknown or (_NOT_ASKED if failed else "") or missing_in_words(cost.missing) or finding.unpriced
    action = declared.actions.get(finding.action)
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
        current_monthly_cost=cost.at_stake,
        new_monthly_cost=new_cost,
        monthly_savings=discounted(list_saving, terms.discount_percent),
        list_monthly_savings=list_saving,
        price_source=price.source if price else "",
        price_as_of=price.as_of.isoformat() if price else "",
        effort=check.effort,
        restart_needed=check.restart_needed,
        rollback_possible=check.rollback_possible,
        evidence=finding.evidence,
        summary=finding.summary,
        group=resource.arn,
        alternatives=finding.alternatives,
        advice=finding.advice or _advice(resource, finding, declared),
        attributes={
            **_attributes(cost, list_saving, terms, unpriced),
            **({SAVES_NOTHING: True} if action is not None and not action.saves else {}),
        },
        target=finding.target,
        facts=finding.facts,
        expectation=finding.expectation,
        performance_risk=finding.performance_risk,
        tags=dict(resource.tags),
        lasts_days=action.lasts_days if action is not None else 0,
        saving_unknown=unknown,
    )


def _with_own_reason(check: Check[Any], finding: Finding) -> Check[Any]:
    """Return a check that says why no source can know its saving, with the reason of this finding where it has one."""
    return replace(check, saving_unknown=finding.unpriced) if check.saving_unknown and finding.unpriced else check


def _attributes(cost: Cost, list_saving: Decimal | None, terms: Terms, unpriced: str) -> dict[str, Json]:
    """Return what is said of the figures; `unpriced`: why the saving is not known, where it is not."""
    attributes: dict[str, Json] = {
        # Kept for readers of older releases; the figure has a field of its own.
        "listMonthlySavings": as_text(list_saving),
        "discountPercent": as_text(terms.discount_percent),
    }
    if cost.group is not None:
        # Whether the figures are its members' alone, or its own with theirs.
        attributes["attributed" if cost.of_members else "withMembers"] = True
    if cost.at_stake is None:
        attributes["knownMonthlyCost"] = as_text(cost.at_least)
    if list_saving is None:
        attributes["noPriceReason"] = unpriced or "no price for what would remain"
    return attributes


def _list_saving(cost: Cost, finding: Finding) -> Decimal | None:
    now = cost.at_stake
    if now is None or finding.new_monthly_cost is None:
        return None
    return to_cents(clamp_saving(to_cents(now) - to_cents(finding.new_monthly_cost), to_cents(now)))


def _price_of(cost: Cost) -> Price | None:
    """Return the price that the figures rest on; of a group the oldest among its own and those of its members."""
    if cost.attributed is None:
        return cost.price
    prices = (cost.price, *(one.price for _, one in cost.attributed.members or ()))
    return min((one for one in prices if one is not None), key=lambda one: one.as_of, default=None)


def discounted(saving: Decimal | None, discount_percent: Decimal) -> Decimal | None:
    """Return what is left of a saving at list price, US dollars in cents, where private prices are lower."""
    if saving is None:
        return None
    return to_cents(clamp_saving(saving * (1 - discount_percent / 100), saving))


def _unsaved(
    listed: Recommendation,
    resource: Resource,
    finding: Finding,
    declared: Declarations,
    committed: CommittedFor | None,
) -> Unsaved:
    if not listed.list_monthly_savings:
        return Unsaved(None if listed.list_monthly_savings is None else Decimal(0))
    known = declared.kind.commitments.otherwise if committed is None else committed(listed.status)
    return known.unsaved(Act(resource, listed.action_type, finding.target))


def _net_of(listed: Recommendation, kept: Unsaved, terms: Terms) -> Recommendation:
    """Return `listed` with its net saving; where that is not known, the saving at list price goes on deciding."""
    saving = listed.list_monthly_savings
    if saving is None or kept.hourly is None:
        return replace(listed, net_note=kept.note)
    rest = clamp_saving(saving - kept.hourly * terms.hours_per_month, saving)
    net = discounted(rest, terms.discount_percent)
    return replace(listed, monthly_savings=net, net_monthly_savings=net, net_note=kept.note)


def _advice(resource: Resource, finding: Finding, declared: Declarations) -> str:
    owner = declared.kind.owner(resource)
    action = declared.actions.get(finding.action)
    rules = action.at_owner if action is not None else OwnerChange()
    if owner is None or not owner.would_undo(only_stops=rules.only_stops):
        return ""
    return owner.advice(rules.patch(owner, resource, finding.parameters), only_stops=rules.only_stops)
