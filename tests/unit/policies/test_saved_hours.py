"""What scans saw of the resources of ended acts, on the real stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.act_world import ACCESS, ACCOUNT, LIMITS, REGION
from tests.support.scan_samples import NOW, summary
from tests.support.web_estate import priced, resource

from finops.domain.lasting import (
    AS_BEFORE,
    GONE,
    NEVER_SHOWED,
    TAKEN_BACK,
    TOO_SMALL,
    UNDONE,
    Lasting,
    Shows,
    unmeasured,
)
from finops.domain.plan import Plan
from finops.domain.price import BilledQuantity, Cost, Price, cost_from
from finops.domain.realised import Realised
from finops.domain.recommendation import ResourceRef
from finops.domain.resource import Gap, Shard
from finops.ports.act import ActRequest
from finops.ports.aws_access import Tenant
from finops.store.connection import Store
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.realized import StoredSavings, promise_of
from finops.store.realized_sums import realised_a_month
from finops.store.recommendations import PolicyHead
from finops.store.resource_costs import ResourceCostStore
from finops_operator.plugins.action import Action
from finops_operator.policies.saved_hours import SavedHours
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE

TENANT = Tenant(namespace="team-a", policy="all")
POLICY = ("team-a", "all")
SHARD = Shard(ACCOUNT, REGION, "ec2-instance")
_WHOLE = priced("0.2")
_GAP = Gap(ACCOUNT, REGION, "ec2", "DescribeInstances", "Throttling", "AWS throttled")


def act(uid: str = "u1") -> ActRequest:
    """A resize that saves 73.00 USD a month, 0.10 USD an hour."""
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"
    plan = Plan(RESIZE.id, ResourceRef("ec2-instance", "i-1", arn, ACCOUNT, REGION), {}, (), {})
    estimate = {"currentMonthlyCost": "146.00", "newMonthlyCost": "73.00", "monthlySavings": "73.00"}
    return ActRequest(
        uid=uid,
        name=f"r-{uid}",
        tenant=TENANT,
        access=ACCESS,
        plan=plan,
        plan_hash=plan.hash,
        deciders=(),
        dry_run=False,
        estimate=estimate,
        limits=LIMITS,
    )


def undo(uid: str = "u2") -> ActRequest:
    estimate = {"currentMonthlyCost": "73.00", "newMonthlyCost": "146.00", "monthlySavings": "0.00"}
    return replace(act(uid), estimate=estimate)


class World:
    """A policy whose one act ended at `NOW`."""

    def __init__(self, store: Store, action: Action = RESIZE, before: Cost | None = _WHOLE) -> None:
        self.savings, self.inventory = StoredSavings(store), InventoryStore(store)
        self.costs = ResourceCostStore(store)
        self.hours = SavedHours(self.savings, self.inventory, self.costs, {RESIZE.id: action})
        if before is not None:
            self.listed(-1, cost=before)
        self.savings.append(act(), NOW, "", action.shows, NOW - timedelta(minutes=5))

    def listed(
        self,
        hours: float,
        hourly: str = "",
        *,
        there: bool = True,
        gaps: tuple[Gap, ...] = (),
        cost: Cost | None = None,
    ) -> str:
        """Let a scan list the shard; return its generation."""
        at = NOW + timedelta(hours=hours)
        generation = f"g{hours}"
        if there:
            self.inventory.add(SHARD, generation, 0, [resource("ec2-instance", "i-1")])
            found = priced(hourly, missing=() if hourly else ("hour: no price",)) if cost is None else cost
            self.costs.put(SHARD, {"i-1": found})
        self.inventory.swap(ShardHead(SHARD, generation, int(there), 1, 1, gaps, at, at, at, {}))
        return generation

    def scan(self, hours: float, hourly: str = "", **listed: Any) -> Lasting:
        generation = self.listed(hours, hourly, **listed)
        self.hours.note(POLICY, PolicyHead(generation, summary(), ((SHARD, generation),)))
        return self.savings.seen()["u1"]

    def a_month(self, at: datetime = NOW) -> Decimal:
        return self.hours.a_month(POLICY, at).net


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def times(lasting: Lasting) -> tuple[float, float]:
    return lasting.seen / 3600, lasting.unknown / 3600


def test_hours_between_scans_that_see_the_new_cost_are_saved(world: World) -> None:
    world.scan(1, "0.1")
    lasting = world.scan(5, "0.1")
    assert (times(lasting), lasting.saved, lasting.ended) == ((5, 0), Decimal(5 * 3600), None)
    assert world.a_month() == Decimal("73.00")
    assert world.scan(5, "0.1") == lasting, "the same scan again changes nothing"


def test_a_cost_that_is_not_known_and_a_listing_with_gaps_leave_hours_unknown(world: World) -> None:
    world.scan(1, "0.1")
    assert times(world.scan(3)) == (1, 2)
    assert times(world.scan(4, there=False, gaps=(_GAP,))) == (1, 2), "what a listing with gaps lacks is not gone"
    assert times(world.scan(5, "0.1")) == (1, 4)
    assert times(world.scan(6, "0.1")) == (2, 4)


def test_somebody_who_changes_it_back_ends_the_saving_finally(world: World) -> None:
    world.scan(1, "0.1")
    lasting = world.scan(4, "0.2")
    assert (times(lasting), lasting.why, lasting.ended) == ((1, 3), AS_BEFORE, NOW + timedelta(hours=4))
    assert world.a_month() == Decimal("0.00")
    assert world.scan(5, "0.1") == lasting


def test_a_change_in_part_saves_that_part(world: World) -> None:
    world.scan(1, "0.15")
    assert world.a_month() == Decimal("36.50")


def test_a_resource_that_is_gone_ends_the_saving(world: World) -> None:
    lasting = world.scan(2, there=False)
    assert (times(lasting), lasting.why) == ((0, 2), GONE)


def test_an_undo_ends_it_at_its_time_and_takes_nothing_else_away(world: World) -> None:
    world.scan(1, "0.1")
    world.savings.append(undo(), NOW + timedelta(hours=3), "u1")
    lasting = world.scan(4, "0.2")
    assert (times(lasting), lasting.why, lasting.ended) == ((3, 0), UNDONE, NOW + timedelta(hours=3))
    assert world.a_month() == Decimal("0.00")
    world.savings.append(act("u3"), NOW + timedelta(hours=5))
    assert world.a_month() == Decimal("73.00")


def test_an_act_that_the_last_scan_did_not_see_priced_counts_for_nothing_until_one_can(world: World) -> None:
    world.scan(1, "0.1")
    assert world.a_month() == Decimal("73.00")
    world.scan(2)
    assert world.a_month() == Decimal("0.00")
    world.scan(3, "0.1")
    assert world.a_month() == Decimal("73.00")


def test_a_scan_that_another_one_has_overtaken_says_nothing(world: World) -> None:
    world.scan(1, "0.1")
    old = world.listed(2, "0.1")
    world.listed(3, "0.2")
    world.hours.note(POLICY, PolicyHead(old, summary(), ((SHARD, old),)))
    assert world.savings.seen()["u1"].until == NOW + timedelta(hours=1)


def test_an_entry_of_an_older_release_says_nothing_of_hours_and_counts_as_promised(world: World) -> None:
    entry = {**next(iter(world.savings.read())), "kind": "", "undoes": ""}
    assert realised_a_month([entry], NOW, {}).net == Decimal("73.00")


def test_a_resource_that_others_remove_after_an_act_that_leaves_it_ends_the_saving(store: Store) -> None:
    world = World(store, replace(RESIZE, destructive=True))
    world.scan(1, "0.1")
    assert world.scan(2, there=False).why == GONE


def test_an_act_whose_effect_comes_later_saves_from_the_scan_that_shows_it(store: Store) -> None:
    world = World(store, replace(RESIZE, shows=Shows(timedelta(days=8))))
    assert world.scan(0.01, "0.2").waiting
    assert world.a_month() == Decimal("0.00"), "nothing is saved yet"
    world.scan(20, "0.2")
    lasting = world.scan(24, "0.1")
    assert (times(lasting), lasting.ended, lasting.waiting) == ((0, 4), None, False)
    assert world.a_month() == Decimal("73.00")
    assert times(world.scan(34, "0.1")) == (10, 4)
    assert world.scan(40, "0.2").why == AS_BEFORE


def test_an_act_whose_effect_never_comes_is_said_so(store: Store) -> None:
    world = World(store, replace(RESIZE, shows=Shows(timedelta(hours=20))))
    world.scan(19, "0.2")
    lasting = world.scan(21, "0.2")
    assert (times(lasting), lasting.why, lasting.saved) == ((0, 0), NEVER_SHOWED, Decimal(0))


def test_an_act_whose_cost_stays_unknown_after_its_effect_was_to_show_is_neither_to_come_nor_zero(store: Store) -> None:
    world = World(store, replace(RESIZE, shows=Shows(timedelta(days=8))))
    world.scan(24)
    now, later = NOW + timedelta(days=14), NOW + timedelta(days=15)
    assert world.scan(24 * 15).waiting
    lasting = world.savings.seen()["u1"]
    assert (lasting.blind(now), lasting.blind(later)) == (False, True)
    assert world.hours.a_month(POLICY, later) == Realised(unknown=1)
    world.scan(24 * 16, "0.1")
    lasting = world.scan(24 * 16 + 10, "0.1")
    assert (lasting.blind(later), lasting.saved, lasting.waiting) == (False, Decimal(36_000), False)
    assert world.a_month() == Decimal("73.00"), "a scan that knows the cost again measures from there on"


def test_a_rise_lasts_until_a_scan_sees_the_old_cost_again(store: Store) -> None:
    world = World(store)
    raised = {"currentMonthlyCost": "73.00", "newMonthlyCost": "146.00", "monthlySavings": "0.00"}
    world.savings.append(replace(act("u5"), estimate=raised), NOW + timedelta(hours=1))
    world.scan(2, "0.2")
    assert world.hours.a_month(POLICY, NOW).rises == Decimal("0.00"), "it took back what had been saved"
    assert world.savings.seen()["u5"].share == 1
    world.scan(4, "0.1")
    assert world.savings.seen()["u5"].why == AS_BEFORE


def test_a_saving_that_is_still_to_come_counts_for_nothing_from_the_end_of_its_act_on(store: Store) -> None:
    world = World(store, replace(RESIZE, shows=Shows(timedelta(days=8))))
    assert world.savings.seen()["u1"].waiting
    assert world.a_month() == Decimal("0.00"), "before the first scan after the act"
    world.scan(1, "0.2")
    assert world.a_month() == Decimal("0.00")
    world.scan(2, "0.1")
    assert world.a_month() == Decimal("73.00")
    world.savings.append(act(), NOW, "", Shows(timedelta(days=8)))
    assert not world.savings.seen()["u1"].waiting, "a repeated end forgets nothing"


def test_an_undo_and_an_act_that_shows_at_once_wait_for_no_scan(store: Store) -> None:
    world = World(store)
    world.savings.append(undo(), NOW + timedelta(hours=1), "u1", Shows(timedelta(days=8)))
    assert world.savings.seen() == {}


def of_parts(instance: str, used: str, *, missing: tuple[str, ...] = ()) -> Cost:
    """A cost of an instance and of what is used, each a month in US dollars."""
    hour, gigabyte = (Price(Decimal(1), unit, "bundled", date(2026, 3, 1)) for unit in ("one", "gb"))
    hours = Decimal(730)
    parts = [
        BilledQuantity("instance_hour", Decimal(instance), hour),
        BilledQuantity("gb", Decimal(used), gigabyte, hours),
    ]
    return cost_from(parts, missing, hours)


_PARTS = Shows(timedelta(hours=20), frozenset({"instance_hour"}))


def test_an_act_is_judged_by_the_part_of_the_cost_that_it_changes(store: Store) -> None:
    world = World(store, replace(RESIZE, shows=_PARTS), of_parts("100", "900"))
    assert world.scan(10, cost=of_parts("100", "500")).waiting, "what is used is no part of it"
    assert world.scan(21, cost=of_parts("27", "1500")).share == 1
    assert world.a_month() == Decimal("73.00")
    assert world.scan(25, cost=of_parts("27", "1500", missing=("gb: no price",))).seen == 4 * 3600
    assert world.scan(26, cost=of_parts("100", "100")).why == AS_BEFORE


@pytest.mark.parametrize("shows", [Shows(), Shows(timedelta(hours=20)), Shows(timedelta(hours=20), moves=True)])
def test_a_saving_that_is_a_sliver_of_a_cost_that_moves_by_itself_is_in_no_sum_and_not_zero(
    store: Store, shows: Shows
) -> None:
    world = World(store, replace(RESIZE, shows=shows), before=None)
    sliver = {"currentMonthlyCost": "1000.00", "newMonthlyCost": "927.00", "monthlySavings": "73.00"}
    world.listed(-1, cost=of_parts("100", "900"))
    world.savings.append(replace(act("u7"), estimate=sliver), NOW, "", shows)
    entry, alone = list(world.savings.read())[1], {"u7": world.savings.seen()["u7"]}
    assert realised_a_month([entry], NOW, alone) == Realised(unknown=1)
    for hours, used in ((1, "900"), (21, "1000"), (30, "700")):
        world.scan(hours, cost=of_parts("27", used))
        lasting = world.savings.seen()["u7"]
        assert unmeasured(lasting, promise_of(entry), NOW) == TOO_SMALL
        assert (lasting.ended, lasting.saved, lasting.share) == (None, Decimal(0), None)
        assert realised_a_month([entry], NOW, {"u7": lasting}) == Realised(unknown=1)


def test_a_part_that_only_a_scan_after_the_first_call_has_priced_says_nothing_of_what_it_was(store: Store) -> None:
    world = World(store, before=None)
    world.listed(1, cost=of_parts("27", "0"))
    world.savings.append(act("u9"), NOW + timedelta(hours=2), "", _PARTS, NOW)
    entry = list(world.savings.read())[1]
    assert (entry["parts"], entry["part"]) == ("", "")
    assert promise_of(entry).before == Decimal("146.00")


def test_a_scan_that_began_before_the_first_call_and_ended_after_it_says_nothing_of_what_it_was(store: Store) -> None:
    world = World(store, before=None)
    world.listed(-1, cost=of_parts("27", "0"))
    head = world.inventory.head(SHARD)
    assert head is not None
    for completed, part in ((NOW, ""), (NOW + timedelta(minutes=1), ""), (NOW - timedelta(minutes=1), "27")):
        world.inventory.swap(replace(head, completed=completed))
        uid = f"of {completed}"
        world.savings.append(act(uid), NOW + timedelta(hours=2), "", _PARTS, NOW)
        (entry,) = [one for one in world.savings.read() if one["request"] == uid]
        assert entry["part"] == part


@pytest.mark.parametrize(("used", "moving"), [("0", "27"), ("20", "27"), ("90", "90")])
def test_of_an_act_after_which_use_is_billed_the_larger_of_what_is_before_and_after_moves(
    store: Store, used: str, moving: str
) -> None:
    world = World(store, before=None)
    shows = Shows(parts=frozenset({"instance_hour", "gb"}), used_after=True)
    world.listed(-1, cost=of_parts(f"{100 - int(used)}", used))
    world.savings.append(act("u8"), NOW, "", shows, NOW - timedelta(minutes=5))
    assert promise_of(list(world.savings.read())[1]).moving == Decimal(moving)


def test_what_moves_after_an_act_without_a_figure_is_not_known(store: Store) -> None:
    world = World(store, before=None)
    shows = Shows(parts=frozenset({"instance_hour"}), used_after=True)
    world.listed(-1, cost=of_parts("100", "0"))
    nothing = {"currentMonthlyCost": "100.00", "newMonthlyCost": "", "monthlySavings": ""}
    world.savings.append(replace(act("u8"), estimate=nothing), NOW, "", shows, NOW - timedelta(minutes=5))
    assert promise_of(list(world.savings.read())[1]).moving is None


def test_what_no_scan_has_priced_may_all_move(store: Store) -> None:
    world = World(store, before=None)
    assert promise_of(next(iter(world.savings.read()))).moving is None
    assert world.scan(1, "0.1").share == 1
    assert world.scan(2, "0.2").ended is None


def test_a_later_act_that_takes_a_saving_back_ends_it_at_its_time_and_keeps_what_was_saved_until_then(
    store: Store,
) -> None:
    world = World(store)
    world.scan(1, "0.1")
    world.savings.append(raised(), NOW + timedelta(hours=3))
    lasting = world.scan(4, "0.2")
    assert (times(lasting), lasting.why, lasting.ended) == ((3, 0), TAKEN_BACK, NOW + timedelta(hours=3))
    assert lasting.saved == 3 * 3600
    assert world.a_month() == Decimal("0.00")


def raised() -> ActRequest:
    costs_more = {"currentMonthlyCost": "73.00", "newMonthlyCost": "146.00", "monthlySavings": "0.00"}
    return replace(act("u5"), estimate=costs_more)
