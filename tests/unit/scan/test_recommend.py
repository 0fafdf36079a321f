"""Findings become recommendations with honest money: groups, discounts, unknown prices, totals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import cost, instance, kind_of, volume

from finops.crds.policy_actions import Mode
from finops.domain.money import to_cents
from finops.domain.price import Cost, CostComponent, Price, PriceQuery
from finops.domain.recommendation import Finding, Recommendation, Status
from finops.domain.report import Savings, StatusSum
from finops.domain.resource import Resource
from finops_operator.plugins.commitments import Act, Committed, Nothing, Unsaved
from finops_operator.plugins.loaded import load_actions
from finops_operator.rules.readiness import ActTerms
from finops_operator.scan.recommend import Declarations, Terms, ranked, recommend, savings_of
from finops_operator.services.ec2.checks import ebs_volume_gp2, ebs_volume_unattached, ec2_instance_idle
from finops_operator.services.ec2.checks import ec2_instance_overprovisioned as overprovisioned

CHECKS = {
    check.id: check
    for check in (ec2_instance_idle.CHECK, overprovisioned.CHECK, ebs_volume_unattached.CHECK, ebs_volume_gp2.CHECK)
}
ACTS = ActTerms(
    Mode.APPROVE, frozenset({"ec2_instance_stop"}), Decimal(5), {}, "production", frozenset(), has_executor_role=True
)
TERMS = Terms("team-a/policy", ACTS)


def finding(check: str, new_cost: str | None, **parameters: str) -> Finding:
    return Finding(
        check=check,
        action=CHECKS[check].action,
        parameters=parameters,
        new_monthly_cost=None if new_cost is None else Decimal(new_cost),
        evidence={"maximumCpuPercent": "2"},
        summary="It does no work.",
    )


def declared(resource: Resource) -> Declarations:
    return Declarations(kind_of(resource), CHECKS, load_actions())


def monthly(amount: str) -> Cost:
    price = Price(Decimal(amount), "gb-month", "bundled", date(2026, 1, 2))
    exact = Decimal(amount)
    return Cost(to_cents(exact), None, (CostComponent("gb_month", Decimal(1), price, exact),))


def one(new_cost: str | None, current: Cost, discount: str = "0") -> Recommendation:
    terms = Terms("team-a/policy", ACTS, Decimal(discount))
    (made,) = recommend(volume(), current, [finding("ebs_volume_gp2", new_cost)], declared(volume()), terms)
    return made


def test_a_recommendation_carries_costs_saving_source_and_date() -> None:
    resource = instance(instance_type="t2.large")
    (made,) = recommend(
        resource,
        cost(resource, hours=Decimal(720)),
        [finding("ec2_instance_overprovisioned", "33.408", instanceType="t2.medium")],
        declared(resource),
        TERMS,
    )
    assert (made.current_monthly_cost, made.new_monthly_cost, made.monthly_savings) == (
        Decimal("66.82"),
        Decimal("33.41"),
        Decimal("33.41"),
    )
    assert (made.price_source, made.price_as_of) == ("bundled", "2026-07-20")
    assert (made.group, made.counted, made.destructive, made.restart_needed) == (resource.arn, True, False, True)
    assert made.resource.id == resource.id


def test_the_id_stays_while_the_advice_stays_and_changes_with_it() -> None:
    resource = instance()

    def made(target: str, policy: str = "team-a/policy") -> str:
        found = finding("ec2_instance_overprovisioned", "1", instanceType=target)
        return recommend(resource, cost(resource), [found], declared(resource), Terms(policy, ACTS))[0].id

    assert made("m5.large") == made("m5.large")
    assert len({made("m5.large"), made("m5.xlarge"), made("m5.large", "team-b/policy")}) == 3


def test_of_the_alternatives_for_one_resource_only_the_best_counts() -> None:
    resource = instance()
    made = recommend(
        resource,
        cost(resource),
        [finding("ec2_instance_overprovisioned", "140.16"), finding("ec2_instance_idle", "0")],
        declared(resource),
        TERMS,
    )
    assert [(item.check, item.counted) for item in made] == [
        ("ec2_instance_idle", True),
        ("ec2_instance_overprovisioned", False),
    ]
    assert {item.group for item in made} == {resource.arn}
    assert savings_of(made) == Savings(blocked=StatusSum(Decimal("280.32"), 1))


@pytest.mark.parametrize(
    ("new_cost", "counts"),
    [("140.16", "ec2_instance_overprovisioned"), ("278.00", "ec2_instance_idle"), (None, "ec2_instance_idle")],
    ids=["worth asking for", "below the policy's minimum", "saves nobody knows what"],
)
def test_what_cannot_be_done_does_not_keep_an_act_from_being_proposed_whatever_it_would_save(
    new_cost: str | None, counts: str
) -> None:
    """The policy lets machines be resized, not stopped; stopping would save twice as much."""
    resource = instance()
    allowed = frozenset({"ec2_instance_resize"})
    terms = replace(TERMS, acts=replace(ACTS, allowed=allowed, granted=allowed, unknown_savings=True))
    made = recommend(
        resource,
        cost(resource),
        [finding("ec2_instance_overprovisioned", new_cost), finding("ec2_instance_idle", "0")],
        declared(resource),
        terms,
    )
    assert [item.check for item in made if item.counted] == [counts]
    assert made[0].counted


@pytest.mark.parametrize(
    ("asking", "known_may_be_done", "counts"),
    [
        (True, False, "ebs_volume_unattached"),
        (True, True, "ebs_volume_gp2"),
        (False, False, "ebs_volume_gp2"),
    ],
    ids=["before advice", "after acts of a known saving", "never where the policy does not ask"],
)
def test_an_act_whose_saving_nobody_can_know_counts_before_advice_where_the_policy_lets_people_weigh_it(
    asking: bool, known_may_be_done: bool, counts: str
) -> None:
    names = {"ebs_volume_delete", *(("ebs_volume_modify",) if known_may_be_done else ())}
    allowed = frozenset(names)
    terms = replace(TERMS, acts=replace(ACTS, allowed=allowed, granted=allowed, unknown_savings=asking))
    nobody_knows = replace(CHECKS["ebs_volume_unattached"], saving_unknown="AWS does not say it")
    offered = replace(declared(volume()), checks={**CHECKS, nobody_knows.id: nobody_knows})
    found = [finding("ebs_volume_gp2", "1"), finding("ebs_volume_unattached", None)]
    made = recommend(volume("available"), monthly("10"), found, offered, terms)
    assert [item.check for item in made if item.counted] == [counts]


@pytest.mark.parametrize(
    ("own", "said"), [("", "AWS does not say it"), ("its size is not known", "its size is not known")]
)
def test_a_finding_that_says_itself_why_nobody_can_know_its_saving_is_quoted(own: str, said: str) -> None:
    nobody_knows = replace(CHECKS["ebs_volume_unattached"], saving_unknown="AWS does not say it")
    offered = replace(declared(volume()), checks={**CHECKS, nobody_knows.id: nobody_knows})
    found = replace(finding("ebs_volume_unattached", None), unpriced=own)
    (made,) = recommend(volume("available"), monthly("10"), [found], offered, TERMS)
    assert (made.saving_unknown, made.attributes["noPriceReason"]) == (said, said)


def test_at_the_same_saving_the_act_that_can_be_undone_counts() -> None:
    made = recommend(
        volume("available"),
        monthly("10"),
        [finding("ebs_volume_unattached", "5"), finding("ebs_volume_gp2", "5")],
        declared(volume()),
        TERMS,
    )
    assert [(item.check, item.counted) for item in made] == [
        ("ebs_volume_gp2", True),
        ("ebs_volume_unattached", False),
    ]


def test_the_discount_reduces_the_net_saving_and_the_list_saving_stays_visible() -> None:
    made = one("8", monthly("10"), discount="25")
    assert (made.current_monthly_cost, made.monthly_savings) == (Decimal("10.00"), Decimal("1.50"))
    assert made.attributes["listMonthlySavings"] == "2.00"
    assert made.attributes["discountPercent"] == "25"


def test_a_full_discount_leaves_nothing_to_save() -> None:
    made = one("8", monthly("10"), discount="100")
    assert made.monthly_savings == Decimal("0.00")


def test_a_remaining_cost_above_the_current_one_saves_nothing() -> None:
    assert one("12", monthly("10")).monthly_savings == Decimal(0)


@pytest.mark.parametrize(
    ("current", "new_cost", "why"),
    [
        (Cost(None, None, (), ("gb_month: no price for gp2 in cn-north-1",)), "1", "gb month: no price for gp2"),
        (monthly("10"), None, "no price for what would remain"),
    ],
)
def test_without_a_price_the_advice_stays_with_null_money_and_a_reason(
    current: Cost, new_cost: str | None, why: str
) -> None:
    made = one(new_cost, current)
    assert made.monthly_savings is None
    assert made.attributes["listMonthlySavings"] is None
    assert str(made.attributes["noPriceReason"]).startswith(why)
    assert next(block.code for block in made.blocked_by) == "NoPrice"
    assert savings_of([made]) == Savings(blocked=StatusSum(Decimal(0), 1, unknown=1))


def test_a_price_that_could_not_be_asked_for_in_one_scan_makes_no_saving_one_that_nobody_can_know() -> None:
    check = replace(ebs_volume_gp2.CHECK, saving_unknown="no source has it")
    query = PriceQuery("rds", "eu-west-1", "backup_gb_month")
    found = replace(finding("ebs_volume_gp2", None), saving_needs=query)
    means = replace(declared(volume()), checks={**CHECKS, check.id: check})

    (known,) = recommend(volume(), monthly("20.00"), [found], means, TERMS)
    failed = replace(TERMS, price_failed=lambda asked: asked == query)
    (once,) = recommend(volume(), monthly("20.00"), [found], means, failed)

    assert known.saving_unknown == "no source has it"
    assert (once.saving_unknown, once.monthly_savings, once.status) == ("", None, Status.BLOCKED)
    assert once.attributes["noPriceReason"] == "AWS's price list could not be asked in this scan"


def test_an_unpriced_resource_has_no_price_source() -> None:
    made = one("1", Cost(None, None, (), ("x",)))
    assert (made.price_source, made.price_as_of, made.current_monthly_cost) == ("", "", None)


def test_the_largest_saving_comes_first_and_unknown_ones_last() -> None:
    some = [one("9", monthly("10")), one(None, monthly("10")), one("1", monthly("10"))]
    assert [item.monthly_savings for item in ranked(some)] == [Decimal("9.00"), Decimal("1.00"), None]


def test_what_an_owner_would_undo_becomes_advice() -> None:
    resource = volume(tags={"aws:cloudformation:stack-name": "shop"})
    found = Finding(
        check="ebs_volume_gp2",
        action="ebs_volume_modify",
        parameters={"volumeType": "gp3", "iops": 3000, "throughput": 128},
        new_monthly_cost=Decimal(8),
        evidence={},
        summary="",
    )
    (made,) = recommend(resource, monthly("10"), [found], declared(resource), TERMS)
    assert made.advice == (
        "Owned by CloudFormation (shop), which would undo a change made here. Change the template and update the"
        " stack. Properties: VolumeType: gp3, Iops: 3000, Throughput: 128"
    )


def test_a_stop_that_no_template_undoes_stays_an_act() -> None:
    resource = instance(tags={"aws:cloudformation:stack-name": "shop"})
    (made,) = recommend(resource, cost(resource), [finding("ec2_instance_idle", "0")], declared(resource), TERMS)
    assert made.advice == ""


amounts = st.decimals(min_value=0, max_value=100000, places=5)


@given(
    st.lists(st.tuples(amounts, st.none() | amounts), min_size=1, max_size=8),
    st.decimals(min_value=0, max_value=100, places=2),
)
def test_savings_lie_between_nothing_and_the_cost_and_totals_add_the_shown_figures(
    rows: list[tuple[Decimal, Decimal | None]], discount: Decimal
) -> None:
    made = [one(None if new is None else str(new), monthly(str(current)), str(discount)) for current, new in rows]
    for item in made:
        assert item.current_monthly_cost is not None
        if item.monthly_savings is not None:
            assert Decimal(0) <= item.monthly_savings <= item.current_monthly_cost
            assert item.monthly_savings == to_cents(item.monthly_savings)
    shown = sum((item.monthly_savings for item in made if item.monthly_savings is not None), Decimal(0))
    sums = savings_of(made)
    assert sums.actionable.monthly_savings + sums.advice.monthly_savings + sums.blocked.monthly_savings == shown
    assert sums.count == len(made)


@given(amounts, amounts)
def test_without_a_discount_the_columns_add_up(current: Decimal, new: Decimal) -> None:
    made = one(str(new), monthly(str(current)))
    assert made.current_monthly_cost is not None
    assert made.new_monthly_cost is not None
    if made.new_monthly_cost <= made.current_monthly_cost:
        assert made.monthly_savings == made.current_monthly_cost - made.new_monthly_cost


@pytest.mark.parametrize(("days", "monthly_sum", "once"), [(7, "0.00", "2.00"), (0, "2.00", "0.00")])
def test_what_an_act_saves_once_is_no_part_of_what_is_saved_every_month(days: int, monthly_sum: str, once: str) -> None:
    actions = load_actions()
    action = CHECKS["ebs_volume_gp2"].action
    known = replace(declared(volume()), actions={**actions, action: replace(actions[action], lasts_days=days)})
    (made,) = recommend(volume(), monthly("10"), [finding("ebs_volume_gp2", "8")], known, TERMS)
    assert made.lasts_days == days

    sums = savings_of([made])
    assert sums == Savings(blocked=StatusSum(Decimal(monthly_sum), 1, Decimal(once)))
    ready = Savings(StatusSum(Decimal(monthly_sum), 1, Decimal(once)))
    assert (sums.moved(made, Status.ACTIONABLE), ready.count) == (ready, 1)


class Plan:
    """A commitment that keeps the same of whatever is saved."""

    def unsaved(self, act: Act) -> Unsaved:
        """Keep 5 an hour of any act on the resource."""
        return Unsaved(Decimal(5), f"a plan pays for {act.resource.id}")

    def after(self, act: Act) -> Plan:
        """Stay as it is."""
        del act
        return self

    def seen(self, resources: Iterable[Resource]) -> Plan:
        """Stay as it is."""
        del resources
        return self


def beside(kept: Committed, saving: str, discount: str = "0") -> Recommendation:
    """Return the advice that saves `saving` of 10 a month at list price, in a month of a tenth of an hour."""
    terms = Terms("team-a/policy", ACTS, Decimal(discount), Decimal("0.1"))
    left = str(10 - Decimal(saving))
    asked = [finding("ebs_volume_gp2", left)]
    (made,) = recommend(volume(), monthly("10"), asked, declared(volume()), terms, lambda _: kept)
    return made


def test_what_a_commitment_keeps_is_taken_off_the_list_saving_and_the_net_saving_decides() -> None:
    made = beside(Plan(), "2")
    assert (made.list_monthly_savings, made.net_monthly_savings, made.monthly_savings) == (
        Decimal("2.00"),
        Decimal("1.50"),
        Decimal("1.50"),
    )
    assert made.net_note == f"a plan pays for {volume().id}"


def test_a_net_saving_of_nothing_is_blocked_and_says_what_pays() -> None:
    made = beside(Plan(), "0.4")
    assert (made.list_monthly_savings, made.monthly_savings) == (Decimal("0.40"), Decimal("0.00"))
    assert "It saves nothing: a plan pays for" in made.blocked_by[0].message


def test_where_commitments_are_not_known_the_list_saving_decides_and_the_net_one_is_null() -> None:
    made = beside(Nothing(Unsaved(None, "not read")), "2", discount="10")
    assert (made.monthly_savings, made.net_monthly_savings, made.net_note) == (Decimal("1.80"), None, "not read")


def test_the_least_of_what_commitments_and_the_discount_leave_is_shown() -> None:
    assert beside(Plan(), "2", discount="10").net_monthly_savings == Decimal("1.35")


def test_of_a_kind_that_aws_sells_no_commitment_for_list_and_net_are_alike() -> None:
    made = one("8", monthly("10"))
    assert (made.net_monthly_savings, made.net_note) == (made.list_monthly_savings, "")


def test_nobody_is_asked_about_commitments_where_nothing_is_saved() -> None:
    def never(_: Status) -> Committed:
        raise AssertionError

    asked = [finding("ebs_volume_gp2", left) for left in ("10", None)]
    made = recommend(volume(), monthly("10"), asked, declared(volume()), TERMS, never)
    assert {item.net_monthly_savings for item in made} == {Decimal("0.00"), None}
