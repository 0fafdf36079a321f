"""What the readings of an instance say of an act on it: better or worse than people were promised. Pure.

Called by `instance_watch`, which reads. How CPU and an alarm are judged: `finops_operator.plugins.watched`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops_operator.plugins.action import WatchedAct
from finops_operator.plugins.watched import (
    SETTLES,
    Alarm,
    alarm_signs,
    bad_now,
    cpu_signs,
    too_few,
    too_often,
    unknown,
    worst,
)
from finops_operator.services.ec2.rules.burstable import baseline_percent

CREDITS: Final = "CPU credits"
_STANDARD: Final = "standard"
_UNLIMITED: Final = "unlimited"
"""Credit modes: in the first AWS holds an instance without credits at its baseline, in the second it charges."""
_EMPTY: Final = 1.0
"""Credits below which there are none to spend."""
_AT_BASELINE: Final = 0.9
"""Share of its baseline from which an instance that has no credits counts as held: one that uses less earns some."""
_ILL: Final = frozenset({"unhealthy", "OutOfService"})
_PLACES: Final = "load balancers"
_CHECKS: Final = "status checks"
_OK: Final = "ok"
_IMPAIRED: Final = "impaired"
_RUNNING: Final = "running"
_STOPPED: Final = "stopped"
"""What did not run had no check that failed: an act that started it has ended with both checks passed."""
_SERVES: Final = frozenset({"healthy", "unavailable", "InService"})


@dataclass(frozen=True, slots=True)
class InstanceReadings:
    """What was read; what is None was not asked, and what could not be read is in `unread` with the reason.

    Attributes:
        state, instance_type: as AWS describes it; empty when it is gone.
        checks: name of a status check → its word (`ok`, `impaired`, `initializing`).
        cpu: the highest percent of each period of 5 minutes since the start has settled, oldest first.
        credits: the fewest CPU credits of each period, oldest first.
        surplus: the CPU credits charged in each period.
        credit_mode: `standard` or `unlimited`; empty when it was not asked, which it need not be with credits left.
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
    credit_mode: str = ""
    serves: Mapping[str, Any] | None = None
    alarm: Alarm | None = None
    unread: Mapping[str, str] = field(default_factory=dict)


def instance_before(observation: Observation) -> dict[str, str]:
    """Return what the signs compare with: its status checks, and its state by the name of each place that it serves.

    Args:
        observation: with `state`, `checks` and `serves`; what it does not say is left out. One that did not run had no
            checks: its state is kept in their place.
    """
    served = observation.facts.get("serves")
    places = served.get("places") if isinstance(served, Mapping) else None
    known = {_title(place): str(place["state"]) for place in _named(places)}
    state = observation.text("state")
    return {**known, _CHECKS: observation.text("checks") if state == _RUNNING else state}


def instance_signs(act: WatchedAct, readings: InstanceReadings) -> tuple[Sign, ...]:
    """Return every sign; one alone, unknown, when the instance is not as the act left it."""
    wanted = str(act.parameters.get("instanceType") or readings.instance_type)
    if readings.state != _RUNNING:
        what = f"It is {readings.state}" if readings.state else "It is gone"
        return (unknown("instance", f"{what}: nothing shows how it does."),)
    if readings.instance_type != wanted:
        changed = f"Its type is {readings.instance_type} now, not the {wanted} that the act gave it."
        return (unknown("instance", changed),)
    found = (*_checks(act, readings), *cpu_signs(act, readings.cpu), *_credits(act, readings), *_targets(act, readings))
    signs = (*found, *alarm_signs(act, readings.alarm))
    return (*signs, *(unknown(name, why) for name, why in readings.unread.items()))


def _checks(act: WatchedAct, readings: InstanceReadings) -> Iterator[Sign]:
    if readings.checks is None:
        return
    failed = [check for check, word in readings.checks.items() if word == _IMPAIRED]
    if failed:
        before = act.before.get(_CHECKS, "")
        known = _IMPAIRED if _IMPAIRED in before.split(",") else before
        yield bad_now(_CHECKS, f"Its {' and '.join(failed)} check fails.", known, good={_OK, _STOPPED}, bad={_IMPAIRED})
    elif readings.checks and set(readings.checks.values()) == {_OK}:
        yield Sign(_CHECKS, Health.WELL, "Its status checks pass.")
    else:
        yield unknown(_CHECKS, "AWS has no result of its status checks now.")


def never_has_credits(balance: Sequence[float], surplus: Sequence[float]) -> bool:
    """Return whether it had no CPU credits in any period, and was charged for none: its mode is needed then."""
    return bool(balance) and max(balance) < _EMPTY and sum(surplus) <= 0


def _credits(act: WatchedAct, readings: InstanceReadings) -> Iterator[Sign]:
    name = CREDITS
    if readings.surplus is not None and sum(readings.surplus) > 0:
        charged = f"{sum(readings.surplus):.0f} CPU credits beyond what it earns were charged."
        yield Sign(name, Health.WORSE, charged)
    elif readings.credits and readings.credits[-1] < _EMPTY <= max(readings.credits):
        # A new instance of some types begins with none: only credits that were there can be used up.
        yield Sign(name, Health.WORSE, "It has used up its CPU credits.")
    elif readings.credits and never_has_credits(readings.credits, readings.surplus or ()):
        yield from _without_credits(act, readings)
    elif readings.credits:
        yield Sign(name, Health.WELL, "It has CPU credits left or is charged for none.")
    elif readings.credits is not None:
        yield unknown(name, "CloudWatch has no reading of its CPU credits.")


def _without_credits(act: WatchedAct, readings: InstanceReadings) -> Iterator[Sign]:
    """Judge one that had no credits all the time: in standard mode a CPU at its baseline is one that AWS holds there.

    Source: EC2 user guide, "Standard mode for burstable performance instances".
    """
    baseline, cpu = baseline_percent(readings.instance_type), readings.cpu or ()
    if readings.credit_mode == _UNLIMITED:
        yield Sign(CREDITS, Health.WELL, "It has CPU credits left or is charged for none.")
    elif readings.credit_mode != _STANDARD:
        # Why it was not read stands in `unread`.
        if CREDITS not in readings.unread:
            yield unknown(CREDITS, "It has no CPU credits, and AWS does not say whether it may go beyond them.")
    elif baseline is None:
        yield unknown(CREDITS, f"It has no CPU credits, and the baseline of {readings.instance_type} is not known.")
    else:
        held = [value for value in cpu if value >= baseline * _AT_BASELINE]
        if too_often(act, len(held)):
            at = f"and its CPU was at its baseline of {baseline:g} % in {len(held)} of {len(cpu)} periods of 5 minutes"
            yield Sign(CREDITS, Health.WORSE, f"It has no CPU credits in standard mode, {at}: AWS holds it there.")
        elif too_few(act, len(cpu)):
            yield unknown(CREDITS, "It has no CPU credits, and CloudWatch has too few readings of its CPU.")
        else:
            yield Sign(CREDITS, Health.WELL, f"It needs no CPU credits: its CPU stays below {baseline:g} %.")


def _targets(act: WatchedAct, readings: InstanceReadings) -> Iterator[Sign]:
    served = readings.serves
    if served is None or act.now < act.since + SETTLES:
        return
    name = _PLACES
    if served.get("denied"):
        yield unknown(name, f"Not known what it serves: allow {served['denied']} to the scanner role.")
    if served.get("unasked"):
        yield unknown(name, f"Its network has {served['unasked']} target groups, too many to ask.")
    places = _named(served.get("places"))
    ill = [place for place in places if place["state"] in _ILL]
    unclear = [place for place in places if place["state"] not in _ILL | _SERVES]
    if ill:
        yield worst(_ill(act, place) for place in ill)
    elif unclear:
        yield unknown(name, f"{_title(unclear[0])} says of it: {unclear[0]['state']}.")
    elif places:
        yield Sign(name, Health.WELL, "Its load balancers find it healthy.")


def _ill(act: WatchedAct, place: Mapping[str, Any]) -> Sign:
    sentence, before = f"{_title(place)} finds it {place['state']}.", act.before.get(_title(place), "")
    return bad_now(_PLACES, sentence, before, good=_SERVES, bad=_ILL)


def _named(places: Any) -> list[Mapping[str, Any]]:
    return [place for place in places or () if isinstance(place, Mapping)]


def _title(place: Mapping[str, Any]) -> str:
    kind = str(place["kind"])
    return f"{kind[:1].upper()}{kind[1:]} {place['name']}"
