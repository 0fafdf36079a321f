"""0 ≤ net saving ≤ list saving ≤ cost, and net is no more than what the bill falls by: stops and other types alike."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import facts_of
from tests.unit.services.ec2.commitments.drawn_days import HOURS, KINDS, Commitments, bill, days
from tests.unit.services.ec2.commitments.fleets import month, running

from finops.crds.policy_actions import Mode
from finops.domain.recommendation import Finding, Recommendation
from finops.domain.resource import Resource
from finops_operator.plugins.loaded import load_actions, load_checks
from finops_operator.rules.readiness import ActTerms
from finops_operator.scan.recommend import Declarations, Terms, recommend
from finops_operator.services.ec2.instance import KIND
from finops_operator.services.ec2.rules.remaining_cost import stopped_cost

ACTS = ActTerms(Mode.RECOMMEND, frozenset(), Decimal(0))
DECLARED = Declarations(KIND, load_checks(), load_actions())
CENT = Decimal("0.01")
Drawn = tuple[dict[str, frozenset[int]], dict[str, Resource], Commitments]


def advised(
    records: dict[str, Resource], committed: Commitments, name: str, target: str, terms: Terms
) -> Recommendation:
    """Return what is said of an instance that is to be stopped, or to become another type."""
    one, several = records[name], month(list(records.values()), *committed)
    facts = facts_of(one)
    if target:
        left = facts.cost_of(replace(one, attributes={**one.attributes, "instance_type": target})).unrounded_monthly
        found = Finding("ec2_instance_overprovisioned", "", {}, left, {}, "It is too large.", target=target)
    else:
        found = Finding("ec2_instance_idle", "", {}, stopped_cost(facts), {}, "It is idle.")
    (made,) = recommend(one, facts.cost, [found], DECLARED, terms, lambda _status: several)
    return made


def billed(drawn: Drawn, name: str, target: str) -> Decimal:
    """Return by how much the bill of an hour falls on average, at list prices, beside all commitments."""
    hours, records, committed = drawn
    then = {key: ran for key, ran in hours.items() if target or key != name}
    changed = {**records, name: running(target, name, availability_zone="us-east-1a")} if target else records
    return bill(hours, records, committed) - bill(then, changed, committed)


@given(days(), st.sampled_from(("", *KINDS)), st.sampled_from(("0", "10", "100")), st.sampled_from(("672", "730")))
def test_net_is_never_more_than_list_nor_list_than_cost_and_none_is_negative_whatever_is_committed(
    drawn: Drawn, target: str, discount: str, hours_per_month: str
) -> None:
    _, records, committed = drawn
    terms = Terms("team-a/policy", ACTS, Decimal(discount), Decimal(hours_per_month))
    for name in records:
        made = advised(records, committed, name, target, terms)
        cost, listed, net = made.current_monthly_cost, made.list_monthly_savings, made.net_monthly_savings
        assert cost is not None
        assert listed is not None
        assert 0 <= listed <= cost
        assert made.monthly_savings is not None
        assert 0 <= made.monthly_savings <= listed
        assert net == made.monthly_savings if net is not None else made.net_note


@given(days(), st.sampled_from(("", *KINDS)))
def test_a_net_saving_is_never_more_than_what_the_bill_of_all_hours_falls_by(drawn: Drawn, target: str) -> None:
    _, records, committed = drawn
    terms = Terms("team-a/policy", ACTS)
    for name in records:
        net = advised(records, committed, name, target, terms).net_monthly_savings
        if net:
            assert net <= billed(drawn, name, target) * terms.hours_per_month + CENT


def test_the_hours_that_an_instance_ran_bound_all_three() -> None:
    drawn_hours = Decimal(2) / HOURS
    records = {"i-1": running("m5.large", "i-1", billed_share=str(drawn_hours))}
    made = advised(records, ([], [], []), "i-1", "", Terms("team-a/policy", ACTS))
    third = Decimal("23.36")  # 0.096 × 730 / 3
    assert made.current_monthly_cost == made.list_monthly_savings == made.net_monthly_savings == third
