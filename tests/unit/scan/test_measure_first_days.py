"""Days first: what they decide needs no hours, and no decision differs from the one on full 5-minute points."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.support.facts import instance as real_instance
from tests.support.facts import volume as real_volume
from tests.unit.scan.aggregating import DAY, Aggregating
from tests.unit.scan.deciding import CHECKS, DEFAULT, ENABLED, Judged
from tests.unit.scan.measuring import NOW, CloudWatch, instance, measure

from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.errors import AwsThrottled
from finops.store.connection import Store
from finops_operator.plugins.check import Pictures, Settled
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.scan.check import CheckSetting, enabled_checks, evaluate, settled_by_days, wants_fine
from finops_operator.scan.metrics.first_days import DaysPicture


def test_a_busy_instance_is_decided_by_its_days_and_shows_what_they_say(store: Store) -> None:
    # No 5 minutes need more than it has: else hours must say how often.
    reader = Aggregating(points={"CPUUtilization": (50.0, 0, 0), "NetworkIn": (1e9, 0, 0)}, spike=79.0)
    machine = real_instance()
    found, measurer = measure(store, reader, machine, settled=DEFAULT.settled)
    seen = found[machine.id]
    assert reader.periods == [DAY]
    cpu = seen.metrics["cpuPercent"]
    assert (cpu.period_seconds, cpu.points, cpu.expected) == (DAY, 14, 14)
    assert seen.least["cpuPercent"].p99_5 > 45
    assert (measurer.failures.asked.hourly_series, measurer.failures.asked.fine_series) == (0, 0)
    assert measurer.failures.asked.points == measurer.failures.asked.day_series * 15 == 9 * 15
    reasons = {one.check: one.reason for one in DEFAULT.verdicts(machine, seen) if isinstance(one, NotRecommended)}
    assert reasons["ec2_instance_idle"].startswith("CPU reached ")
    assert reasons["ec2_instance_overprovisioned"] == "no smaller type has room for its peaks"


def test_an_idle_instance_is_found_by_its_days(store: Store) -> None:
    reader = Aggregating(points={"CPUUtilization": (1.0, 0, 0), "NetworkIn": (10.0, 0, 0)})
    machine = real_instance()
    found, _ = measure(store, reader, machine, settled=DEFAULT.settled)
    assert set(reader.periods) == {DAY}
    assert "ec2_instance_idle" in {check for check, _ in DEFAULT.decisions(machine, found[machine.id])}


@pytest.mark.parametrize(("hour", "minute"), [(0, 12), (0, 46), (6, 0), (23, 50)])
def test_a_day_that_has_just_begun_is_no_day_off_so_that_a_scan_asks_for_as_much_at_any_hour(
    store: Store, hour: int, minute: int
) -> None:
    # A day brings 1.4 GB in and 1.4 GB out, its first hour 60 MB each; 120 MB is what an instance at rest may have.
    steady = {"CPUUtilization": (4.0, 0, 0), "NetworkIn": (1e6, 0, 0), "NetworkOut": (1e6, 0, 0)}
    now = NOW.replace(hour=hour, minute=minute)
    reader = Aggregating(points=steady, until=now)
    _, measurer = measure(store, reader, real_instance(), settled=DEFAULT.settled, fine=True, now=now)
    assert [(period, series) for _, period, series in reader.requests] == [(DAY, 9), (DAY, 4), (DAY, 2)]
    assert measurer.failures.asked.points == 15 * 15


def test_an_instance_between_idle_and_busy_buys_its_hours_and_keeps_them(store: Store) -> None:
    # Two days of UTC together may carry too much, 24 hours in a row may not.
    reader = Aggregating(points={"CPUUtilization": (1.0, 0, 0), "NetworkIn": (2_000.0, 0, 0)})
    machine = real_instance()
    found, _ = measure(store, reader, machine, settled=DEFAULT.settled)
    # The last of them bound the peaks of volumes and of packets, for a smaller type.
    assert [(period, series) for _, period, series in reader.requests] == [(DAY, 9), (3600, 4), (DAY, 4), (DAY, 2)]
    assert found[machine.id].metrics["cpuPercent"].points == 336
    again = Aggregating()
    measure(store, again, machine, settled=DEFAULT.settled, fine=True)
    assert again.requests == []


def test_a_load_that_is_high_every_day_needs_a_week_of_its_hours_and_no_more(store: Store) -> None:
    # The days say that it reached 86 % and used 70 % in the mean: not how often it was above 80 %.
    busy = {"CPUUtilization": (70.0, 0, 0), "NetworkIn": (1e6, 0, 0), "NetworkOut": (1e6, 0, 0)}
    reader = Aggregating(points=busy, spike=86.0)
    machine = real_instance(instance_type="m5.2xlarge")
    found, _ = measure(store, reader, machine, settled=DEFAULT.settled, fine=True)
    assert [(period, series) for _, period, series in reader.requests] == [(DAY, 9), (3600, 1), (DAY, 4)]
    assert found[machine.id].least["cpuPercent"].p99_5 > 85
    twin = replace(machine, id="i-full")
    full, _ = measure(store, reader, twin, fine=True)
    decided = DEFAULT.decisions(machine, found[machine.id])
    assert {check for check, _ in decided} == {"ec2_instance_underprovisioned"}
    assert decided == DEFAULT.decisions(twin, full[twin.id])
    again = Aggregating(points=busy, spike=86.0)
    measure(store, again, machine, settled=DEFAULT.settled, fine=True)
    assert again.requests == []


def test_an_instance_that_has_hours_is_decided_on_the_next_day_by_days_and_no_five_minutes(store: Store) -> None:
    between = {"CPUUtilization": (1.0, 0, 0), "NetworkIn": (2_000.0, 0, 0)}
    machine = real_instance()
    measure(store, Aggregating(points=between), machine, settled=DEFAULT.settled, fine=True)
    tomorrow = NOW + timedelta(days=1)
    reader = Aggregating(points=between, until=tomorrow)
    found, _ = measure(store, reader, machine, settled=DEFAULT.settled, fine=True, now=tomorrow)
    assert [(period, series) for _, period, series in reader.requests] == [(3600, 4), (DAY, 9), (DAY, 4), (DAY, 2)]
    twin = replace(machine, id="i-full")
    full, _ = measure(store, reader, twin, fine=True, now=tomorrow)
    assert DEFAULT.decisions(machine, found[machine.id]) == DEFAULT.decisions(twin, full[twin.id])


def test_whether_volumes_are_held_at_the_limit_of_the_type_is_left_to_five_minutes(store: Store) -> None:
    # An m5.2xlarge carries 287.5 MB/s: some 17 GB in each of five samples of five minutes.
    full = {"CPUUtilization": (10.0, 0, 0), "NetworkIn": (1e6, 0, 0), "EBSReadBytes": (15e9, 0, 0)}
    reader = Aggregating(points=full)
    machine = real_instance(instance_type="m5.2xlarge")

    def wants(resource: Resource, seen: Utilization) -> bool:
        return wants_fine(ENABLED, DEFAULT.facts(resource, seen))

    found, _ = measure(store, reader, machine, settled=DEFAULT.settled, fine=wants)
    # Their peaks by days, then their sums, then hours, which leave it open as well.
    assert reader.periods == [DAY, DAY, DAY, 3600, 300]
    reasons = {
        one.check: one.reason for one in DEFAULT.verdicts(machine, found[machine.id]) if isinstance(one, NotRecommended)
    }
    held = "its volumes would use all the EBS bandwidth that r5b.xlarge carries"
    assert reasons["ec2_instance_overprovisioned"] == held
    twin = replace(machine, id="i-full")
    all_points, _ = measure(store, reader, twin, fine=True)
    decided = DEFAULT.decisions(machine, found[machine.id])
    assert decided == DEFAULT.decisions(twin, all_points[twin.id]) == set()


def test_a_policy_that_judges_volumes_reads_their_days_of_a_busy_instance_too(store: Store) -> None:
    setting = CheckSetting("ec2_instance_underprovisioned", parameters={"judgeVolumes": 1})
    enabled = enabled_checks(CHECKS, [setting])
    busy = {"CPUUtilization": (50.0, 0, 0), "NetworkIn": (1e9, 0, 0)}

    def settled(resource: Resource, picture: DaysPicture) -> Settled:
        pictures = Pictures(*(DEFAULT.facts(resource, one) for one in (picture.days, picture.least, picture.most)))
        return settled_by_days(enabled, pictures)

    quiet = Aggregating(points=busy, spike=79.0)
    measure(store, quiet, real_instance(), settled=settled, fine=True)
    assert [(period, series) for _, period, series in quiet.requests] == [(DAY, 9), (DAY, 4)]
    held = Aggregating(points={**busy, "EBSReadBytes": (15e9, 0, 0)}, spike=79.0)
    machine = replace(real_instance(), id="i-held")
    found, _ = measure(store, held, machine, settled=settled, fine=True)
    assert held.periods[-1] == 300
    verdicts = evaluate(enabled, DEFAULT.facts(machine, found[machine.id]))
    assert [one.check for one in verdicts if isinstance(one, Finding)] == ["ec2_instance_underprovisioned"]


def test_a_smaller_type_is_found_by_days_and_says_that_they_were_read(store: Store) -> None:
    quiet = {"CPUUtilization": (10.0, 0, 0), "NetworkIn": (1e6, 0, 0), "NetworkOut": (1e6, 0, 0)}
    reader = Aggregating(points=quiet)
    machine = real_instance(instance_type="m5.2xlarge")
    found, measurer = measure(store, reader, machine, settled=DEFAULT.settled)
    # Of volumes only what bounds their peaks is asked for, and only now; then packets, as it has less bandwidth.
    assert [(period, series) for _, period, series in reader.requests] == [(DAY, 9), (DAY, 4), (DAY, 2)]
    assert measurer.failures.asked.fine_series == 0
    (one,) = [one for one in DEFAULT.verdicts(machine, found[machine.id]) if isinstance(one, Finding) if one.target]
    assert one.target == "r5.xlarge"
    measured = next(fact.value for fact in one.facts if fact.label == "Measured")
    assert measured.endswith("; read by the day, so each figure is the most it can be")
    assert one.evidence["readSeconds"] == DAY


def test_packets_are_asked_for_where_they_may_decide_alone_and_rule_out_a_type_of_less_bandwidth(store: Store) -> None:
    quiet = {"CPUUtilization": (10.0, 0, 0), "NetworkIn": (1e6, 0, 0), "NetworkOut": (1e6, 0, 0)}
    many = {**quiet, "NetworkPacketsIn": (300_000 * 300.0, 0, 0), "NetworkPacketsOut": (10.0, 0, 0)}
    reader = Aggregating(points=many)
    machine = real_instance(instance_type="m5.2xlarge")
    found, _ = measure(store, reader, machine, settled=DEFAULT.settled)
    assert [(period, series) for _, period, series in reader.requests[:3]] == [(DAY, 9), (DAY, 4), (DAY, 2)]
    twin = replace(machine, id="i-full")
    full, _ = measure(store, reader, twin, fine=True)
    decided = DEFAULT.decisions(twin, full[twin.id])
    assert ("ec2_instance_overprovisioned", "r5.xlarge") not in decided
    assert decided == DEFAULT.decisions(machine, found[machine.id])
    # Of what is read and not asked for nothing is shown: neither none of it nor any number.
    busy = replace(machine, id="i-busy")
    load = {"CPUUtilization": (70.0, 0, 0), "NetworkIn": (1e6, 0, 0), "NetworkOut": (1e6, 0, 0)}
    seen, _ = measure(store, Aggregating(points=load, spike=86.0), busy, settled=DEFAULT.settled)
    assert not {"networkPacketsIn", "networkPacketsOut"} & {*seen[busy.id].metrics, *seen[busy.id].fine}


def test_what_days_decided_is_not_asked_again_on_the_same_day_and_is_on_the_next(store: Store) -> None:
    busy = {"CPUUtilization": (60.0, 0.0, 0.0), "NetworkIn": (1e9, 0.0, 0.0)}
    machine = real_instance()
    first, _ = measure(store, Aggregating(points=busy, spike=79.0), machine, settled=DEFAULT.settled)
    again = Aggregating(points=busy, spike=79.0)
    second, _ = measure(store, again, machine, settled=DEFAULT.settled, now=NOW + timedelta(hours=1))
    assert again.requests == []
    assert second == first
    tomorrow = Aggregating(points=busy, spike=79.0, until=NOW + timedelta(days=1))
    measure(store, tomorrow, machine, settled=DEFAULT.settled, now=NOW + timedelta(days=1))
    assert tomorrow.periods == [DAY]


def test_on_the_next_day_only_days_that_had_not_ended_are_asked_for_and_say_what_all_would(store: Store) -> None:
    busy = {"CPUUtilization": (60.0, 0.0, 0.0), "NetworkIn": (1e9, 0.0, 0.0)}
    machine, today = real_instance(), int(NOW.timestamp()) // DAY * DAY
    measure(store, Aggregating(points=busy, spike=79.0, seed=3), machine, settled=DEFAULT.settled)
    later = NOW + timedelta(days=1)
    next_day = Aggregating(points=busy, spike=79.0, until=later, seed=3)
    seen, measurer = measure(store, next_day, machine, settled=DEFAULT.settled, now=later)
    assert [start for start, _, _ in next_day.requests] == [today]
    assert measurer.failures.asked.points == 9 * 2
    twin = replace(machine, id="i-twin")
    whole, _ = measure(store, next_day, twin, settled=DEFAULT.settled, now=later)
    assert replace(whole[twin.id], resource_id=machine.id) == seen[machine.id]
    # Another launch may be another type: all its days are asked for.
    restarted = replace(machine, created=later + timedelta(hours=1))
    anew = Aggregating(points=busy, spike=79.0, until=later + timedelta(days=5), seed=3)
    measure(store, anew, restarted, settled=DEFAULT.settled, now=later + timedelta(days=5))
    assert anew.requests[0][0] == today - (14 - 6) * DAY


def test_days_seen_in_part_decide_nothing(store: Store) -> None:
    class HalfADay(Aggregating):
        def point(self, metric: str, slot: int) -> tuple[float, float] | None:
            return None if slot // 288 % 5 == 0 and slot % 288 < 144 else super().point(metric, slot)

    reader = HalfADay(points={"CPUUtilization": (60.0, 0, 0), "NetworkIn": (1e9, 0, 0)})
    measure(store, reader, real_instance(), settled=DEFAULT.settled)
    assert reader.periods == [DAY, 3600]


def test_days_that_could_not_be_read_are_asked_for_by_hours_and_count_as_one_gap(store: Store) -> None:
    error = AwsThrottled("no", operation="cloudwatch:GetMetricData", code="Throttling")
    reader = CloudWatch(broken=error)
    found, measurer = measure(store, reader, instance(), settled=lambda _r, _p: Settled.BY_DAYS)
    assert reader.periods == [DAY, 3600]
    assert found["i-1"].unknown["cpuPercent"] == "Throttling"
    assert [one.resources for one in measurer.gaps() if one.operation == "GetMetricData"] == [1]


def test_one_metric_that_days_do_not_bring_leaves_the_hours_to_say(store: Store) -> None:
    reader = CloudWatch(refused=frozenset({"NetworkIn"}))
    found, measurer = measure(store, reader, instance(), settled=lambda _r, _p: Settled.BY_DAYS)
    assert reader.periods[0] == DAY
    assert 3600 in reader.periods
    assert set(found["i-1"].metrics) == {"cpuPercent", "networkOutBytes"}
    assert [(gap.code, gap.resources) for gap in measurer.gaps()] == [("InternalError", 1)]


def test_an_instance_started_today_has_no_whole_day_and_is_judged_by_hours(store: Store) -> None:
    reader = Aggregating(points={"CPUUtilization": (60.0, 0, 0)})
    young = instance(created=NOW - timedelta(hours=10))
    found, _ = measure(store, reader, young, settled=lambda _r, _p: Settled.BY_DAYS)
    assert reader.periods == [DAY, 3600]
    assert found["i-1"].metrics["cpuPercent"].period_seconds == 3600


def test_an_attached_volume_needs_no_hours_whatever_it_does(store: Store) -> None:
    reader = Aggregating(points={})
    attached = real_volume(volume_type="gp2")
    found, _ = measure(store, reader, attached, settled=DEFAULT.settled)
    # Thirty-two days of operations; of the days of a lookback also how much of them was seen.
    assert [(period, series) for _, period, series in reader.requests] == [(DAY, 2), (DAY, 6)]
    assert found[attached.id].metrics["volumeReadOps"].points == 14
    assert ("ebs_volume_gp2", "gp3") in DEFAULT.decisions(attached, found[attached.id])


PRESETS = ("MaxSavings", "Balanced", "Default", "MaxPerformance")
TYPES = ("m5.2xlarge", "t3.xlarge", "c5.4xlarge", "m6i.large", "r5.4xlarge")
ON_XEN = ("m4.2xlarge", "t2.large", "c4.4xlarge", "r4.xlarge")


@dataclass(frozen=True)
class MadeUp:
    """An instance, what it did, and how it is judged; loads lie around the limits of checks."""

    machine: Resource
    cloud: Aggregating
    sizing: SizingPolicy
    days: int
    last_target: str


def made_up(number: int, types: Sequence[str] = TYPES) -> MadeUp:
    chance = random.Random(number)
    usual, busy = chance.choice([0.5, 3, 4.5, 10, 20, 30, 40, 60]), chance.choice([4.9, 5.2, 20, 40, 70, 95])
    share = chance.choice([0.0, 0.0, 0.0005, 0.003, 0.006, 0.02, 0.08, 0.3])
    network = chance.choice([100.0, 5_000_000 / 1440 / 2, 1e4, 1e6])
    points = {
        "CPUUtilization": (usual, share, busy),
        "NetworkIn": (network, share, network * 3),
        "NetworkOut": (network, 0.0, 0.0),
        "CPUCreditBalance": (chance.choice([30.0, 500.0]), 0.0, 0.0),
        "mem_used_percent": (chance.choice([20.0, 45.0, 80.0]), 0.0, 0.0),
        "EBSReadOps": (chance.choice([10.0, 30_000.0, 300_000.0]), share, 60_000.0),
    }
    launch = chance.choice([real_instance().created, NOW - timedelta(days=chance.uniform(1, 20))])
    kind = chance.choice(types)
    machine = replace(real_instance(instance_type=kind), id=f"i-days{number}", created=launch)
    # The agent's dimension sets are read once a day for all instances: of the one, and of its twin in full.
    twins = (machine.id, f"i-full{number}")
    agents = [[{"Name": "InstanceId", "Value": one}] for one in twins] if chance.random() < 0.5 else []
    cloud = Aggregating(points=points, seed=number, agents=agents, gaps=chance.choice([0.0, 0.0, 0.02]))
    packets = chance.choice([0.0, 1e5, 1e7, 2.5e7, 1e8])
    points |= {"NetworkPacketsIn": (packets, share, packets * 2), "NetworkPacketsOut": (packets / 2, 0.0, 0.0)}
    last_target = chance.choice(["", "m5.xlarge", "t3.xlarge", "c5.2xlarge", "r5.2xlarge"])
    points["VolumeReadOps"] = chance.choice([10.0, 30_000.0, 300_000.0]), share, 60_000.0
    points["VolumeWriteBytes"] = chance.choice([0.0, 1e8, 2e9, 6e9]), share, 3e9
    return MadeUp(machine, cloud, SizingPolicy(chance.choice(PRESETS)), chance.choice([3, 7, 14]), last_target)


@pytest.mark.parametrize(
    ("types", "start"), [*((TYPES, start) for start in range(0, 60, 5)), *((ON_XEN, at) for at in range(100, 140, 10))]
)
def test_no_decision_differs_from_the_one_on_full_five_minute_points(
    store: Store, types: Sequence[str], start: int
) -> None:
    decided = 0
    for number in range(start, start + (5 if types is TYPES else 10)):
        one = made_up(number, types)
        judged = Judged(one.sizing, one.last_target)
        coarse, _ = measure(store, one.cloud, one.machine, settled=judged.settled, days=one.days)
        seen = coarse[one.machine.id]
        if not seen.least:
            continue
        decided += 1
        twin = replace(one.machine, id=f"i-full{number}")
        full, _ = measure(store, one.cloud, twin, fine=True, days=one.days)
        assert judged.decisions(one.machine, seen) == judged.decisions(twin, full[twin.id]), number
    assert decided >= 1
