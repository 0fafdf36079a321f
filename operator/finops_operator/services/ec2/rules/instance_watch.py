"""Reads in the hours after an act on an instance what shows whether it made things worse; `instance_signs` judges.

Source: EC2 API reference, DescribeInstanceStatus and DescribeInstanceCreditSpecifications; EC2 user guide, "CloudWatch
metrics that are available for your instances" (CPU credits); CloudWatch API reference, GetMetricData and
DescribeAlarms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from finops.domain.watching import Health, Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Watch, WatchedAct
from finops_operator.plugins.watched import (
    GET_METRICS,
    LIST_ALARMS,
    Measured,
    Reading,
    alarm_signs,
    has_periods,
    promised_cpu,
    read_alarm,
    read_all,
    unknown,
)
from finops_operator.services.ec2.rules.burstable import is_burstable
from finops_operator.services.ec2.rules.instance_observation import CREDIT_MODE, read_instance
from finops_operator.services.ec2.rules.instance_signs import (
    CREDITS,
    InstanceReadings,
    instance_before,
    instance_signs,
    never_has_credits,
)
from finops_operator.services.ec2.rules.served_targets import read_served

_OF_INSTANCES: Final = Measured("AWS/EC2", lambda instance: {"InstanceId": instance})
_STATUS: Final = "ec2:DescribeInstanceStatus"
_CPU: Final = ("CPUUtilization", "Maximum")
_CREDITS: Final = ("CPUCreditBalance", "Minimum")
_SURPLUS: Final = ("CPUSurplusCreditsCharged", "Sum")


def watch_signs(reader: Reader, act: WatchedAct) -> tuple[Sign, ...]:
    """Read and judge.

    Raises:
        AwsError: as the reader, except for a missing right of one reading.
    """
    return instance_signs(act, read_instance_after(reader, act))


def stop_signs(reader: Reader, act: WatchedAct, *, stays_stopped: bool) -> tuple[Sign, ...]:
    """Return whether a stopped instance is as the act left it, and what an alarm says; of a started one as the others.

    What is missed while it is stopped, AWS does not show on it: an alarm of those who use it can.

    Raises:
        AwsError: as the reader, except for a missing right of one reading.
    """
    if not stays_stopped:
        return watch_signs(reader, act)
    instance = read_instance(reader, act.resource.id)
    state = "" if instance is None else str(instance["State"]["Name"])
    if state != "stopped":
        return (unknown("instance", f"It is {state or 'gone'} now, not stopped as the act left it."),)
    reading = (("alarm", LIST_ALARMS, partial(read_alarm, reader, act.alarm)),) if act.alarm else ()
    found, unread = read_all(reading)
    return (
        Sign("instance", Health.WELL, "It is stopped, as the act left it."),
        *alarm_signs(act, found.get("alarm")),
        *(unknown(name, why) for name, why in unread.items()),
    )


def read_instance_after(reader: Reader, act: WatchedAct) -> InstanceReadings:
    """Return what is known of the instance now. Raises as `watch_signs`."""
    instance = read_instance(reader, act.resource.id)
    if instance is None:
        return InstanceReadings()
    state, kind = str(instance["State"]["Name"]), str(instance["InstanceType"])
    if state != "running":
        return InstanceReadings(state, kind)
    found, unread = read_all(_readings(reader, act, instance))
    if never_has_credits(found.get("credits", ()), found.get("surplus", ())):
        mode, why = read_all([(CREDITS, CREDIT_MODE, partial(_credit_mode, reader, act.resource.id))])
        found, unread = {**found, **mode}, {**unread, **why}
    return InstanceReadings(state, kind, **found, unread=unread)


def _readings(reader: Reader, act: WatchedAct, instance: Mapping[str, Any]) -> Iterator[Reading]:
    yield "status checks", _STATUS, lambda: {"checks": _checks(reader, act.resource.id)}
    yield "load balancers", "", lambda: {"serves": read_served(reader, instance)}
    burstable = is_burstable(str(instance["InstanceType"]))
    if has_periods(act) and (burstable or promised_cpu(act) is not None):
        yield "CPU", GET_METRICS, lambda: _metrics(reader, act, burstable=burstable)
    if act.alarm:
        yield "alarm", LIST_ALARMS, lambda: read_alarm(reader, act.alarm)


def _checks(reader: Reader, instance_id: str) -> dict[str, str]:
    answer = reader.read(_STATUS, {"InstanceIds": [instance_id]})
    return {
        title: str((status.get(field) or {}).get("Status", ""))
        for status in answer.get("InstanceStatuses", ())
        for title, field in (("system", "SystemStatus"), ("instance", "InstanceStatus"))
    }


def _credit_mode(reader: Reader, instance_id: str) -> dict[str, str]:
    answer = reader.read(CREDIT_MODE, {"InstanceIds": [instance_id]})
    found = [one for one in answer.get("InstanceCreditSpecifications", ()) if one.get("InstanceId") == instance_id]
    return {"credit_mode": str(found[0].get("CpuCredits") or "") if found else ""}


def _metrics(reader: Reader, act: WatchedAct, *, burstable: bool) -> dict[str, Any]:
    names = {"cpu": _CPU, **({"credits": _CREDITS, "surplus": _SURPLUS} if burstable else {})}
    return dict(_OF_INSTANCES.since(reader, act, names))


STOP_READS: Final = (
    "whether it stays stopped",
    "the alarm that the policy names",
    "once its undo has started it: its status checks, CPU credits, and health in target groups and load balancers",
)
INSTANCE_WATCH: Final = Watch(
    reads=(
        "status checks",
        "CPU against what was promised",
        "CPU credits",
        "health in its target groups and load balancers",
        "the alarm that the policy names",
    ),
    signs=watch_signs,
    before=instance_before,
)
