"""EC2 instances that work by office hours: a schedule that stops them for the rest of the week, and what it saves.

The hours of at least two weeks, by the clock of the policy's time zone, say when in the week nothing is done: hardly
any CPU and hardly any network in that hour of any week. Most days of work, and a quarter of their hours, must come in
more than one week: what happened once is no habit. Two whole days in a row must be off, which is what sets office hours
apart from a nightly job, and what days show before any hour is read. What the schedule saves is the share of its off
hours of the instance's own cost; volumes and Elastic IP addresses stay billed. It is advice: a scheduler of the account
carries it out (AWS's Instance Scheduler, EventBridge), and people must be able to start it out of hours. Instances that
a controller, a template or a schedule owns are left out, as are those that a stop would harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from finops.domain.canonical import Json
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec, Pictures, Settled
from finops_operator.plugins.measured import percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence
from finops_operator.plugins.window import not_measured, summaries
from finops_operator.services.ec2.instance import KIND, InstanceFacts
from finops_operator.services.ec2.judging.office_hours import HOURS_A_WEEK, Week, week_of
from finops_operator.services.ec2.rules.new_types import own_type
from finops_operator.services.ec2.rules.remaining_cost import stopped_cost
from finops_operator.services.ec2.rules.run_by_others import stop_saves_nothing
from finops_operator.services.ec2.rules.special_types import ACCELERATED, special_purpose

ID: Final = "ec2_instance_off_hours"
_CPU, _IN, _OUT = "cpuPercent", "networkInBytes", "networkOutBytes"
_METRICS: Final = (_CPU, _IN, _OUT)
_LEAST_DAYS: Final = Decimal(14)
_MEGABYTE: Final = 1_000_000
_HOURS_A_DAY: Final = 24
_DAY_SECONDS: Final = 86_400
_SCHEDULE_TAGS: Final = frozenset({"schedule", "instance-schedule", "instanceschedule"})
"""Keys, in lower case, that schedulers go by; `Schedule` is what AWS's Instance Scheduler has by itself."""


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    week = _week(facts, parameters)
    if isinstance(week, str):
        return NotRecommended(ID, facts.resource.id, week)
    off, zone = week.off_hours, facts.settings.time_zone
    cpu = summaries(facts, _METRICS)[0]
    schedule = dict(week.lines)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=_cost_by(week, facts),
        evidence={
            "offHoursPerWeek": off,
            "onHoursPerWeek": HOURS_A_WEEK - off,
            "thresholdOffHoursPerWeek": str(parameters["minimumOffHours"]),
            "timeZone": zone,
            "schedule": dict[str, Json](schedule),
            "thresholdCpuPercent": str(parameters["maximumCpuPercent"]),
            "thresholdNetworkMegabytesPerHour": str(parameters["maximumNetworkMegabytesPerHour"]),
            **coverage_evidence(cpu),
        },
        summary=f"Nothing was done in {off} of the 168 hours of a week: a schedule would stop it for them.",
        facts=(
            *(EvidenceFact(f"On, {days}" if span != "off" else days, span) for days, span in schedule.items()),
            *_facts(off, zone, parameters),
            window_fact(cpu),
        ),
        target=f"{HOURS_A_WEEK - off} hours a week",
    )


def _facts(off: int, zone: str, parameters: Parameters) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Clock", zone)
    yield EvidenceFact(
        "Off", f"{off} hours a week, {percent(100 * off / HOURS_A_WEEK)}, with an hour to spare each day"
    )
    limits = f"CPU below {parameters['maximumCpuPercent']} % and network below "
    yield EvidenceFact(
        "An hour without work",
        f"{limits}{parameters['maximumNetworkMegabytesPerHour']} MB, in every week of the window",
    )
    yield EvidenceFact(
        "Before the schedule", "let people start it out of hours, and see that it starts by itself whole"
    )
    yield EvidenceFact("A public address that is not elastic", "changes with each stop")


def _week(facts: Facts[InstanceFacts], parameters: Parameters) -> Week | str:
    """Return the week of an instance that a schedule would suit, or why none does."""
    reason = _not_judged(facts) or not_measured(facts, _METRICS, _LEAST_DAYS)
    if reason:
        return reason
    hours = facts.utilization.hours
    if any(name not in hours for name in _METRICS):
        return "no two days in a row are without work"
    limit, most = float(parameters["maximumCpuPercent"]), float(parameters["maximumNetworkMegabytesPerHour"])
    peaks = [hours[name].peaks for name in _METRICS]
    if len({one.end_hour for one in hours.values()}) > 1 or len({len(one) for one in peaks}) > 1:
        return "its metrics end at different hours"
    if not any(cpu is not None and cpu >= limit for cpu in peaks[0]):
        return f"its CPU never reaches {parameters['maximumCpuPercent']} %"
    works = [
        cpu is None or received is None or sent is None or cpu >= limit or received + sent >= most * _MEGABYTE
        for cpu, received, sent in zip(*peaks, strict=True)
    ]
    week = week_of(hours[_CPU].end_hour, works, ZoneInfo(facts.settings.time_zone))
    if not week.two_days_off:
        return "no two days in a row are without work"
    if not week.is_habit:
        return "most of its days of work did not come again in another week"
    if week.off_hours < parameters["minimumOffHours"]:
        return f"only {week.off_hours} hours of a week are without work"
    return week


def _cost_by(week: Week, facts: Facts[InstanceFacts]) -> Decimal | None:
    """Return what it costs by the schedule: its cost while it runs and while it is stopped, each for its share."""
    running, stopped = facts.cost.unrounded_monthly, stopped_cost(facts)
    if running is None or stopped is None:
        return None
    return running + (stopped - running) * week.off_hours / HOURS_A_WEEK


def _not_judged(facts: Facts[InstanceFacts]) -> str:
    resource, own, kind, owner = facts.resource, facts.own, own_type(facts), KIND.owner(facts.resource)
    if resource.state != "running":
        return f"it is {resource.state or 'in an unknown state'}, not running"
    if reason := stop_saves_nothing(facts) or ("" if owner is None else f"{owner.system} owns it"):
        return reason
    if any(key.casefold() in _SCHEDULE_TAGS for key in resource.tags):
        return "a tag names a schedule already"
    if own.root_device_type != "ebs":
        return "its root device is not known to be an EBS volume, so it cannot be stopped and started again"
    if own.lifecycle:
        return "it is not an on-demand instance"
    if kind is None:
        return "nothing is known about its type"
    if kind.gpu_count or special_purpose(kind.name) == ACCELERATED:
        return "it has an accelerator, whose use is not measured"
    if kind.instance_storage_gb:
        return f"a stop would erase the local disks of its {kind.name}"
    return "it is in a capacity reservation, which is paid for all the same" if own.capacity_reservation else ""


def _settled(pictures: Pictures[InstanceFacts], parameters: Parameters) -> Settled:
    """Two days off by any clock hold one day of UTC, off in every week: where no ended day shows one, no hour can."""
    facts, seen = pictures.days, pictures.days.utilization
    if _not_judged(facts) or any(name not in seen.metrics for name in _METRICS):
        return Settled.BY_DAYS
    cpu, received, sent = (seen.metrics[name] for name in _METRICS)
    if cpu.period_seconds < _DAY_SECONDS:
        # The hours are there, and finer points change nothing.
        return Settled.BY_DAYS
    limit = float(parameters["maximumCpuPercent"])
    most = _HOURS_A_DAY * float(parameters["maximumNetworkMegabytesPerHour"]) * _MEGABYTE
    works_daily = cpu.lowest >= limit or received.lowest >= most or sent.lowest >= most
    return Settled.BY_DAYS if works_daily or cpu.maximum < limit or cpu.days < _LEAST_DAYS else Settled.OPEN


CHECK: Final = Check(
    id=ID,
    title="EC2 instance that works by office hours",
    kinds=("ec2-instance",),
    documentation="https://docs.aws.amazon.com/solutions/latest/instance-scheduler-on-aws/solution-overview.html",
    action_type=ActionType.STOP,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    settled_by_days=_settled,
    restart_needed=True,
    parameters=(
        ParameterSpec(
            name="maximumCpuPercent",
            unit="percent",
            default=Decimal(5),
            minimum=Decimal(0),
            maximum=Decimal(50),
            description="In an hour without work CPU stays below this, as for Compute Optimizer's idle instances.",
            metrics=("cpuPercent",),
        ),
        ParameterSpec(
            name="maximumNetworkMegabytesPerHour",
            unit="megabytes",
            default=Decimal(5),
            minimum=Decimal(0),
            maximum=Decimal(10_000),
            description="In an hour without work network in and out carry less than this together.",
        ),
        ParameterSpec(
            name="minimumOffHours",
            unit="hours",
            default=Decimal(60),
            minimum=Decimal(24),
            maximum=Decimal(160),
            description="Hours of the week that a schedule must leave out.",
        ),
    ),
)
