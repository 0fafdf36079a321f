"""Reads in the hours after an act on an instance what shows whether it made things worse; `instance_signs` judges.

Source: EC2 API reference, DescribeInstanceStatus; EC2 user guide, "CloudWatch metrics that are available for your
instances" (CPU credits); CloudWatch API reference, GetMetricData and DescribeAlarms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from finops.domain.watching import Sign
from finops.errors import AwsDenied, AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Watch, WatchedAct
from finops_operator.plugins.described import moment_of
from finops_operator.services.ec2.rules.burstable import is_burstable
from finops_operator.services.ec2.rules.instance_observation import read_instance
from finops_operator.services.ec2.rules.instance_signs import (
    PERIOD,
    SETTLES,
    Alarm,
    InstanceReadings,
    instance_signs,
    promised_cpu,
)
from finops_operator.services.ec2.rules.served_targets import read_served
from finops_operator.services.ec2.rules.vcpu_quota import GET_METRICS

LIST_ALARMS: Final = "cloudwatch:DescribeAlarms"
_STATUS: Final = "ec2:DescribeInstanceStatus"
_CPU: Final = ("CPUUtilization", "Maximum")
_CREDITS: Final = ("CPUCreditBalance", "Minimum")
_SURPLUS: Final = ("CPUSurplusCreditsCharged", "Sum")


class _UnreadError(Exception):
    """AWS answered, and yet the answer does not say what was asked; the text is the reason, for people."""


def watch_signs(reader: Reader, act: WatchedAct) -> tuple[Sign, ...]:
    """Read and judge.

    Raises:
        AwsError: as the reader, except for a missing right of one reading.
    """
    return instance_signs(act, read_instance_after(reader, act))


def read_instance_after(reader: Reader, act: WatchedAct) -> InstanceReadings:
    """Return what is known of the instance now. Raises as `watch_signs`."""
    instance = read_instance(reader, act.resource.id)
    if instance is None:
        return InstanceReadings()
    state, kind = str(instance["State"]["Name"]), str(instance["InstanceType"])
    if state != "running":
        return InstanceReadings(state, kind)
    found: dict[str, Any] = {}
    unread: dict[str, str] = {}
    for name, right, read in _readings(reader, act, instance):
        try:
            found.update(read())
        except AwsDenied:
            unread[name] = f"Not known: allow {right} to the scanner role."
        except AwsRejected as error:
            unread[name] = f"Not known: {error}."
        except _UnreadError as error:
            unread[name] = str(error)
    return InstanceReadings(state, kind, **found, unread=unread)


_Reading = tuple[str, str, Callable[[], Mapping[str, Any]]]


def _readings(reader: Reader, act: WatchedAct, instance: Mapping[str, Any]) -> Iterator[_Reading]:
    yield "status checks", _STATUS, lambda: {"checks": _checks(reader, act.resource.id)}
    yield "load balancers", "", lambda: {"serves": read_served(reader, instance)}
    burstable = is_burstable(str(instance["InstanceType"]))
    if act.now > act.since + SETTLES + PERIOD and (burstable or promised_cpu(act) is not None):
        yield "CPU", GET_METRICS, lambda: _metrics(reader, act, burstable=burstable)
    if act.alarm:
        yield "alarm", LIST_ALARMS, lambda: _alarm(reader, act.alarm)


def _checks(reader: Reader, instance_id: str) -> dict[str, str]:
    answer = reader.read(_STATUS, {"InstanceIds": [instance_id]})
    return {
        title: str((status.get(field) or {}).get("Status", ""))
        for status in answer.get("InstanceStatuses", ())
        for title, field in (("system", "SystemStatus"), ("instance", "InstanceStatus"))
    }


def _metrics(reader: Reader, act: WatchedAct, *, burstable: bool) -> dict[str, Any]:
    names = {"cpu": _CPU, **({"credits": _CREDITS, "surplus": _SURPLUS} if burstable else {})}
    dimensions = [{"Name": "InstanceId", "Value": act.resource.id}]
    seconds = int(PERIOD.total_seconds())
    queries = [
        {
            "Id": key,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/EC2", "MetricName": metric, "Dimensions": dimensions},
                "Period": seconds,
                "Stat": statistic,
            },
        }
        for key, (metric, statistic) in names.items()
    ]
    window = {
        "StartTime": act.since + SETTLES,
        "EndTime": min(act.now, act.until),
        "ScanBy": "TimestampAscending",
    }
    answer = reader.read(GET_METRICS, {"MetricDataQueries": queries, **window})
    results: Sequence[Mapping[str, Any]] = answer.get("MetricDataResults", ())
    values: dict[str, list[float]] = {key: [] for key in names}
    complete: dict[str, bool] = {}
    for result in results:
        key = str(result.get("Id"))
        values.setdefault(key, []).extend(float(value) for value in result.get("Values", ()))
        # Pages follow each other: the word on an id's last page is the one about all of them.
        complete[key] = result.get("StatusCode") == "Complete"
    missing = [names[key][0] for key in names if not complete.get(key)]
    if missing:
        raise _UnreadError(f"CloudWatch did not answer in full about {', '.join(missing)}.")
    return dict(values)


def _alarm(reader: Reader, name: str) -> dict[str, Any]:
    asked = {"AlarmNames": [name], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    answer = reader.read(LIST_ALARMS, asked)
    for one in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())):
        changed = moment_of(one.get("StateTransitionedTimestamp") or one.get("StateUpdatedTimestamp"))
        return {"alarm": Alarm(name, str(one.get("StateValue", "")), changed)}
    raise _UnreadError(f"There is no alarm {name} in this account and region.")


INSTANCE_WATCH: Final = Watch(
    reads=(
        "status checks",
        "CPU against what was promised",
        "CPU credits",
        "health in its target groups and load balancers",
        "the alarm that the policy names",
    ),
    signs=watch_signs,
)
