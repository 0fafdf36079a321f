"""How values are written for people: money, shares, times, ages. Pure; the templates' filters."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.domain.money import to_cents
from finops.domain.net_saving import net_in_words
from finops.domain.quantity import words
from finops.domain.recommendation import Recommendation

NO_PRICE: Final = "no price"
_MINUS: Final = "\N{MINUS SIGN}"
_DAY: Final = timedelta(days=1)
_WHOLE_FROM: Final = 1000
_BYTES: Final = ("Memory", "Space", "Throughput")
"""How names of metrics in bytes end that do not say so."""
_BYTE_STEPS: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))
_UNITS: Final = {"Milliseconds": " ms", "Seconds": " s", "Megabytes": " MB", "Iops": " a second"}
_SPELLED: Final = {
    one.lower(): one
    for one in (
        "ARN",
        "AZ",
        "DB",
        "CPU",
        "CPUs",
        "vCPU",
        "vCPUs",
        "IOPS",
        "ACU",
        "GiB",
        "MiB",
        "GB",
        "MB",
        "TCP",
        "HTTP",
    )
} | {"mibps": "MiB/s", "io": "I/O"}
"""Words that everybody writes in one way."""


def money(amount: Decimal | None) -> str:
    """Return two decimals with thousands separated, a true minus, or the words “no price”."""
    if amount is None:
        return NO_PRICE
    text = f"{to_cents(abs(amount)):,.2f}"
    return f"{_MINUS}{text}" if amount < 0 else text


def saving(amount: Decimal | None) -> str:
    """Return `money`, or the word “unknown”: a saving may be unknown though every price is there."""
    return "unknown" if amount is None else money(amount)


def net(one: Recommendation) -> str:
    """Return the saving at list price and net of commitments in words; empty where there is nothing to say."""
    return net_in_words(
        one.list_monthly_savings, one.net_monthly_savings, one.net_note, lambda amount: f"${money(amount)}"
    )


def heading(name: str) -> str:
    """Return the name of a threshold or a metric as a heading: `maximumCpuPercent` becomes `Maximum CPU percent`."""
    shown = " ".join(_SPELLED.get(one, one) for one in words(name).split())
    return shown if shown.startswith("vCPU") else f"{shown[:1].upper()}{shown[1:]}"


def measure(value: float, name: str) -> str:
    """Return a metric's figure in its unit, which its name says: `2.83 %`, `874 kB`, `12.5 ms`; of a count alone."""
    if name.endswith("Percent"):
        return f"{_short(value)} %"
    if "Bytes" in name or name.endswith(_BYTES):
        step = next((one for one in _BYTE_STEPS if abs(value) >= one[0]), _BYTE_STEPS[-1])
        rate = "/s" if name.endswith(("PerSecond", "Throughput")) else ""
        return f"{_short(value / step[0])} {step[1]}{rate}"
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
    return f"{_short(value)}{unit}"


def read_every(seconds: int) -> str:
    """Return the period that one figure of a metric is of, in words: `5 minutes`, `hour`, `day`."""
    named = {3600: "hour", 86400: "day", 60: "minute"}
    return named.get(seconds) or (f"{seconds // 60} minutes" if seconds % 60 == 0 else f"{seconds} seconds")


def sentence(text: str) -> str:
    """Return a message as a sentence: it begins with a capital letter and ends with a full stop."""
    whole = text.strip()
    return f"{whole[:1].upper()}{whole[1:]}{'' if whole.endswith(('.', '!', '?')) or not whole else '.'}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM or value == int(value) else f"{value:,.2f}".rstrip("0")


def whole(amount: Decimal | None) -> str:
    """Return the part of `money` before the decimal point; a tile shows the cents apart."""
    return money(amount).partition(".")[0]


def cents(amount: Decimal | None) -> str:
    """Return the decimal point and the cents, empty when the amount is unknown."""
    _, point, digits = money(amount).partition(".")
    return point + digits


def share(part: Decimal | None, total: Decimal | None) -> str:
    """Return what percentage `part` is of `total`, with one decimal; a dash where that is not known."""
    if part is None or not total:
        return "–"
    return f"{100 * part / total:.1f} %"


def moment(value: datetime | None) -> str:
    """Return a time to the minute, in UTC, which the page says once."""
    return "never" if value is None else f"{value:%Y-%m-%d %H:%M}"


def clock(value: datetime) -> str:
    """Return the time of day to the second, in UTC."""
    return f"{value:%H:%M:%S}"


def age(value: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in its largest unit."""
    if value is None:
        return "never"
    passed = now - value
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return _ago(int(passed.total_seconds() // 60), "minute")
    if passed < _DAY:
        return _ago(int(passed.total_seconds() // 3600), "hour")
    return _ago(passed.days, "day")


def left(until: datetime, now: datetime) -> str:
    """Return how long something still lasts: `2 d 3 h`, `5 h 12 min`, `3 min`, or `over`."""
    minutes = int((until - now).total_seconds() // 60)
    if minutes <= 0:
        return "over"
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 gap`, `12 gaps`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def _ago(number: int, unit: str) -> str:
    return f"{count(number, unit)} ago"
