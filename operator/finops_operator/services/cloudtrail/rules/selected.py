"""Which management events a trail delivers, by its event selectors. Pure; called by the kind.

Source: API reference of CloudTrail, EventSelector and AdvancedFieldSelector. A trail without selectors of its own
delivers all management events and nothing else. What a field selector beyond the category, the direction and left out
services lets through is not worked out: the events are some, and some are never taken for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_Excluded = frozenset[str] | None
"""Services whose events are left out; None: none of the events are delivered."""
_NOTHING: Final[frozenset[str]] = frozenset()
_MANAGEMENT: Final = "Management"
_READS: Final = {"All": (True, True), "ReadOnly": (True, False), "WriteOnly": (False, True)}
_READ_ONLY: Final = {"true": (True, False), "false": (False, True)}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a trail delivers.

    Attributes:
        reads, writes: which management events that read or change something.
        some: whether there are further ones, picked by what is not worked out here.
        other_events: whether data events or network events are delivered as well.
        feeds: log groups of CloudWatch Logs and topics of SNS that get them besides the bucket, by ARN.
    """

    reads: _Excluded = None
    writes: _Excluded = None
    some: bool = False
    other_events: bool = False
    feeds: frozenset[str] = _NOTHING

    @property
    def management(self) -> str:
        """Return in a word which management events are delivered: `all`, `read`, `write`, `some` or `none`."""
        if self.reads is None and self.writes is None:
            return "some" if self.some else "none"
        if self.reads is not None and self.writes is not None:
            return "some" if self.reads | self.writes else "all"
        return "read" if self.writes is None else "write"

    def holds(self, other: Delivered) -> bool:
        """Return whether every management event that `other` delivers is delivered here too, and to what it feeds."""
        if not other.feeds <= self.feeds:
            return False
        if other.some:
            return self.reads == self.writes == _NOTHING
        return _at_least(self.reads, other.reads) and _at_least(self.writes, other.writes)


ALL: Final = Delivered(_NOTHING, _NOTHING)
"""What a trail without selectors of its own delivers."""


def _at_least(mine: _Excluded, other: _Excluded) -> bool:
    return other is None or (mine is not None and mine <= other)


def delivered(selectors: Mapping[str, Any]) -> Delivered:
    """Return what the answer of GetEventSelectors lets through; selectors add up."""
    parts = [
        *(_basic(one) for one in selectors.get("EventSelectors") or ()),
        *(_advanced(one.get("FieldSelectors") or ()) for one in selectors.get("AdvancedEventSelectors") or ()),
    ]
    return Delivered(
        _together(one.reads for one in parts),
        _together(one.writes for one in parts),
        any(one.some for one in parts),
        any(one.other_events for one in parts),
    )


def _together(several: Iterable[_Excluded]) -> _Excluded:
    known = [one for one in several if one is not None]
    return frozenset.intersection(*known) if known else None


def _basic(selector: Mapping[str, Any]) -> Delivered:
    data = bool(selector.get("DataResources"))
    direction = _READS.get(str(selector.get("ReadWriteType") or "All"))
    if not selector.get("IncludeManagementEvents", True):
        return Delivered(other_events=data)
    if direction is None:
        return Delivered(some=True, other_events=data)
    excluded = frozenset(str(one) for one in selector.get("ExcludeManagementEventSources") or ())
    return _in_direction(direction, excluded, other_events=data)


def _advanced(fields: Sequence[Mapping[str, Any]]) -> Delivered:
    by_field = {str(one.get("Field")): one for one in fields}
    category = by_field.pop("eventCategory", {})
    if list(category.get("Equals") or ()) != [_MANAGEMENT]:
        return Delivered(other_events=True)
    direction, excluded = (True, True), _NOTHING
    if (read_only := by_field.pop("readOnly", None)) is not None:
        found = _READ_ONLY.get(",".join(_only(read_only, "Equals") or ()))
        if found is None:
            return Delivered(some=True)
        direction = found
    if (source := by_field.pop("eventSource", None)) is not None:
        left_out = _only(source, "NotEquals")
        if left_out is None:
            return Delivered(some=True)
        excluded = frozenset(left_out)
    return Delivered(some=True) if by_field else _in_direction(direction, excluded)


def _only(field: Mapping[str, Any], operator: str) -> list[str] | None:
    """Return the values of a field's only operator, None where another one is there too."""
    operators = {name: values for name, values in field.items() if name != "Field" and values}
    return None if set(operators) != {operator} else [str(value) for value in operators[operator]]


def _in_direction(direction: tuple[bool, bool], excluded: frozenset[str], *, other_events: bool = False) -> Delivered:
    reads, writes = direction
    return Delivered(excluded if reads else None, excluded if writes else None, other_events=other_events)
