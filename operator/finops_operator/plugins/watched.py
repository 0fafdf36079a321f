"""What watches of many services share: reading metrics and an alarm after an act, and judging them.

A bad sign is certain when it is said: something is worse only when more periods lie beyond its limit than 1 % of the
whole watch, so that 99 % of the time cannot be within it whatever follows. Source: CloudWatch API reference,
GetMetricData and DescribeAlarms.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from finops.domain.watching import Health, Sign
from finops.errors import AwsDenied, AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import WatchedAct
from finops_operator.plugins.described import moment_of

GET_METRICS: Final = "cloudwatch:GetMetricData"
LIST_ALARMS: Final = "cloudwatch:DescribeAlarms"
PROMISED_CPU: Final = "projectedCpuP99_5Percent"
"""Name of the evidence that holds the CPU promised after the act, in percent; 99.5 % of the time below."""
SETTLES: Final = timedelta(minutes=15)
"""How long after a start its load, its alarms and its load balancers show the start itself."""
PERIOD: Final = timedelta(minutes=5)
_ABOUT_PERCENT: Final = 10.0
"""The card says "about": so many points above are no broken promise."""
_ALL: Final = 99.0
_FIRST: Final = (Health.WORSE, Health.UNKNOWN, Health.WELL)
_SHARE: Final = 0.01
_ENOUGH: Final = 0.5
"""Share of the periods of a whole watch without which it ends without knowing."""

Reading: TypeAlias = tuple[str, str, Callable[[], Mapping[str, Any]]]
"""Name of a sign, the right that its reading needs, and the reading, which returns fields of the readings."""


class UnreadError(Exception):
    """AWS answered, and yet the answer does not say what was asked; the text is the reason, for people."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm; `changed` is when it entered its state, None where AWS does not say."""

    name: str
    state: str
    changed: datetime | None


@dataclass(frozen=True, slots=True)
class Measured:
    """Metrics of one resource: where CloudWatch keeps them, and by which dimensions, made of the resource's id."""

    namespace: str
    dimensions: Callable[[str], Mapping[str, str]]

    def before(self, reader: Reader, act: WatchedAct, metrics: Mapping[str, tuple[str, str]]) -> dict[str, list[float]]:
        """Return the values of a time before the act as long as its watch; as `since` otherwise."""
        start = act.started - (act.until - act.since - SETTLES)
        return self._read(reader, act, metrics, start, act.started)

    def since(self, reader: Reader, act: WatchedAct, metrics: Mapping[str, tuple[str, str]]) -> dict[str, list[float]]:
        """Return key → the values of a metric's periods since the act has settled, oldest first.

        Args:
            reader: reads.
            act: the act.
            metrics: key → name and statistic of a metric.

        Raises:
            AwsError: as the reader.
            UnreadError: CloudWatch did not answer in full.
        """
        return self._read(reader, act, metrics, act.since + SETTLES, min(act.now, act.until))

    def _read(
        self,
        reader: Reader,
        act: WatchedAct,
        metrics: Mapping[str, tuple[str, str]],
        start: datetime,
        end: datetime,
    ) -> dict[str, list[float]]:
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions(act.resource.id).items()]
        queries = [
            {
                "Id": key,
                "MetricStat": {
                    "Metric": {"Namespace": self.namespace, "MetricName": metric, "Dimensions": dimensions},
                    "Period": int(PERIOD.total_seconds()),
                    "Stat": statistic,
                },
            }
            for key, (metric, statistic) in metrics.items()
        ]
        window = {"StartTime": start, "EndTime": end, "ScanBy": "TimestampAscending"}
        answer = reader.read(GET_METRICS, {"MetricDataQueries": queries, **window})
        results: Sequence[Mapping[str, Any]] = answer.get("MetricDataResults", ())
        values: dict[str, list[float]] = {key: [] for key in metrics}
        complete: dict[str, bool] = {}
        for result in results:
            key = str(result.get("Id"))
            values.setdefault(key, []).extend(float(value) for value in result.get("Values", ()))
            # Pages follow each other: the word on an id's last page is the one about all of them.
            complete[key] = result.get("StatusCode") == "Complete"
        missing = [metrics[key][0] for key in metrics if not complete.get(key)]
        if missing:
            raise UnreadError(f"CloudWatch did not answer in full about {', '.join(missing)}.")
        return values


def has_periods(act: WatchedAct) -> bool:
    """Return whether a period has passed since the act has settled."""
    return act.now > act.since + SETTLES + PERIOD


def read_all(readings: Iterable[Reading]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields that were read, and by the names of signs why the others are not known.

    Raises:
        AwsError: as the reader, except for a missing right or a refusal of one reading.
    """
    found: dict[str, Any] = {}
    unread: dict[str, str] = {}
    for name, right, read in readings:
        try:
            found.update(read())
        except AwsDenied:
            unread[name] = f"Not known: allow {right} to the scanner role."
        except AwsRejected as error:
            unread[name] = f"Not known: {error}."
        except UnreadError as error:
            unread[name] = str(error)
    return found, unread


def read_alarm(reader: Reader, name: str) -> dict[str, Any]:
    """Return the field `alarm`. Raises as `Measured.since`."""
    asked = {"AlarmNames": [name], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    answer = reader.read(LIST_ALARMS, asked)
    for one in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())):
        changed = moment_of(one.get("StateTransitionedTimestamp") or one.get("StateUpdatedTimestamp"))
        return {"alarm": Alarm(name, str(one.get("StateValue", "")), changed)}
    raise UnreadError(f"There is no alarm {name} in this account and region.")


# -- judging -----------------------------------------------------------------------------------------------------------


def unknown(name: str, why: str) -> Sign:
    """Return a sign that is not known."""
    return Sign(name, Health.UNKNOWN, why)


def bad_now(name: str, sentence: str, before: str, *, good: Collection[str], bad: Collection[str]) -> Sign:
    """Return what something bad says of an act: worse when it was good before, never when it was not.

    Args:
        name: of the sign.
        sentence: of the sign.
        before: its word right before the act; empty where that is not known.
        good: words of what did well.
        bad: words of what did not.
    """
    if before in good:
        return Sign(name, Health.WORSE, sentence)
    why = "It was so before the act." if before in bad else "How it was before the act is not known."
    return unknown(name, f"{sentence} {why}")


def worst(signs: Iterable[Sign]) -> Sign:
    """Return the first sign that is worse, else the first that is unknown, else the first; there is one at least."""
    return min(signs, key=lambda sign: _FIRST.index(sign.health))


def periods(act: WatchedAct) -> int:
    """Return how many periods the whole watch has, without those in which the act settles."""
    return max(1, int((act.until - act.since - SETTLES) / PERIOD))


def too_often(act: WatchedAct, count: int) -> bool:
    """Return whether so many periods are more than 1 % of the whole watch."""
    return count > int(periods(act) * _SHARE)


def too_few(act: WatchedAct, count: int) -> bool:
    """Return whether so many readings say nothing: none now, or less than half of them at the end."""
    return not count or (act.now >= act.until and count < periods(act) * _ENOUGH)


def promised_cpu(act: WatchedAct) -> float | None:
    """Return the CPU that was promised, in percent; None where the card promised none."""
    try:
        return float(act.promised[PROMISED_CPU])
    except (KeyError, ValueError):
        return None


def cpu_signs(act: WatchedAct, values: Sequence[float] | None) -> Iterator[Sign]:
    """Yield how the CPU keeps to what was promised; nothing where none was promised or read."""
    promised = promised_cpu(act)
    if promised is None or values is None:
        return
    limit = max(promised, min(promised + _ABOUT_PERCENT, _ALL))
    above = [value for value in values if value > limit]
    if too_often(act, len(above)):
        what = f"Its CPU was above {limit:.0f} % in {len(above)} of {len(values)} periods of 5 minutes"
        yield Sign("CPU", Health.WORSE, f"{what} (highest {max(above):.0f} %); about {promised:.0f} % was promised.")
    elif too_few(act, len(values)):
        yield unknown("CPU", f"CloudWatch has {len(values)} of {periods(act)} readings of its CPU.")
    else:
        yield Sign("CPU", Health.WELL, f"Its CPU keeps to the promise of about {promised:.0f} %.")


def alarm_signs(act: WatchedAct, alarm: Alarm | None) -> Iterator[Sign]:
    """Yield what the alarm that the policy names says; nothing where it names none.

    One that goes on while the change itself comes into force counts once it stays on for as long as things settle.
    """
    if alarm is None:
        return
    name = "alarm"
    if alarm.state == "OK":
        yield Sign(name, Health.WELL, f"Alarm {alarm.name} is quiet.")
    elif alarm.state != "ALARM":
        yield unknown(name, f"Alarm {alarm.name} has no data.")
    elif alarm.changed is None or alarm.changed < (act.effect or act.started):
        yield unknown(name, f"Alarm {alarm.name} was on before the act had an effect.")
    elif alarm.changed >= act.since or act.now >= (act.since if act.effect is None else alarm.changed) + SETTLES:
        yield Sign(name, Health.WORSE, f"Alarm {alarm.name} is on.")
