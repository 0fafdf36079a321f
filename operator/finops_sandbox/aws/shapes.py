"""The shapes of load over time: pure functions of a five-minute slot and a noise value.

A slot is the epoch second divided by 300. A shape answers with average, minimum and maximum of the slot's five
one-minute samples, or with nothing where it reports no point. Percent for CPU and memory; per minute for bytes and
operations; seconds per minute for idle time. The series in :mod:`finops_sandbox.aws.metrics` scale and sum them.
"""

from collections.abc import Callable

Sample = tuple[float, float, float]
Shape = Callable[[int, int], Sample | None]

SLOT_SECONDS = 300
SLOTS_PER_DAY = 288
SLOTS_PER_WEEK = 7 * SLOTS_PER_DAY
_SLOTS_PER_HOUR = 12
_MASK = (1 << 64) - 1


def noise(slot: int, salt: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments (splitmix64)."""
    value = (slot * 0x9E3779B97F4A7C15 + salt * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return (value ^ (value >> 31)) / 2**64


def _hour(slot: int) -> int:
    return slot % SLOTS_PER_DAY // _SLOTS_PER_HOUR


def _weekday(slot: int) -> int:
    # 1970-01-01 was a Thursday; Monday is 0.
    return (slot // SLOTS_PER_DAY + 3) % 7


def _band(low: float, width: float, spread: float) -> Shape:
    """Noise in a band; minimum and maximum stay ``spread`` around the average, never below zero."""

    def shape(slot: int, salt: int) -> Sample:
        average = low + width * noise(slot, salt)
        return average, max(0.0, average - spread), average + spread

    return shape


def _constant(value: float) -> Shape:
    def shape(_slot: int, _salt: int) -> Sample:
        return value, value, value

    return shape


_IDLE = _band(1.0, 1.2, 0.8)
_QUIET_DAY = _band(2.0, 1.5, 0.7)
_PEAK = _band(84.0, 8.0, 4.0)
_SPIKE = (60.0, 2.0, 97.0)


def _nightly_peak(slot: int, salt: int) -> Sample | None:
    """Idle by day, a batch job from 01:00 to 04:00 UTC."""
    return (_PEAK if 1 <= _hour(slot) < 4 else _QUIET_DAY)(slot, salt)


def _weekly(slot: int, salt: int) -> Sample | None:
    """Idle all week but on Mondays from 08:00 to 18:00 UTC."""
    return (_PEAK if _weekday(slot) == 0 and 8 <= _hour(slot) < 18 else _QUIET_DAY)(slot, salt)


def _spike(slot: int, salt: int) -> Sample | None:
    """Idle, with a single busy five minutes a week, on another weekday in each of seven weeks: it is no habit."""
    week = slot // SLOTS_PER_WEEK
    day = (3 * week + salt) % 7
    if slot % SLOTS_PER_WEEK == day * SLOTS_PER_DAY + int(noise(week, salt) * SLOTS_PER_DAY):
        return _SPIKE
    return _IDLE(slot, salt)


def _gap(slot: int, salt: int) -> Sample | None:
    """Idle on three days of a week, without data on the other four."""
    if slot // SLOTS_PER_DAY % 7 < 4:
        return None
    return _IDLE(slot, salt)


def _draining(slot: int, _salt: int) -> Sample | None:
    """Credits that fall through the day and are earned back at night."""
    value = 300.0 - 280.0 * (slot % SLOTS_PER_DAY) / SLOTS_PER_DAY
    return value, value, value


def _rare_operations(slot: int, salt: int) -> Sample | None:
    """A handful of operations in one slot of ten."""
    return (1.0, 0.0, 3.0) if noise(slot, salt) < 0.1 else (0.0, 0.0, 0.0)


def _seldom(slot: int, salt: int) -> Sample | None:
    """A single event in one minute of a week, nothing else."""
    week = slot // SLOTS_PER_WEEK
    return (0.2, 0.0, 1.0) if slot % SLOTS_PER_WEEK == int(noise(week, salt) * SLOTS_PER_WEEK) else (0.0, 0.0, 0.0)


def _seldom_published(slot: int, salt: int) -> Sample | None:
    """The same of a metric that is only published when something happens."""
    found = _seldom(slot, salt)
    return found if found and found[2] else None


def _never(_slot: int, _salt: int) -> Sample | None:
    """Nothing: a metric that is only published under traffic, of which there is none."""
    return None


SHAPES: dict[str, Shape] = {
    # CPU percent
    "idle": _IDLE,
    "low": _band(9.0, 4.0, 3.0),
    "steady": _band(50.0, 10.0, 5.0),
    "busy": _band(78.0, 8.0, 6.0),
    "nightly_peak": _nightly_peak,
    "weekly": _weekly,
    "spike": _spike,
    "gap": _gap,
    "just_launched": _IDLE,
    # memory percent
    "memory_low": _band(20.0, 4.0, 1.0),
    "memory_busy": _band(86.0, 5.0, 2.0),
    # bytes per minute and direction: quiet stays under 5 MB a day with both directions together
    "quiet": _band(500.0, 400.0, 300.0),
    "normal": _band(2.0e6, 1.0e6, 5.0e5),
    "heavy": _band(4.0e8, 2.0e8, 1.0e8),
    # CPU credits
    "credits_full": _constant(576.0),
    "credits_draining": _draining,
    # volume operations per minute
    "ops_idle": _constant(0.0),
    "ops_rare": _rare_operations,
    "ops_busy": _band(3_000.0, 2_000.0, 1_500.0),
    # seconds without work per minute
    "idle_time_full": _constant(60.0),
    "idle_time_busy": _band(20.0, 15.0, 5.0),
    "zero": _constant(0.0),
    # of anything: as much all the time, a single event a week, one without points between, no point at all
    "one": _constant(1.0),
    "seldom": _seldom,
    "seldom_published": _seldom_published,
    "never": _never,
    "full_percent": _constant(100.0),
}
