"""What a stop or another type saves beside Reserved Instances, capacity reservations and Savings Plans."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.ec2.commitments.fleets import (
    LINUX,
    capacity,
    fleet,
    plan,
    price_of,
    reserved,
    resize,
    running,
    stop,
)

from finops.domain.recommendation import ActionType
from finops_operator.plugins.commitments import Act, Unsaved
from finops_operator.services.ec2.commitments.fleet import CommittedFleet, placed
from finops_operator.services.ec2.commitments.model import PlanType, Use
from finops_operator.services.ec2.commitments.sizes import spreads

LARGE = Decimal("0.096")
"""An hour of an m5.large."""
NOBODY = "no commitment of this account covers it; commitments of other accounts are not visible here"
OTHERS = "other instances use what is committed; commitments of other accounts are not visible here"
SHARED = "; where accounts share commitments, another one may use it instead"
COVERED = f"a Reserved Instance until 2027-03-01 covers it{SHARED}"


def test_an_idle_instance_inside_a_reservation_that_nothing_else_would_use_saves_nothing() -> None:
    idle = running()
    assert fleet([idle], [reserved()]).unsaved(stop(idle)) == Unsaved(LARGE, COVERED)


def test_where_another_instance_takes_the_reservation_over_all_is_saved() -> None:
    idle = running()
    assert fleet([idle, running()], [reserved()]).unsaved(stop(idle)) == Unsaved(Decimal(0), OTHERS)


def test_without_a_commitment_all_is_saved_and_what_cannot_be_seen_is_said() -> None:
    idle = running()
    assert fleet([idle]).unsaved(stop(idle)) == Unsaved(Decimal(0), NOBODY)


@pytest.mark.parametrize(
    ("taken_over_by", "kept"),
    [
        ([], "0.384"),  # 16 units of 0.024 each
        (["m5.large"], "0.288"),  # a large takes 4 of the 16 units
        (["m5.large", "m5.xlarge"], "0.096"),  # 12 of the 16 units
        (["m5.4xlarge"], "0"),  # half of it takes all
        (["m5.large", "c5.4xlarge"], "0.288"),  # another family takes none
    ],
)
def test_a_reservation_of_the_region_spreads_over_the_sizes_of_its_family(taken_over_by: list[str], kept: str) -> None:
    idle = running("m5.2xlarge")
    others = [running(kind, availability_zone="us-east-1b") for kind in taken_over_by]
    found = fleet([idle, *others], [reserved("m5.2xlarge")]).unsaved(stop(idle))
    assert found.hourly == Decimal(kept)


@pytest.mark.parametrize(
    "other",
    [
        running("m5.xlarge"),
        running("m5.large", availability_zone="us-east-1b"),
        running("m5.large", platform_details="Windows"),
        running("m5.large", tenancy="dedicated"),
        running("m5.large", lifecycle="spot"),
    ],
    ids=["another size", "another zone", "another platform", "another tenancy", "Spot"],
)
def test_a_reservation_of_a_zone_is_taken_over_by_its_very_like_alone(other: object) -> None:
    idle = running()
    found = fleet([idle, other], [reserved(zone="us-east-1a")]).unsaved(stop(idle))  # type: ignore[list-item]
    assert found == Unsaved(LARGE, COVERED)


@pytest.mark.parametrize("kind", ["g5.xlarge", "m5.metal", "inf1.xlarge"])
def test_families_of_one_size_and_metal_do_not_spread(kind: str) -> None:
    assert not spreads(Use(kind, LINUX, "default", ""))
    assert spreads(Use("m5.large", LINUX, "default", ""))
    assert not spreads(Use("m5.large", "windows", "default", ""))
    assert not spreads(Use("m5.large", LINUX, "default", "us-east-1a"))


def test_a_smaller_type_inside_its_own_reservation_saves_nothing() -> None:
    large = running("m5.2xlarge")
    # 0.384 to 0.192 at list price; all of the reservation is paid all the same.
    found = fleet([large], [reserved("m5.2xlarge")]).unsaved(resize(large, "m5.xlarge"))
    assert found == Unsaved(Decimal("0.192"), COVERED)


def test_another_family_leaves_the_reservation_behind_and_costs_its_own_price() -> None:
    large = running("m5.2xlarge")
    # 0.384 to 0.17 at list price saves 0.214; the bill rises by 0.17, so none of it is saved.
    found = fleet([large], [reserved("m5.2xlarge")]).unsaved(resize(large, "c5.xlarge"))
    assert found.hourly == Decimal("0.384")


LOCAL = "us-east-1-bos-1a"


def test_an_instance_in_a_local_zone_takes_no_reservation_of_the_region_over() -> None:
    idle, local = running(), running(availability_zone=LOCAL)
    several = fleet([idle, local], [reserved()])
    assert several.unsaved(stop(idle)) == Unsaved(LARGE, COVERED)
    assert several.unsaved(stop(local)) == Unsaved(Decimal(0), NOBODY)


@pytest.mark.parametrize("kind", PlanType)
def test_what_a_plan_pays_for_beside_a_local_zone_is_not_known(kind: PlanType) -> None:
    idle, local = running(), running(availability_zone=LOCAL)
    assert fleet([idle, local], plans=[plan("0.06", {"m5.large": "0.06"}, kind)]).unsaved(stop(idle)).hourly is None


def test_a_plan_for_another_family_pays_for_nothing_in_a_local_zone() -> None:
    idle, local = running(), running("c5.large", availability_zone=LOCAL)
    found = fleet([idle, local], plans=[plan("0.03", {"m5.large": "0.06"})]).unsaved(stop(idle))
    assert found.hourly == Decimal("0.048")


def test_a_stop_leaves_the_slot_of_a_capacity_reservation_on_the_bill() -> None:
    idle = running(capacity_reservation="cr-1")
    found = fleet([idle, running()], capacity=[capacity("cr-1")]).unsaved(stop(idle))
    assert found == Unsaved(LARGE, "a capacity reservation covers it")


def test_slots_that_nothing_fills_use_reserved_instances_as_well() -> None:
    # Two slots, one filled: the reservation of an instance is used by the empty one, so outside of it all is saved.
    outside = running()
    inside = running(capacity_reservation="cr-1")
    found = fleet([outside, inside], [reserved()], [capacity("cr-1", 2)]).unsaved(stop(outside))
    assert found == Unsaved(Decimal(0), OTHERS)


@pytest.mark.parametrize("shared", [(), (capacity("cr-1", ours=False),)], ids=["not visible", "of another account"])
def test_the_saving_in_a_reservation_of_another_account_is_not_known(shared: tuple[object, ...]) -> None:
    idle = running(capacity_reservation="cr-1")
    found = fleet([idle], capacity=shared).unsaved(stop(idle))  # type: ignore[arg-type]
    assert found == Unsaved(None, "it runs in a capacity reservation of another account")


def test_a_savings_plan_for_the_family_that_stays_full_keeps_nothing() -> None:
    idle, busy = running(), running()
    # 0.06 an hour pays for one large; the other is on demand, and takes the plan over.
    found = fleet([idle, busy], plans=[plan("0.06", {"m5.large": "0.06"})]).unsaved(stop(idle))
    assert found == Unsaved(Decimal(0), OTHERS)


def test_a_savings_plan_for_the_family_that_empties_keeps_its_part() -> None:
    idle = running()
    # Half of the hours are under the plan: only the other half, 0.048, is on the bill.
    found = fleet([idle], plans=[plan("0.03", {"m5.large": "0.06"})]).unsaved(stop(idle))
    assert found == Unsaved(Decimal("0.048"), f"a Savings Plan until 2027-03-01 covers it{SHARED}")


def test_a_plan_pays_first_where_its_discount_is_highest() -> None:
    idle, other = running("m5.large"), running("c5.large")
    # c5.large 0.085 to 0.03 is the higher discount and takes 0.03; 0.03 is left for half of the m5.large.
    found = fleet([idle, other], plans=[plan("0.06", {"m5.large": "0.06", "c5.large": "0.03"})]).unsaved(stop(idle))
    assert found.hourly == Decimal("0.048")


def test_what_a_compute_plan_would_pay_for_elsewhere_is_not_known() -> None:
    idle = running()
    found = fleet([idle], plans=[plan("0.06", {"m5.large": "0.06"}, PlanType.COMPUTE)]).unsaved(stop(idle))
    assert found.hourly is None
    assert found.note == "a Compute Savings Plan until 2027-03-01 may pay for other regions, Fargate or Lambda instead"


def test_a_compute_plan_that_stays_full_in_the_region_keeps_nothing() -> None:
    idle, busy = running(), running()
    found = fleet([idle, busy], plans=[plan("0.06", {"m5.large": "0.06"}, PlanType.COMPUTE)]).unsaved(stop(idle))
    assert found == Unsaved(Decimal(0), OTHERS)


def test_a_reservation_is_used_before_a_plan() -> None:
    idle = running()
    plans = [plan("0.06", {"m5.large": "0.06"})]
    assert fleet([idle], [reserved()], plans=plans).unsaved(stop(idle)) == Unsaved(LARGE, COVERED)


def test_a_plan_that_reaches_something_without_a_price_leaves_the_saving_unknown() -> None:
    idle, odd = running(), running("r5.large")
    found = fleet([idle, odd], plans=[plan("0.06", {"m5.large": "0.06", "r5.large": "0.07"})]).unsaved(stop(idle))
    assert found.hourly is None


def test_what_could_not_be_read_leaves_the_saving_unknown_and_is_named() -> None:
    idle = running()
    failed = "ec2:DescribeReservedInstances failed"
    assert fleet([idle], unread=failed).unsaved(stop(idle)) == Unsaved(None, failed)


def test_an_act_that_changes_no_hours_keeps_nothing_even_where_nothing_is_known() -> None:
    idle = running()
    for kind in (ActionType.REVIEW, ActionType.UPGRADE):
        assert fleet([idle], unread="all failed").unsaved(Act(idle, kind)) == Unsaved(Decimal(0))


def test_a_smaller_type_that_is_not_named_leaves_the_saving_unknown() -> None:
    idle = running()
    assert fleet([idle]).unsaved(Act(idle, ActionType.RIGHTSIZE)) == Unsaved(None, "it is not known what it becomes")


def test_a_stopped_instance_uses_no_commitment() -> None:
    stopped = running(state="stopped")
    assert placed(stopped) is None
    assert fleet([stopped], [reserved()]).unsaved(stop(stopped)) == Unsaved(Decimal(0))


def test_two_idle_instances_save_a_shared_reservation_once() -> None:
    first, second = running(), running()
    before = fleet([first, second], [reserved()])
    assert before.unsaved(stop(first)).hourly == 0
    assert before.after(stop(first)).unsaved(stop(second)) == Unsaved(LARGE, COVERED)


def test_the_bill_is_worked_out_once_for_each_change_however_many_instances_ask() -> None:
    asked: list[Use] = []

    def counted(use: Use) -> Decimal | None:
        asked.append(use)
        return price_of(use)

    alike = [running() for _ in range(5)]
    several = replace(fleet(alike, plans=[plan("0.06", {"m5.large": "0.06"})]), price_of=counted)
    first = several.unsaved(stop(alike[0]))
    worked = len(asked)
    assert {several.unsaved(stop(one)).hourly for one in alike} == {first.hourly}
    following = several.after(stop(alike[0]))
    assert len(asked) == worked, "the fleet without one was worked out for the answer"
    assert following == replace(several, fleet={next(iter(several.fleet)): 4})
    assert following.now_covered == replace(following).now_covered


KINDS = ("m5.large", "m5.xlarge", "m5.2xlarge", "c5.large", "t3.medium")
_facts = st.fixed_dictionaries(
    {
        "availability_zone": st.sampled_from(("us-east-1a", "us-east-1b")),
        "capacity_reservation": st.sampled_from(("", "", "cr-m5.large")),
    }
)
_instances = st.lists(st.builds(lambda kind, facts: running(kind, **facts), st.sampled_from(KINDS), _facts), max_size=4)
_reserved = st.builds(
    lambda kind, count, zone: reserved(kind, count, zone=zone),
    st.sampled_from(KINDS),
    st.integers(1, 4),
    st.sampled_from(("", "us-east-1a")),
)
_plans = st.builds(
    lambda cents, percent: plan(
        str(Decimal(cents) / 100), {kind: str(_price(kind) * percent / 100) for kind in KINDS[:4]}
    ),
    st.integers(0, 200),
    st.integers(20, 95),
)


def _price(kind: str) -> Decimal:
    found = price_of(Use(kind, LINUX, "default", ""))
    assert found is not None
    return found


@st.composite
def fleets(draw: st.DrawFn) -> tuple[CommittedFleet, list[Act]]:
    """Return a fleet and acts on its instances, each once."""
    instances = [running(draw(st.sampled_from(KINDS)), **draw(_facts)), *draw(_instances)]
    several = fleet(
        instances,
        draw(st.lists(_reserved, max_size=3, unique_by=lambda one: one.id)),
        [capacity("cr-m5.large", draw(st.integers(1, 3)))],
        draw(st.lists(_plans, max_size=1)),
    )
    acts = [
        stop(one) if draw(st.booleans()) else resize(one, draw(st.sampled_from(KINDS)))
        for one in draw(st.permutations(instances))
    ]
    return several, acts


def _bill(one: CommittedFleet) -> Decimal:
    return sum((count * (price_of(use) or 0) for use, count in one.now_covered.on_demand.items()), Decimal(0))


def _listed(act: Act) -> Decimal:
    then = _price(act.target) if act.target else Decimal(0)
    return _price(act.resource.text("instance_type")) - then


@given(fleets())
def test_net_is_never_more_than_list_and_never_less_than_nothing(drawn: tuple[CommittedFleet, list[Act]]) -> None:
    several, acts = drawn
    for act in acts:
        kept = several.unsaved(act).hourly
        assert kept is not None
        assert kept >= 0
        if act.action_type is ActionType.STOP:
            assert kept <= _listed(act) + Decimal("1e-9")


@given(fleets())
def test_what_stops_save_one_after_the_other_is_what_the_bill_falls_by(
    drawn: tuple[CommittedFleet, list[Act]],
) -> None:
    several, acts = drawn
    start, saved = _bill(several), Decimal(0)
    for act in (one for one in acts if one.action_type is ActionType.STOP):
        kept = several.unsaved(act).hourly
        assert kept is not None
        saved += _listed(act) - kept
        several = several.after(act)
    assert saved <= start - _bill(several) + Decimal("1e-6")
