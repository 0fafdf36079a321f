"""What a condition may name: facts of a resource's kind, its utilization, cost and tags, each with its CEL type. Pure.

Used by the custom checks, `finops policy test` and the documentation. A value that is not known is `Unknown` with the
reason in words; it is never a zero or an empty text.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.money import annual_from_monthly
from finops.domain.price import missing_in_words
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Facts
from finops_operator.plugins.kind import MetricSpec, ResourceKind
from finops_operator.plugins.sufficiency import insufficient
from finops_operator.scan.custom.language import Value

STATISTICS: Final[Mapping[str, str]] = {
    "maximum": "the highest of the periods",
    "p99_5": "99.5 % of the periods stayed at or below",
    "p99": "99 % of the periods stayed at or below",
    "p95": "95 % of the periods stayed at or below",
    "p90": "90 % of the periods stayed at or below",
    "average": "the mean",
    "lowest": "the lowest of the period means, of the period minima where they are read",
}
COUNTED: Final[Mapping[str, str]] = {
    "total": "the sum over the window",
    "busiest_day": "the largest sum of any 24 hours in a row",
}
"""Of counters alone."""
_PLAIN: Final[Mapping[object, str]] = {str: "string", bool: "bool", int: "int", float: "double", Decimal: "double"}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that nobody knows, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a condition may name.

    Attributes:
        name: with dots, such as `utilization.cpuPercent.maximum`.
        type: CEL's word.
        meaning: a few words with the unit.
        read: the value for one resource.
        metric: of a statistic the metric's name, empty else.
    """

    name: str
    type: str
    meaning: str
    read: Callable[[Facts[Any]], Value | Unknown]
    metric: str = ""


def fields_of(kind: ResourceKind[Any]) -> dict[str, Field]:
    """Return every field of a kind by its name."""
    made = (*_common(), *_costs(kind), *_attributes(kind), *(one for spec in kind.metrics for one in _statistics(spec)))
    return {one.name: one for one in made}


def _common() -> Iterator[Field]:
    texts = {"id": "AWS's id", "arn": "ARN", "name": "the Name tag, empty when absent"}
    texts |= {"account": "12 digits", "region": "region code", "state": "AWS's word for its state"}
    for name, meaning in texts.items():
        yield Field(f"resource.{name}", "string", meaning, _text_of(name))
    yield Field("resource.created", "timestamp", "when it was made or started", _created)
    yield Field("tags", "map(string, string)", "all tags", lambda facts: dict(facts.resource.tags))
    yield Field("now", "timestamp", "when the scan began", lambda facts: facts.now)


def _text_of(name: str) -> Callable[[Facts[Any]], Value | Unknown]:
    return lambda facts: str(getattr(facts.resource, name))


def _created(facts: Facts[Any]) -> Value | Unknown:
    return facts.resource.created or Unknown("when it was made is unknown")


def _costs(kind: ResourceKind[Any]) -> Iterator[Field]:
    whose = ""
    if kind.members is not None:
        whose = ", with that of its members" if kind.members.billed_itself else ", attributed: that of its members"
    yield Field("cost.monthly", "double", f"US dollars a month of the policy's hours{whose}", _monthly)
    yield Field("cost.annual", "double", f"US dollars for 12 such months{whose}", _annual)
    yield Field("cost.hourly", "double", f"US dollars an hour, of what is billed by the hour{whose}", _hourly)


def _no_price(facts: Facts[Any]) -> Unknown:
    cost = facts.share_of_bill
    of_members = "that of a member is not known" if cost.group is not None else "a price is missing"
    return Unknown(f"the cost is unknown ({missing_in_words(cost.missing) or of_members})")


def _monthly(facts: Facts[Any]) -> Value | Unknown:
    cost = facts.share_of_bill.at_stake
    return _no_price(facts) if cost is None else float(cost)


def _annual(facts: Facts[Any]) -> Value | Unknown:
    cost = facts.share_of_bill.at_stake
    return _no_price(facts) if cost is None else float(annual_from_monthly(cost))


def _hourly(facts: Facts[Any]) -> Value | Unknown:
    """Return the sum of what is billed by the hour; of a group without a member nothing is."""
    cost, found = facts.share_of_bill, facts.share_of_bill.attributed
    if cost.group is None:
        return _no_price(facts) if cost.hourly is None else float(cost.hourly)
    if cost.at_stake is None or found is None or found.members is None:
        return _no_price(facts)
    parts = [one.hourly for _, one in found.members if one.hourly is not None]
    if cost.hourly is not None:
        parts.append(cost.hourly)
    return float(sum(parts, Decimal(0)))


def _attributes(kind: ResourceKind[Any]) -> Iterator[Field]:
    for name, hint in typing.get_type_hints(kind.facts).items():

        def read(facts: Facts[Any], name: str = name) -> Value | Unknown:
            value = getattr(facts.own, name)
            return Unknown(f"{name.replace('_', ' ')} is unknown") if value is None else _plain(value)

        yield Field(f"attributes.{name}", _type_of(hint), name.replace("_", " "), read)


def _type_of(hint: Any) -> str:
    """Return CEL's type of a fact; a fact that is an object is a map by the names of its parts."""
    if isinstance(hint, types.UnionType):
        return _type_of(next(one for one in typing.get_args(hint) if one is not types.NoneType))
    if typing.get_origin(hint) is tuple:
        return f"list({_type_of(typing.get_args(hint)[0])})"
    return "map(string, dyn)" if dataclasses.is_dataclass(hint) else _PLAIN[hint]


def _plain(value: Any) -> Value:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return float(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: _plain(one) for key, one in dataclasses.asdict(value).items() if one is not None}
    plain: Value = value
    return plain


def _statistics(spec: MetricSpec) -> Iterator[Field]:
    named = {**STATISTICS, **(COUNTED if spec.counter else {})}
    for statistic, words in named.items():

        def read(facts: Facts[Any], statistic: str = statistic) -> Value | Unknown:
            return _measured(facts, spec.name, statistic)

        unit = f"{spec.unit} a period" if spec.counter and statistic not in COUNTED else spec.unit
        yield Field(f"utilization.{spec.name}.{statistic}", "double", f"{words}, in {unit}", read, spec.name)


def _measured(facts: Facts[Any], metric: str, statistic: str) -> Value | Unknown:
    why = insufficient(facts.utilization, metric, facts.settings)
    summary = summary_of(facts, metric)
    if why or summary is None:
        return Unknown(why)
    value: float | None = getattr(summary, statistic)
    return Unknown(f"{statistic} of {metric} is unknown") if value is None or not math.isfinite(value) else value


def summary_of(facts: Facts[Any], metric: str) -> MetricSummary | None:
    """Return the picture by the hour or the day; the 5-minute one exists only where another check asked for it."""
    return facts.utilization.metrics.get(metric) or facts.utilization.fine.get(metric)
