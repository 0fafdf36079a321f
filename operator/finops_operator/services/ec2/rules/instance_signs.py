"""What the readings of an instance say of an act on it: better or worse than people were promised. Pure.

Called by `instance_watch`, which reads. A bad sign is certain when it is said: CPU is worse only when more periods lie
above the promise than 1 % of the whole watch, so that its P99 will be above whatever follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from finops.domain.watching import Health, Sign
from finops_operator.plugins.action import WatchedAct

PROMISED_CPU: Final = "projectedCpuP99_5Percent"
"""Name of the evidence that holds the CPU promised for the new type, in percent; 99.5 % of the time below."""
SETTLES: Final = timedelta(minutes=15)
"""How long after a start its load, its alarms and its load balancers show the start itself."""
PERIOD: Final = timedelta(minutes=5)
_ABOUT_PERCENT: Final = 10.0
"""The card says "about": so many points above are no broken promise."""
_ALL: Final = 99.0
_SHARE: Final = 0.01
_ENOUGH: Final = 0.5
"""Share of the periods of a whole watch without which it ends without knowing."""
_EMPTY: Final = 1.0
"""Credits below which there are none to spend."""
_ILL: Final = frozenset({"unhealthy", "OutOfService"})
_SERVES: Final = frozenset({"healthy", "unavailable", "InService"})


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm; `changed` is when it entered its state, None where AWS does not say."""

    name: str
    state: str
    changed: datetime | None


@dataclass(frozen=True, slots=True)
class InstanceReadings:
    """What was read; what is None was not asked, and what could not be read is in `unread` with the reason.

    Attributes:
        state, instance_type: as AWS describes it; empty when it is gone.
        checks: name of a status check → its word (`ok`, `impaired`, `initializing`).
        cpu: the highest percent of each period of 5 minutes since the start has settled, oldest first.
        credits: the fewest CPU credits of each period, oldest first.
        surplus: the CPU credits charged in each period.
        serves: what it serves, as `served_targets` reads it.
        alarm: the alarm that the policy names.
        unread: name of a sign → why it is not known.
    """

    state: str = ""
    instance_type: str = ""
    checks: Mapping[str, str] | None = None
    cpu: Sequence[float] | None = None
    credits: Sequence[float] | None = None
    surplus: Sequence[float] | None = None
    serves: Mapping[str, Any] | None = None
    alarm: Alarm | None = None
    unread: Mapping[str, str] = field(default_factory=dict)


def promised_cpu(act: WatchedAct) -> float | None:
    """Return the CPU that was promised, in percent; None where the card promised none."""
    try:
        return float(act.promised[PROMISED_CPU])
    except (KeyError, ValueError):
        return None


def instance_signs(act: WatchedAct, readings: InstanceReadings) -> tuple[Sign, ...]:
    """Return every sign; one alone, unknown, when the instance is not as the act left it."""
    wanted = str(act.parameters.get("instanceType") or readings.instance_type)
    if readings.state != "running":
        what = f"It is {readings.state}" if readings.state else "It is gone"
        return (_unknown("instance", f"{what}: nothing shows how it does."),)
    if readings.instance_type != wanted:
        changed = f"Its type is {readings.instance_type} now, not the {wanted} that the act gave it."
        return (_unknown("instance", changed),)
    found = (*_checks(readings), *_cpu(act, readings), *_credits(readings), *_targets(act, readings))
    signs = (*found, *_alarm(act, readings))
    return (*signs, *(_unknown(name, why) for name, why in readings.unread.items()))


def _checks(readings: InstanceReadings) -> Iterator[Sign]:
    if readings.checks is None:
        return
    name = "status checks"
    failed = [check for check, word in readings.checks.items() if word == "impaired"]
    if failed:
        yield Sign(name, Health.WORSE, f"Its {' and '.join(failed)} check fails.")
    elif readings.checks and set(readings.checks.values()) == {"ok"}:
        yield Sign(name, Health.WELL, "Its status checks pass.")
    else:
        yield _unknown(name, "AWS has no result of its status checks now.")


def _cpu(act: WatchedAct, readings: InstanceReadings) -> Iterator[Sign]:
    promised, values = promised_cpu(act), readings.cpu
    if promised is None or values is None:
        return
    whole = max(1, int((act.until - act.since - SETTLES) / PERIOD))
    limit = max(promised, min(promised + _ABOUT_PERCENT, _ALL))
    above = [value for value in values if value > limit]
    if len(above) > int(whole * _SHARE):
        what = f"Its CPU was above {limit:.0f} % in {len(above)} of {len(values)} periods of 5 minutes"
        yield Sign("CPU", Health.WORSE, f"{what} (highest {max(above):.0f} %); about {promised:.0f} % was promised.")
    elif not values or (act.now >= act.until and len(values) < whole * _ENOUGH):
        yield _unknown("CPU", f"CloudWatch has {len(values)} of {whole} readings of its CPU.")
    else:
        yield Sign("CPU", Health.WELL, f"Its CPU keeps to the promise of about {promised:.0f} %.")


def _credits(readings: InstanceReadings) -> Iterator[Sign]:
    name = "CPU credits"
    if readings.surplus is not None and sum(readings.surplus) > 0:
        charged = f"{sum(readings.surplus):.0f} CPU credits beyond what it earns were charged."
        yield Sign(name, Health.WORSE, charged)
    elif readings.credits and readings.credits[-1] < _EMPTY <= max(readings.credits):
        # A new instance of some types begins with none: only credits that were there can be used up.
        yield Sign(name, Health.WORSE, "It has used up its CPU credits.")
    elif readings.credits:
        yield Sign(name, Health.WELL, "It has CPU credits left or is charged for none.")
    elif readings.credits is not None:
        yield _unknown(name, "CloudWatch has no reading of its CPU credits.")


def _targets(act: WatchedAct, readings: InstanceReadings) -> Iterator[Sign]:
    served = readings.serves
    if served is None or act.now < act.since + SETTLES:
        return
    name = "load balancers"
    if served.get("denied"):
        yield _unknown(name, f"Not known what it serves: allow {served['denied']} to the scanner role.")
    if served.get("unasked"):
        yield _unknown(name, f"Its network has {served['unasked']} target groups, too many to ask.")
    places = [place for place in served.get("places", ()) if isinstance(place, Mapping)]
    ill = [place for place in places if place["state"] in _ILL]
    unclear = [place for place in places if place["state"] not in _ILL | _SERVES]
    if ill:
        yield Sign(name, Health.WORSE, f"{_title(ill[0])} finds it {ill[0]['state']}.")
    elif unclear:
        yield _unknown(name, f"{_title(unclear[0])} says of it: {unclear[0]['state']}.")
    elif places:
        yield Sign(name, Health.WELL, "Its load balancers find it healthy.")


def _title(place: Mapping[str, Any]) -> str:
    kind = str(place["kind"])
    return f"{kind[:1].upper()}{kind[1:]} {place['name']}"


def _alarm(act: WatchedAct, readings: InstanceReadings) -> Iterator[Sign]:
    alarm = readings.alarm
    if alarm is None:
        return
    name = "alarm"
    if alarm.state == "OK":
        yield Sign(name, Health.WELL, f"Alarm {alarm.name} is quiet.")
    elif alarm.state != "ALARM":
        yield _unknown(name, f"Alarm {alarm.name} has no data.")
    elif alarm.changed is None or alarm.changed < act.started:
        yield _unknown(name, f"Alarm {alarm.name} was on before the act.")
    elif alarm.changed >= act.since or act.now >= act.since + SETTLES:
        yield Sign(name, Health.WORSE, f"Alarm {alarm.name} is on.")


def _unknown(name: str, why: str) -> Sign:
    return Sign(name, Health.UNKNOWN, why)
