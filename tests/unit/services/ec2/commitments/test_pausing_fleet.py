"""What an act saves beside commitments where instances are stopped again and again: over the hours that each runs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.ec2.commitments.drawn_days import HOURS, KINDS, Commitments, bill, days, hour_price
from tests.unit.services.ec2.commitments.fleets import (
    capacity,
    fleet,
    month,
    plan,
    reserved,
    resize,
    running,
    stop,
)

from finops.domain.recommendation import ActionType
from finops.domain.resource import Resource
from finops_operator.plugins.commitments import Act, Unsaved
from finops_operator.services.ec2.commitments.model import (
    PlanType,
)

LARGE = Decimal("0.096")
"""An hour of an m5.large."""
UNKNOWN = "it is not known in which hours instances run beside each other that are stopped again and again"
TEN_HOURS = "0.4167"


def often_stopped(share: str = TEN_HOURS, kind: str = "m5.large", identity: str = "") -> Resource:
    """Return an instance that runs for a share of its hours."""
    return running(kind, identity, billed_share=share)


def test_an_idle_instance_inside_a_reservation_keeps_the_hours_that_it_ran_and_no_more() -> None:
    idle = often_stopped()
    kept = month([idle], [reserved()]).unsaved(stop(idle))
    assert kept.hourly == LARGE * Decimal(TEN_HOURS)
    assert kept.note.startswith("a Reserved Instance until 2027-03-01 covers it")


def test_a_plan_that_pays_for_half_of_each_hour_keeps_half_of_the_hours_that_it_ran() -> None:
    idle = often_stopped("0.5")
    kept = month([idle], plans=[plan("0.03", {"m5.large": "0.06"})]).unsaved(stop(idle))
    assert kept.hourly == Decimal("0.024")


def test_what_takes_a_reservation_over_for_a_part_of_the_hours_frees_that_part() -> None:
    idle, nightly = running(identity="i-idle"), often_stopped("0.4", identity="i-nightly")
    # In 0.6 of the hours nothing else uses the reservation.
    kept = month([idle, nightly], [reserved()]).unsaved(stop(idle))
    assert kept.hourly == LARGE * Decimal("0.6")


def test_what_always_runs_takes_a_reservation_over_in_every_hour() -> None:
    nightly, busy = often_stopped(identity="i-nightly"), running(identity="i-busy")
    assert month([nightly, busy], [reserved()]).unsaved(stop(nightly)).hourly == 0


def test_where_it_matters_in_which_hours_two_run_the_net_saving_is_not_known() -> None:
    first, second = often_stopped(identity="i-1"), often_stopped(identity="i-2")
    # In the same hours stopping one saves all of its price, in different hours nothing.
    assert month([first, second], [reserved()]).unsaved(stop(first)) == Unsaved(None, UNKNOWN)


def test_where_it_does_not_matter_in_which_hours_two_run_the_net_saving_is_known() -> None:
    first, second = often_stopped(identity="i-1"), often_stopped(identity="i-2")
    assert month([first, second], [reserved(count=2)]).unsaved(stop(first)).hourly == LARGE * Decimal(TEN_HOURS)
    assert month([first, second]).unsaved(stop(first)).hourly == 0


def test_a_slot_of_a_capacity_reservation_is_billed_while_its_instance_is_stopped_so_that_stopping_saves_nothing() -> (
    None
):
    idle = often_stopped("0.5")
    inside = running(billed_share="0.5", capacity_reservation="cr-1")
    assert month([inside], capacity=[capacity("cr-1")]).unsaved(stop(inside)).hourly == LARGE / 2
    assert month([idle], capacity=[capacity("cr-1")]).unsaved(stop(idle)).hourly == 0


def test_a_smaller_type_inside_its_own_reservation_keeps_the_difference_over_the_hours_that_it_ran() -> None:
    large = often_stopped("0.25", "m5.2xlarge")
    kept = month([large], [reserved("m5.2xlarge")]).unsaved(resize(large, "m5.xlarge"))
    assert kept.hourly == Decimal("0.192") / 4


def test_hours_that_become_known_after_the_fleet_was_counted_count_from_then_on() -> None:
    before, now = running(identity="i-1"), often_stopped("0.5", identity="i-1")
    busy = running(identity="i-2")
    counted = month([before, busy], [reserved()])
    assert counted.unsaved(stop(busy)).hourly == 0
    assert counted.seen([now]).unsaved(stop(busy)).hourly == LARGE / 2
    assert counted.seen([now]).seen([before]) == counted
    assert counted.unsaved(stop(now)).hourly == 0, "its own hours are those that the act names"
    assert counted.after(stop(now)).unsaved(stop(busy)).hourly == LARGE


def test_two_that_are_stopped_again_and_again_save_a_reservation_once() -> None:
    nightly, busy = often_stopped("0.5", identity="i-1"), running(identity="i-2")
    several = month([nightly, busy], [reserved()])
    assert several.unsaved(stop(nightly)).hourly == 0
    assert several.after(stop(nightly)).unsaved(stop(busy)).hourly == LARGE
    assert several.after(stop(busy)).unsaved(stop(nightly)).hourly == LARGE / 2


@pytest.mark.parametrize("kind", [ActionType.REVIEW, ActionType.UPGRADE])
def test_an_act_that_changes_no_hours_keeps_nothing(kind: ActionType) -> None:
    one = often_stopped()
    several = month([one], unread="all failed")
    assert several.unsaved(Act(one, kind)) == Unsaved(Decimal(0))
    assert several.after(Act(one, kind)) == several


def test_what_could_not_be_read_stays_unknown_whatever_the_share() -> None:
    one = often_stopped()
    assert month([one], unread="savingsplans:DescribeSavingsPlans failed").unsaved(stop(one)).hourly is None


def test_another_family_beside_two_that_are_stopped_again_and_again_is_not_known_though_both_ends_keep_nothing() -> (
    None
):
    moved, alike = often_stopped("0.8333", "c5.xlarge", "i-0"), often_stopped("0.3333", "c5.xlarge", "i-1")
    double, small = often_stopped("0.8333", "m5.2xlarge", "i-2"), running("c5.large", identity="i-3")
    several = month([moved, alike, double, small], [reserved("c5.large", 2), reserved("m5.xlarge")])
    # Alone it moves into an unused reservation, and where all run the other c5.xlarge takes over what it leaves. Where
    # the m5.2xlarge alone runs beside it, it leaves half a reservation idle and finds none.
    beside_one = fleet([moved, double, small], [reserved("c5.large", 2), reserved("m5.xlarge")])
    assert beside_one.unsaved(resize(moved, "m5.large")).hourly == Decimal("0.085")
    assert several.unsaved(resize(moved, "m5.large")) == Unsaved(None, UNKNOWN)


def test_another_family_is_known_where_no_reservation_is_shared_with_those_that_are_stopped_again_and_again() -> None:
    moved = running("c5.xlarge", identity="i-0")
    others = [often_stopped("0.5", "t3.large", f"i-{number}") for number in range(1, 4)]
    bought = [reserved("c5.xlarge"), reserved("t3.large", 2)]
    assert month([moved, *others], bought).unsaved(resize(moved, "m5.xlarge")).hourly == Decimal("0.17")
    assert month([moved, *others]).unsaved(resize(moved, "m5.xlarge")).hourly == 0
    # A Savings Plan may go from one family to any other.
    paid = [plan("0.05", {"m5.xlarge": "0.1", "c5.xlarge": "0.1", "t3.large": "0.05"}, PlanType.COMPUTE)]
    beside = month([moved, *others], bought, plans=paid).unsaved(resize(moved, "m5.xlarge"))
    assert beside.hourly is None


def test_a_plan_beside_reserved_instances_leaves_the_net_saving_unknown_beside_two_others() -> None:
    """What Reserved Instances leave to a plan changes with what runs: an hour between two ends without any keeps it."""
    stopped = running("m5.2xlarge", identity="i-0")
    always = [running(kind, identity=f"i-{kind}") for kind in ("m5.4xlarge", "m5.large")]
    kinds = ("m5.xlarge", "m5.xlarge", "m5.2xlarge", "m5.4xlarge")
    others = [often_stopped("0.5", kind, f"i-{at}") for at, kind in enumerate(kinds, 1)]
    bought = [reserved("m5.large", 2), reserved("m5.xlarge", 2)]
    rates = {"m5.large": "0.0576", "m5.xlarge": "0.0768", "m5.2xlarge": "0.1536", "m5.4xlarge": "0.4608"}
    paid = [plan("0.11", rates)]

    def kept(beside: list[Resource]) -> Decimal | None:
        return fleet([stopped, *always, *beside], bought, plans=paid).unsaved(stop(stopped)).hourly

    assert kept([]) == kept(others) == 0
    assert kept(others[:1]) == pytest.approx(Decimal("0.032"))
    assert month([stopped, *always, *others], bought, plans=paid).unsaved(stop(stopped)) == Unsaved(None, UNKNOWN)
    even = [plan("0.11", {kind: str(hour_price(kind) * 60 / 100) for kind in rates})]
    assert month([stopped, *always, *others], bought, plans=even).unsaved(stop(stopped)) == Unsaved(None, UNKNOWN)
    assert month([stopped, *always, *others], plans=even).unsaved(stop(stopped)).hourly == 0
    assert month([stopped, *always, *others], bought).unsaved(stop(stopped)).hourly == 0


def test_another_size_that_has_reserved_instances_of_its_own_leaves_the_net_saving_unknown_beside_two_others() -> None:
    moved = running("c5.xlarge", identity="i-0")
    always = [running(kind, identity=f"i-{kind}") for kind in ("t3.large", "t3.xlarge")]
    kinds = ("c5.large", "t3.large", "c5.xlarge")
    others = [often_stopped("0.5", kind, f"i-{at}") for at, kind in enumerate(kinds, 1)]
    bought = [reserved("c5.large", zone="us-east-1a")]
    rates = {"c5.large": "0.051", "c5.xlarge": "0.102", "t3.large": "0.054912", "t3.xlarge": "0.109824"}
    paid = [plan("0.1", rates, PlanType.COMPUTE)]

    def kept(beside: list[Resource]) -> Decimal | None:
        return fleet([moved, *always, *beside], bought, plans=paid).unsaved(resize(moved, "c5.large")).hourly

    assert kept([]) == kept(others) == 0
    assert kept(others[:1]) != 0
    several = month([moved, *always, *others], bought, plans=paid)
    assert several.unsaved(resize(moved, "c5.large")) == Unsaved(None, UNKNOWN)


def _hour_by_hour(
    hours: dict[str, frozenset[int]], records: dict[str, Resource], committed: Commitments, act: Act
) -> Decimal | None:
    """Return what stays on the bill of a day, an hour of it on average, with every hour worked out on its own."""
    kept = Decimal(0)
    for hour in hours[act.resource.id]:
        there = [records[name] for name, ran in hours.items() if hour in ran]
        found = fleet(there, *committed).unsaved(act).hourly
        if found is None:
            return None
        kept += found
    return kept / HOURS


@given(days(), st.sampled_from((None, *KINDS)))
def test_what_is_said_to_be_known_is_what_every_hour_on_its_own_adds_up_to(
    drawn: tuple[dict[str, frozenset[int]], dict[str, Resource], Commitments], target: str | None
) -> None:
    hours, records, committed = drawn
    several = month(list(records.values()), *committed)
    for one in records.values():
        act = stop(one) if target is None else resize(one, target)
        kept = several.unsaved(act).hourly
        if kept is None:
            continue
        expected = _hour_by_hour(hours, records, committed, act)
        assert expected is not None
        assert abs(kept - expected) < Decimal("1e-6")


@given(days())
def test_net_is_never_more_than_list_over_the_hours_that_ran_and_never_less_than_nothing(
    drawn: tuple[dict[str, frozenset[int]], dict[str, Resource], Commitments],
) -> None:
    hours, records, committed = drawn
    several = month(list(records.values()), *committed)
    for name, one in records.items():
        kept = several.unsaved(stop(one)).hourly
        listed = hour_price(one.text("instance_type")) * len(hours[name]) / HOURS
        assert kept is None or 0 <= kept <= listed + Decimal("1e-9")


@given(days())
def test_stops_one_after_the_other_never_save_more_than_the_bill_of_all_hours_falls_by(
    drawn: tuple[dict[str, frozenset[int]], dict[str, Resource], Commitments],
) -> None:
    hours, records, committed = drawn
    several, left, saved = month(list(records.values()), *committed), dict(hours), Decimal(0)
    start = bill(left, records, committed)
    for name, one in records.items():
        kept = several.unsaved(stop(one)).hourly
        if kept is None:
            return
        saved += hour_price(one.text("instance_type")) * len(hours[name]) / HOURS - kept
        several = several.after(stop(one))
        del left[name]
    assert saved <= start - bill(left, records, committed) + Decimal("1e-6")
