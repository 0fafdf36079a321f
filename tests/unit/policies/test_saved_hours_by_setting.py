"""What scans saw of acts that set something, of several policies and while others set it too, on the real stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from tests.support.scan_samples import NOW, summary
from tests.support.web_estate import resource
from tests.unit.policies.test_saved_hours import POLICY, SHARD, TENANT, World, act, of_parts, raised, times

from finops.domain.lasting import CHANGED, TAKEN_BACK, Lasting, Shows
from finops.domain.price import Cost
from finops.domain.realised import Realised
from finops.ports.act import ActRequest
from finops.store.connection import Store
from finops.store.realized_sums import realised_a_month
from finops.store.recommendations import PolicyHead
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE

_SET = Shows(parts=frozenset({"gb"}), setting="memory_mb", parameter="memoryMb")


def sized(uid: str, memory: int, before: str, later: str) -> ActRequest:
    """An act on what is billed by use that sets a size."""
    made, saved = act(uid), f"{Decimal(before) - Decimal(later)}"
    plan = replace(made.plan, parameters={"memoryMb": memory})
    costs = {"currentMonthlyCost": before, "newMonthlyCost": later, "monthlySavings": saved}
    return replace(made, plan=plan, plan_hash=plan.hash, estimate=costs)


class Sized(World):
    """A function of which a size is set: what its scans see is the size and a cost that moves by use."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, replace(RESIZE, shows=_SET))
        self.listed(-0.5, cost=of_parts("0", "100"))
        self.savings.append(sized("u4", 512, "100.00", "50.00"), NOW, "", _SET, NOW - timedelta(minutes=5))

    def see(self, hours: float, memory: int | None, used: str) -> Lasting:
        generation = self.listed(hours, there=False)
        facts = {} if memory is None else {"memory_mb": memory}
        self.inventory.add(SHARD, generation, 0, [replace(resource("ec2-instance", "i-1"), attributes=facts)])
        self.costs.put(SHARD, {"i-1": of_parts("0", used)})
        self.hours.note(POLICY, PolicyHead(generation, summary(), ((SHARD, generation),)))
        return self.savings.seen()["u4"]


def test_a_function_that_is_given_its_old_size_saves_no_more_however_little_it_is_used(store: Store) -> None:
    world = Sized(store)
    assert world.see(1, 512, "50").share == 1
    lasting = world.see(2, 1024, "40")
    assert (times(lasting), lasting.why) == ((1, 1), CHANGED)


def test_a_cost_by_use_without_the_setting_that_the_act_made_is_unknown(store: Store) -> None:
    lasting = Sized(store).see(1, None, "50")
    assert (lasting.share, lasting.ended, times(lasting)) == (None, None, (0, 1))


def test_a_size_that_a_later_act_has_set_ends_no_saving_of_the_one_before(store: Store) -> None:
    world = Sized(store)
    world.see(1, 512, "50")
    world.savings.append(sized("u5", 256, "50.00", "25.00"), NOW + timedelta(hours=1), "", _SET)
    lasting = world.see(2, 256, "25")
    assert (times(lasting), lasting.share, lasting.ended) == ((2, 0), Decimal(1), None)


_MODE = Shows(
    parts=frozenset({"gb", "instance_hour"}),
    setting="billing_mode",
    parameter="billingMode",
    fact="billingMode",
    used_after=True,
)
_ON_DEMAND, _PROVISIONED = "PAY_PER_REQUEST", "PROVISIONED"


class Moded(World):
    """A table whose mode acts and others change; scans see the mode and what it costs."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, replace(RESIZE, shows=_MODE))
        self.see(-0.5, _ON_DEMAND, of_parts("0", "100"))

    def see(self, hours: float, mode: str, cost: Cost, policy: tuple[str, str] = POLICY) -> dict[str, Lasting]:
        generation = self.listed(hours, there=False)
        listed = replace(resource("ec2-instance", "i-1"), attributes={"billing_mode": mode})
        self.inventory.add(SHARD, generation, 0, [listed])
        self.costs.put(SHARD, {"i-1": cost})
        self.hours.note(policy, PolicyHead(generation, summary(), ((SHARD, generation),)))
        return self.savings.seen()

    def set(self, uid: str, hours: float, modes: tuple[str, str], costs: tuple[str, str], policy: str = "all") -> None:
        """Let an act change the mode: (before it, after it), as its plan found and set it, and the costs a month."""
        (was, mode), (before, later), made = modes, costs, act(uid)
        plan = replace(made.plan, parameters={"billingMode": mode}, fingerprint={"billingMode": was})
        saved = f"{Decimal(before) - Decimal(later)}"
        estimate = {"currentMonthlyCost": before, "newMonthlyCost": later, "monthlySavings": saved}
        tenant = replace(TENANT, policy=policy)
        request = replace(made, tenant=tenant, plan=plan, plan_hash=plan.hash, estimate=estimate)
        ended = NOW + timedelta(hours=hours)
        self.savings.append(request, ended, "", _MODE, ended - timedelta(minutes=5))

    def net(self, hours: float, *uids: str) -> Decimal:
        entries = [one for one in self.savings.read() if one["request"] in uids]
        return realised_a_month(entries, NOW + timedelta(hours=hours), self.savings.seen()).net


def test_an_act_that_sets_back_what_was_before_another_one_ends_it_and_saves_nothing_as_the_use_falls(
    store: Store,
) -> None:
    world = Moded(store)
    world.set("m1", 0, (_ON_DEMAND, _PROVISIONED), ("100.00", "40.00"))
    entry = next(one for one in world.savings.read() if one["request"] == "m1")
    assert (entry["was"], entry["set"]) == (_ON_DEMAND, _PROVISIONED)
    for hours in range(1, 48):
        world.see(hours, _PROVISIONED, of_parts("40", "0"))
    assert world.net(47, "m1") == Decimal("60.00")
    world.set("m2", 48, (_PROVISIONED, _ON_DEMAND), ("40.00", "5.00"))
    seen = world.see(50, _ON_DEMAND, of_parts("0", "5"))
    assert (seen["m1"].why, seen["m1"].ended) == (TAKEN_BACK, NOW + timedelta(hours=48))
    assert world.net(50, "m1", "m2") == Decimal("0.00"), "the table stands as before the first act"
    world.set("m3", 52, (_ON_DEMAND, _PROVISIONED), ("5.00", "3.00"))
    seen = world.see(53, _PROVISIONED, of_parts("3", "0"))
    assert (seen["m2"].why, world.net(53, "m1", "m2", "m3")) == (TAKEN_BACK, Decimal("2.00"))


def test_an_act_that_finds_what_somebody_else_has_set_ends_the_one_before_it(store: Store) -> None:
    world = Moded(store)
    world.set("m1", 0, (_ON_DEMAND, _PROVISIONED), ("100.00", "40.00"))
    world.see(1, _PROVISIONED, of_parts("40", "0"))
    world.see(5, _ON_DEMAND, of_parts("0", "100"), ("team-a", "of another policy"))
    world.set("m2", 9, (_ON_DEMAND, _PROVISIONED), ("100.00", "40.00"))
    assert world.net(9, "m1", "m2") == Decimal("60.00"), "none of its own scans came between, and it is saved once"
    seen = world.see(10, _PROVISIONED, of_parts("40", "0"))
    assert (seen["m1"].why, times(seen["m1"]), seen["m2"].ended) == (CHANGED, (1, 8), None)
    assert world.net(10, "m1", "m2") == Decimal("60.00")


_OTHER = ("team-a", "other")


def test_a_lower_setting_by_an_act_of_another_policy_ends_no_saving(store: Store) -> None:
    world = Sized(store)
    world.see(1, 512, "50")
    other = replace(sized("u5", 256, "50.00", "25.00"), tenant=replace(TENANT, policy="other"))
    world.savings.append(other, NOW + timedelta(hours=1), "", _SET)
    lasting = world.see(2, 256, "25")
    assert (times(lasting), lasting.share, lasting.ended) == ((2, 0), Decimal(1), None)
    entries = [one for one in world.savings.read() if one["request"] in {"u4", "u5"}]
    assert realised_a_month(entries, NOW + timedelta(hours=2), world.savings.seen()).net == Decimal("75.00")
    assert "u5" not in world.savings.seen(), "each policy notes its own acts alone"


def test_an_act_of_another_policy_that_takes_a_saving_back_ends_it_and_each_policy_says_its_part(store: Store) -> None:
    world = World(store)
    world.scan(1, "0.1")
    back = replace(raised(), tenant=replace(TENANT, policy="other"))
    dearer = {"currentMonthlyCost": "73.00", "newMonthlyCost": "150.00", "monthlySavings": "0.00"}
    world.savings.append(replace(back, estimate=dearer), NOW + timedelta(hours=3))
    lasting = world.scan(4, "0.2")
    assert (times(lasting), lasting.why, lasting.ended) == ((3, 0), TAKEN_BACK, NOW + timedelta(hours=3))
    later = NOW + timedelta(hours=5)
    assert world.hours.a_month(POLICY, later) == Realised(known=1)
    assert world.hours.a_month(_OTHER, later) == Realised(rises=Decimal("4.00"), known=1)


def test_what_no_scan_has_seen_for_longer_than_32_days_is_unknown_as_of_a_policy_that_was_renamed(store: Store) -> None:
    world = Sized(store)
    (entry,) = [one for one in world.savings.read() if one["request"] == "u4"]
    month, hour = timedelta(days=32), timedelta(hours=1)

    def realised(at: datetime) -> Realised:
        return realised_a_month([entry], at, world.savings.seen())

    assert realised(NOW + month) == Realised(saved=Decimal("50.00"), known=1), "no scan has seen it yet"
    assert realised(NOW + month + hour) == Realised(unknown=1)
    world.see(1, 512, "50")
    assert realised(NOW + month + hour) == Realised(saved=Decimal("50.00"), known=1)
    assert realised(NOW + timedelta(days=60)) == Realised(unknown=1)
    world.see(24 * 60, 512, "50")
    assert realised(NOW + timedelta(days=60)) == Realised(saved=Decimal("50.00"), known=1)
