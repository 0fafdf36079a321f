"""ec2_instance_off_hours: office hours by the clock, what a schedule saves, and which instances get none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import MEGABYTE, NOW, flat, instance, summarize
from tests.support.judging import Bench, without

from finops.domain.canonical import Json
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import HourPoints, MetricSummary, Utilization
from finops_operator.plugins.check import Facts, Pictures, Settled
from finops_operator.services.ec2.checks.ec2_instance_off_hours import CHECK
from finops_operator.services.ec2.instance import KIND, InstanceFacts

JUDGED = Bench(KIND)
DEFAULTS = {spec.name: spec.default for spec in CHECK.parameters}
END = int(NOW.timestamp()) // 3600
HOURS = 14 * 24
NO_DAYS_OFF = "no two days in a row are without work"
Levels = Callable[[datetime], float]


def office(moment: datetime) -> float:
    """Return the CPU of a machine that works from Monday to Friday, 8 to 18 o'clock."""
    return 40.0 if moment.weekday() < 5 and 8 <= moment.hour < 18 else 1.0


def measured(cpu: Levels, network: Levels = lambda _: 0.1, *, zone: str = "UTC", hours: int = HOURS) -> Utilization:
    """Return hours of percent, and of megabytes an hour in each direction."""
    moments = [datetime.fromtimestamp((END - hours + one) * 3600, tz=ZoneInfo(zone)) for one in range(hours)]
    peaks, amounts = [cpu(one) for one in moments], [network(one) * MEGABYTE for one in moments]
    levels = {"cpuPercent": peaks, "networkInBytes": amounts, "networkOutBytes": amounts}
    return Utilization(
        instance().id,
        metrics={name: summarize(points) for name, points in levels.items()},
        hours={name: HourPoints(END, tuple(points)) for name, points in levels.items()},
    )


def in_zone(zone: str, seen: Utilization, one: Resource | None = None) -> Finding | NotRecommended:
    facts = JUDGED.facts(one or instance(), seen)
    return CHECK.evaluate(replace(facts, settings=replace(facts.settings, time_zone=zone)), DEFAULTS)


def test_office_hours_are_found_with_the_schedule_and_the_share_of_the_cost_that_it_saves() -> None:
    one = JUDGED.found(CHECK, instance(), measured(office))
    assert one.action == ""
    assert one.evidence["offHoursPerWeek"] == 108
    assert one.evidence["schedule"] == {"Monday to Friday": "07:00 to 19:00", "Saturday to Sunday": "off"}
    assert one.summary == "Nothing was done in 108 of the 168 hours of a week: a schedule would stop it for them."
    # 0.384 an hour, on for 60 of 168 hours.
    assert one.new_monthly_cost is not None
    assert one.new_monthly_cost.quantize(Decimal("0.0001")) == Decimal("100.1143")
    said = {fact.label: fact.value for fact in one.facts}
    assert said["On, Monday to Friday"] == "07:00 to 19:00"
    assert said["Clock"] == "UTC"


def test_an_elastic_address_stays_billed_for_all_hours() -> None:
    held = instance(public_ipv4=["198.51.100.7"], elastic=[True])
    more = JUDGED.found(CHECK, held, measured(office)).new_monthly_cost
    less = JUDGED.found(CHECK, instance(), measured(office)).new_monthly_cost
    assert more is not None
    assert less is not None
    assert (more - less).quantize(Decimal("0.01")) == Decimal("3.65")


def test_the_clock_is_that_of_the_policy() -> None:
    seen = measured(office, zone="Asia/Tokyo")
    there = in_zone("Asia/Tokyo", seen)
    assert isinstance(there, Finding)
    assert there.evidence["timeZone"] == "Asia/Tokyo"
    assert there.evidence["schedule"] == {"Monday to Friday": "07:00 to 19:00", "Saturday to Sunday": "off"}


def test_one_hour_of_work_at_a_weekend_is_enough_against_it() -> None:
    def once(moment: datetime) -> float:
        return 5.0 if (moment.day, moment.hour) == (21, 3) else office(moment)  # a Saturday

    assert JUDGED.reason(CHECK, instance(), measured(once)) == NO_DAYS_OFF

    def nearly(moment: datetime) -> float:
        return 4.9 if (moment.day, moment.hour) == (21, 3) else office(moment)

    assert JUDGED.found(CHECK, instance(), measured(nearly)).check == CHECK.id


def test_traffic_is_work_too() -> None:
    def nightly(moment: datetime) -> float:
        return 3.0 if moment.hour == 2 else 0.1

    assert JUDGED.reason(CHECK, instance(), measured(office, nightly)) == NO_DAYS_OFF


def test_a_nightly_job_is_no_office_hours_and_neither_is_a_machine_without_work() -> None:
    def job(moment: datetime) -> float:
        return 90.0 if moment.hour < 3 else 1.0

    assert JUDGED.reason(CHECK, instance(), measured(job)) == NO_DAYS_OFF
    assert JUDGED.reason(CHECK, instance(), measured(lambda _: 1.0)) == "its CPU never reaches 5 %"


def test_what_happened_once_is_no_habit() -> None:
    def spike(moment: datetime) -> float:
        return 97.0 if (moment.day, moment.hour) in {(11, 9), (19, 14)} else 1.0  # a Wednesday and a Thursday

    reason = JUDGED.reason(CHECK, instance(), measured(spike))
    assert reason == "most of its days of work did not come again in another week"

    def holiday(moment: datetime) -> float:
        return 1.0 if moment.day == 18 else office(moment)

    assert JUDGED.found(CHECK, instance(), measured(holiday)).evidence["offHoursPerWeek"] == 108


def test_too_few_hours_off_are_left_alone() -> None:
    def long_days(moment: datetime) -> float:
        return 40.0 if moment.weekday() < 5 and 1 <= moment.hour < 23 else 1.0

    assert JUDGED.reason(CHECK, instance(), measured(long_days)) == "only 48 hours of a week are without work"
    found = JUDGED.found(CHECK, instance(), measured(long_days), minimumOffHours=Decimal(48))
    assert found.evidence["offHoursPerWeek"] == 48


def test_absent_or_thin_data_is_no_hour_without_work() -> None:
    seen = measured(office)
    assert "CPU is unknown" in JUDGED.reason(CHECK, instance(), without(seen, "cpuPercent"))
    assert "network in bytes is unknown" in JUDGED.reason(CHECK, instance(), without(seen, "networkInBytes"))
    short = measured(office, hours=13 * 24)
    assert JUDGED.reason(CHECK, instance(), short) == "only 13 days of CPU were read, 14 are needed"
    assert JUDGED.reason(CHECK, instance(), replace(seen, hours={})) == NO_DAYS_OFF
    # One unknown hour of a weekend may have been one of work.
    cpu = seen.hours["cpuPercent"]
    place = next(at for at in range(HOURS) if datetime.fromtimestamp((END - HOURS + at) * 3600, tz=UTC).weekday() == 5)
    holed = HourPoints(cpu.end_hour, tuple(None if at == place else one for at, one in enumerate(cpu.peaks)))
    gone = replace(seen, hours={**seen.hours, "cpuPercent": holed})
    assert JUDGED.reason(CHECK, instance(), gone) == NO_DAYS_OFF
    shifted = {**seen.hours, "cpuPercent": HourPoints(cpu.end_hour - 1, cpu.peaks)}
    assert JUDGED.reason(CHECK, instance(), replace(seen, hours=shifted)) == "its metrics end at different hours"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (instance("stopped"), "it is stopped, not running"),
        (instance(tags={"aws:autoscaling:groupName": "web"}), "Auto Scaling owns it"),
        (instance(tags={"terraform": "true"}), "Terraform owns it"),
        (instance(tags={"Schedule": "office-hours"}), "a tag names a schedule already"),
        (instance(root_device_type="instance-store"), "its root device is not known to be an EBS volume"),
        (instance(lifecycle="spot"), "it is not an on-demand instance"),
        (instance(instance_type="m99.large"), "nothing is known about its type"),
        (instance(instance_type="g5.xlarge"), "it has an accelerator"),
        (instance(instance_type="m5d.large"), "a stop would erase the local disks"),
        (instance(capacity_reservation="cr-0a"), "it is in a capacity reservation"),
    ],
)
def test_what_others_start_and_stop_or_a_stop_would_harm_is_left_alone(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one, measured(office)).startswith(why)
    facts = JUDGED.facts(one, by_days(1.0, 60.0))
    assert CHECK.settled_by_days(Pictures(facts, facts, facts), DEFAULTS) is Settled.BY_DAYS


def by_days(lowest: float, maximum: float, *, days: int = 14, network: float = 1.0) -> Utilization:
    """Return days: the lowest mean and the highest peak of CPU, and megabytes a day."""
    cpu = replace(flat(maximum, days=days, period=86_400), lowest=lowest)
    traffic = flat(network * MEGABYTE, days=days, period=86_400)
    metrics: Mapping[str, MetricSummary] = {"cpuPercent": cpu, "networkInBytes": traffic, "networkOutBytes": traffic}
    return Utilization(instance().id, metrics=metrics)


def settled(seen: Utilization) -> Settled:
    facts: Facts[InstanceFacts] = JUDGED.facts(instance(), seen)
    return CHECK.settled_by_days(Pictures(facts, facts, facts), DEFAULTS)


def test_hours_are_read_only_where_a_day_shows_no_work_and_another_does() -> None:
    assert settled(by_days(1.0, 60.0)) is Settled.OPEN
    assert settled(by_days(5.0, 60.0)) is Settled.BY_DAYS
    assert settled(by_days(1.0, 4.9)) is Settled.BY_DAYS
    assert settled(by_days(1.0, 60.0, network=121.0)) is Settled.BY_DAYS
    assert settled(by_days(1.0, 60.0, days=13)) is Settled.BY_DAYS
    assert settled(without(by_days(1.0, 60.0), "networkOutBytes")) is Settled.BY_DAYS
    assert settled(measured(office)) is Settled.BY_DAYS


ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Atlantic/Azores")


@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(0, 22),
    length=st.integers(1, 24),
    off=st.integers(0, 6),
    level=st.sampled_from([4.9, 5.0, 60.0]),
)
def test_days_never_settle_what_hours_would_find(zone: str, start: int, length: int, off: int, level: float) -> None:
    def work(moment: datetime) -> float:
        at_work = start <= moment.hour < start + length and moment.weekday() not in (off, (off + 1) % 7)
        return level if at_work else 1.0

    seen = measured(work, zone=zone)
    if isinstance(in_zone(zone, seen), NotRecommended):
        return
    # Whole days of UTC within the window, as the first picture has them.
    peaks = seen.hours["cpuPercent"].peaks
    skipped = -(END - HOURS) % 24
    whole = [peaks[at : at + 24] for at in range(skipped, HOURS - 23, 24)]
    means = [sum(one or 0.0 for one in day) / 24 for day in whole]
    picture = by_days(min(means), max(one or 0.0 for one in peaks), network=4.8)
    assert settled(picture) is Settled.OPEN


@given(level=st.floats(0, 100), share=st.integers(1, 20))
def test_a_schedule_saves_no_more_than_the_instance_costs(level: float, share: int) -> None:
    def work(moment: datetime) -> float:
        return level if moment.weekday() < 5 and moment.hour < share else 1.0

    found = JUDGED.judged(CHECK, instance(), measured(work))
    if isinstance(found, Finding):
        cost = JUDGED.cost(instance()).unrounded_monthly
        assert found.new_monthly_cost is not None
        assert cost is not None
        assert 0 < found.new_monthly_cost < cost


def test_hours_of_the_kind_are_handed_to_checks_one_by_one() -> None:
    handed = {spec.name for spec in KIND.metrics if spec.by_the_clock}
    assert handed == {"cpuPercent", "networkInBytes", "networkOutBytes"}


def test_the_schedule_is_json() -> None:
    one = JUDGED.found(CHECK, instance(), measured(office))
    evidence: Mapping[str, Json] = one.evidence
    assert isinstance(evidence["schedule"], dict)
