"""What is stopped and started again is judged over the hours that it ran, since its creation."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tests.support.facts import cost
from tests.support.facts import instance as real_instance
from tests.unit.scan.aggregating import Aggregating
from tests.unit.scan.deciding import DEFAULT, Judged
from tests.unit.scan.measuring import NOW, measure

from finops.domain.lasting import Promise, Sighting, begun, sighted
from finops.domain.recommendation import EvidenceFact, Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.store.connection import Store
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.services.ec2.instance import KIND

THIS_MORNING = NOW.replace(hour=8, minute=0)
IDLE = {"CPUUtilization": (1.0, 0.0, 0.0), "NetworkIn": (10.0, 0.0, 0.0), "NetworkOut": (10.0, 0.0, 0.0)}
Off = Callable[[int], bool]


def by_day(slot: int) -> bool:
    """Ten hours a day it runs, from 8 to 18."""
    return not 96 <= slot % 288 < 216


def machine(*, launched: datetime = THIS_MORNING, known: datetime | None = None, **facts: str) -> Resource:
    since = (known or NOW - timedelta(days=60)).isoformat()
    made = real_instance()
    own = {**made.attributes, "launched": launched.isoformat(), "type_since": since, **facts}
    return replace(made, attributes=own, created=NOW - timedelta(days=100))


def seen_of(store: Store, cloud: Aggregating, one: Resource, *, fine: bool = False) -> Utilization:
    found, _ = measure(store, cloud, one, settled=DEFAULT.settled, fine=fine)
    return found[one.id]


def reasons(one: Resource, seen: Utilization) -> dict[str, str]:
    return {made.check: made.reason for made in DEFAULT.verdicts(one, seen) if isinstance(made, NotRecommended)}


def test_ten_hours_a_day_of_idleness_are_judged_as_the_hours_that_it_ran(store: Store) -> None:
    one = machine()
    seen = seen_of(store, Aggregating(points=IDLE, off=by_day), one)
    cpu = seen.metrics["cpuPercent"]
    assert (cpu.points, cpu.expected, cpu.not_running) == (140, 140, 196)
    assert (cpu.coverage_percent, cpu.missing_at_end, cpu.days) == (100.0, 0, 14.0)
    assert "ec2_instance_idle" in {check for check, _ in DEFAULT.decisions(one, seen)}


def test_one_busy_hour_among_those_that_it_ran_is_work_however_often_it_was_started_since(store: Store) -> None:
    busy = int((NOW - timedelta(days=9)).timestamp()) // 300

    class OneBusyHour(Aggregating):
        def point(self, metric: str, slot: int) -> tuple[float, float] | None:
            found = super().point(metric, slot)
            return (90.0, 95.0) if found and metric == "CPUUtilization" and busy <= slot < busy + 12 else found

        __hash__ = Aggregating.__hash__

    one = machine()
    seen = seen_of(store, OneBusyHour(points=IDLE, off=by_day), one)
    assert reasons(one, seen)["ec2_instance_idle"] == "CPU reached 95 %, the limit is 5 %"


def test_nights_without_a_point_are_gaps_where_it_has_run_all_the_time(store: Store) -> None:
    one = machine(launched=NOW - timedelta(days=20))
    seen = seen_of(store, Aggregating(points=IDLE, off=by_day), one)
    assert (seen.metrics["cpuPercent"].expected, seen.metrics["cpuPercent"].not_running) == (336, None)
    assert reasons(one, seen)["ec2_instance_idle"] == "CPU covers 41.6 % of its window, 95 % are needed"


@pytest.mark.parametrize("fine", [False, True])
def test_minutes_that_lack_within_the_hours_that_it_ran_were_not_seen(store: Store, fine: bool) -> None:
    def thin(slot: int) -> bool:
        return by_day(slot) or slot % 6 == 0

    one = machine()
    seen = seen_of(store, Aggregating(points=IDLE, off=thin), one, fine=fine)
    assert seen.best("cpuPercent") is not None
    assert reasons(one, replace(seen, metrics=seen.fine or seen.metrics))["ec2_instance_idle"].startswith("CPU covers ")


def test_an_agent_that_was_off_while_the_machine_ran_leaves_its_memory_unknown(store: Store) -> None:
    class AgentOff(Aggregating):
        def point(self, metric: str, slot: int) -> tuple[float, float] | None:
            gone = metric == "mem_used_percent" and slot % 288 >= 156
            return None if gone else super().point(metric, slot)

        __hash__ = Aggregating.__hash__

    one = machine()
    agents = [[{"Name": "InstanceId", "Value": one.id}]]
    seen = seen_of(store, AgentOff(points={**IDLE, "mem_used_percent": (20.0, 0, 0)}, off=by_day, agents=agents), one)
    memory = seen.metrics["memoryPercent"]
    assert (memory.points, memory.expected, memory.not_running) == (70, 140, 196)
    assert memory.coverage_percent == 50.0


def test_since_its_last_start_every_missing_hour_is_a_gap(store: Store) -> None:
    def gone(slot: int) -> bool:
        return by_day(slot) or slot >= int(NOW.timestamp()) // 300 - 3 * 12

    one = machine()
    cpu = seen_of(store, Aggregating(points=IDLE, off=gone), one).metrics["cpuPercent"]
    assert (cpu.points, cpu.expected, cpu.missing_at_end) == (138, 140, 2)


def test_before_a_change_of_type_nothing_counts(store: Store) -> None:
    changed = THIS_MORNING - timedelta(days=4)
    one = machine(type_changed=changed.isoformat())
    cpu = seen_of(store, Aggregating(points=IDLE, off=by_day), one).metrics["cpuPercent"]
    assert (cpu.start, cpu.expected) == (changed, 44)


def test_a_type_that_one_start_alone_shows_is_neither_shrunk_nor_grown(store: Store) -> None:
    one = machine(known=THIS_MORNING)
    seen = seen_of(store, Aggregating(points=IDLE, off=by_day), one, fine=True)
    said = reasons(one, seen)
    assert "ec2_instance_idle" in {check for check, _ in DEFAULT.decisions(one, seen)}
    for check in ("ec2_instance_overprovisioned", "ec2_instance_underprovisioned"):
        assert said[check] == "its type is known since its start at 2026-11-24 08:00 UTC alone, 336 hours are needed"


@pytest.mark.parametrize("hours", [31, 72, 335])
def test_a_change_of_type_that_nobody_saw_shrinks_nothing_within_the_window(store: Store, hours: int) -> None:
    launched = NOW - timedelta(hours=hours)
    started = int(launched.timestamp()) // 300

    class Changed(Aggregating):
        """Busy as the smaller type that it was before a stop of an hour, then nearly idle."""

        def point(self, metric: str, slot: int) -> tuple[float, float] | None:
            found = super().point(metric, slot)
            if found is None or started - 12 <= slot < started:
                return None
            times = 18 if slot < started else 2
            return (found[0] * times, found[1] * times) if metric == "CPUUtilization" else found

        __hash__ = Aggregating.__hash__

    points = {"CPUUtilization": (1.0, 0, 0), "NetworkIn": (1e6, 0, 0), "NetworkOut": (1e6, 0, 0)}
    one = machine(launched=launched, known=launched, instance_type="m5.xlarge")
    seen = seen_of(store, Changed(points=points), one, fine=True)
    assert reasons(one, seen)["ec2_instance_overprovisioned"].endswith(" UTC alone, 336 hours are needed")


def test_a_stop_is_no_hour_in_which_any_other_metric_has_a_point(store: Store) -> None:
    class CpuLost(Aggregating):
        """Its CPU was not published at night, its network was."""

        def point(self, metric: str, slot: int) -> tuple[float, float] | None:
            return None if metric == "CPUUtilization" and by_day(slot) else super().point(metric, slot)

        __hash__ = Aggregating.__hash__

    one = machine()
    for fine in (False, True):
        seen = seen_of(store, CpuLost(points=IDLE), one, fine=fine)
        cpu = (seen.fine or seen.metrics)["cpuPercent"]
        assert (cpu.not_running, seen.ran) == (None, None)
    assert KIND.as_it_ran(one, seen) is one
    assert reasons(one, seen)["ec2_instance_idle"] == "CPU covers 41.6 % of its window, 95 % are needed"


def test_it_costs_the_hours_that_it_ran_and_its_saving_is_of_these(store: Store) -> None:
    one = machine()
    seen = seen_of(store, Aggregating(points=IDLE, off=by_day), one)
    billed = KIND.as_it_ran(one, seen)
    assert billed.text("billed_share") == "0.4167"
    whole, share = cost(one).unrounded_monthly, cost(billed).unrounded_monthly
    assert whole is not None
    assert share == whole * Decimal("0.4167")
    (found,) = [one for one in DEFAULT.verdicts(billed, seen) if isinstance(one, Finding) and one.action]
    assert found.facts[-1] == EvidenceFact("Hours it ran", "41.7 % of the last 14 days, billed by them")


def _stop(hours: float, length: float) -> tuple[int, int]:
    """Return the slots of a stop that ended `hours` ago and was `length` hours long."""
    end = int((NOW - timedelta(hours=hours)).timestamp()) // 300
    return end - int(length * 12), end


@pytest.mark.parametrize(
    ("stops", "why"),
    [
        ([_stop(5, 300)], "it lay stopped and was started for good"),
        ([_stop(72, 200), _stop(300, 20)], "two stops are no habit"),
        ([_stop(5 + 24 * number, 14) for number in range(6)], "a week of nights is no habit of two"),
        ([_stop(40 + 24 * number, 14) for number in range(13)], "it runs on since the night before the last"),
        ([_stop(20, 150), _stop(200, 14), _stop(250, 14)], "it lay stopped for longer than a long weekend"),
        ([_stop(5 + 72 * number, 2) for number in range(4)], "its stops are short"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_whole_month_is_billed_where_stops_do_not_recur(store: Store, stops: list[tuple[int, int]], why: str) -> None:
    launched = NOW - timedelta(seconds=NOW.timestamp() - max(end for _, end in stops) * 300)
    one = machine(launched=launched)
    off = lambda slot: any(first <= slot < end for first, end in stops)  # noqa: E731
    seen = seen_of(store, Aggregating(points=IDLE, off=off), one)
    assert KIND.as_it_ran(one, seen) is one, why
    assert not [
        fact
        for made in DEFAULT.verdicts(one, seen)
        if isinstance(made, Finding)
        for fact in made.facts
        if fact.label == "Hours it ran"
    ]


def test_the_share_outlasts_a_change_of_type_and_what_it_saves_lasts(store: Store) -> None:
    one = machine(instance_type="m5.2xlarge")
    before = cost(KIND.as_it_ran(one, seen_of(store, Aggregating(points=IDLE, off=by_day), one))).unrounded_monthly
    assert before is not None
    changed = THIS_MORNING - timedelta(days=1)
    smaller = replace(machine(type_changed=changed.isoformat(), instance_type="m5.xlarge"), id="i-after")
    seen = seen_of(store, Aggregating(points=IDLE, off=by_day), smaller)
    assert seen.metrics["cpuPercent"].start == changed
    now = cost(KIND.as_it_ran(smaller, seen)).unrounded_monthly
    assert now == before / 2
    promise = Promise(since=changed, saving=before / 2, before=before, after=before / 2)
    after = sighted(begun(promise), promise, Sighting(NOW, True, now))
    assert (after.ended, after.why) == (None, "")


def test_a_stop_that_somebody_ended_saves_nothing_from_the_first_scan_on(store: Store) -> None:
    stopped_at, started = NOW - timedelta(days=18), NOW - timedelta(hours=5)
    whole = cost(machine()).unrounded_monthly
    assert whole is not None
    promise = Promise(since=stopped_at, saving=whole, before=whole, after=Decimal(0))
    last = begun(promise)
    for day in range(1, 18):
        last = sighted(last, promise, Sighting(stopped_at + timedelta(days=day), True, Decimal(0)))
    one = machine(launched=started)
    began = int(started.timestamp()) // 300
    seen = seen_of(store, Aggregating(points=IDLE, off=lambda slot: slot < began), one)
    last = sighted(last, promise, Sighting(NOW, True, cost(KIND.as_it_ran(one, seen)).unrounded_monthly))
    assert last.why == "A scan saw that the resource costs as much as before the act."


def test_what_was_stopped_for_less_than_a_tenth_of_its_window_costs_the_whole_month(store: Store) -> None:
    night = int((NOW - timedelta(days=5)).timestamp()) // 300
    one = machine(launched=NOW - timedelta(days=4))
    seen = seen_of(store, Aggregating(points=IDLE, off=lambda slot: night <= slot < night + 24 * 12), one)
    assert KIND.as_it_ran(one, seen) is one


def _stops(chance: random.Random) -> tuple[Off, datetime]:
    hours = chance.choice([1, 6, 10, 20, 23])
    first = chance.randrange(0, 24 - hours + 1)
    if chance.random() < 0.5:
        since = NOW - timedelta(days=chance.uniform(0.5, 13))
        slot = int(since.timestamp()) // 300
        length = chance.choice([1, 6, 13, 40, 300])
        return (lambda one: slot - length <= one < slot), since
    start = NOW.replace(hour=first, minute=0)
    began = start if start < NOW else start - timedelta(days=1)
    return (lambda one: not first * 12 <= one % 288 < (first + hours) * 12), began


@pytest.mark.parametrize("start", range(0, 40, 4))
def test_no_decision_about_what_stops_differs_from_the_one_on_full_five_minute_points(store: Store, start: int) -> None:
    for number in range(start, start + 4):
        chance = random.Random(number)
        off, launched = _stops(chance)
        usual, busy = chance.choice([0.5, 3, 4.5, 10, 20, 60]), chance.choice([4.9, 5.2, 20, 70, 95])
        share = chance.choice([0.0, 0.0, 0.003, 0.02, 0.3])
        points = {**IDLE, "CPUUtilization": (usual, share, busy)}
        cloud = Aggregating(points=points, seed=number, off=off, gaps=chance.choice([0.0, 0.0, 0.02]))
        judged = Judged(SizingPolicy(chance.choice(("MaxSavings", "Default"))))
        coarse, full = (replace(machine(launched=launched), id=f"i-{name}{number}") for name in ("days", "full"))
        found, _ = measure(store, cloud, coarse, settled=judged.settled)
        if not found[coarse.id].least:
            continue
        whole, _ = measure(store, cloud, full, fine=True)
        ran = [KIND.as_it_ran(one, seen) for one, seen in ((coarse, found[coarse.id]), (full, whole[full.id]))]
        assert [one.text("billed_share") for one in ran] == ["", ""], number
        assert judged.decisions(ran[0], found[coarse.id]) == judged.decisions(ran[1], whole[full.id]), number
