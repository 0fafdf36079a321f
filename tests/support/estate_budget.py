"""The budget of calls of each kind, as docs/benchmarks.md states it, and whether a scan kept to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finops_operator.plugins.loaded import load_kinds

_PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
_HEAD: Final = "| Kind | Calls in each account and region | For each resource | Of these |"
_OPERATION: Final = re.compile(r"`([a-z0-9-]+:[A-Za-z0-9]+)`")


@dataclass(frozen=True, slots=True)
class Budget:
    """What one row of the page allows; `kind` is empty where all kinds share the calls, as `title` says."""

    title: str
    kind: str
    in_each_place: float
    for_each_resource: float
    operations: frozenset[str]


def budgets() -> tuple[Budget, ...]:
    """Return the rows of the page."""
    table = _PAGE.read_text(encoding="utf-8").partition(_HEAD)[2].strip().splitlines()[1:]
    return tuple(_rows(table))


def _rows(lines: list[str]) -> Iterator[Budget]:
    for line in lines:
        if not line.startswith("|"):
            return
        kind, place, resource, operations = (cell.strip() for cell in line.strip("|").split("|"))
        names = frozenset(_OPERATION.findall(operations))
        of_kind = kind.strip("`") if kind.startswith("`") else ""
        yield Budget(kind.strip("`"), of_kind, float(place), float(resource), names)


def kinds_without_a_budget() -> list[str]:
    """Return the kinds of the release that the page does not name."""
    return sorted(set(load_kinds()) - {one.kind for one in budgets()})


@dataclass(frozen=True, slots=True)
class Made:
    """What a scan asked of the operations of one row, and what the row allows; `title` and `kind` as in the budget."""

    title: str
    kind: str
    operations: frozenset[str]
    calls: int
    allowed: float


def made_of(calls: Mapping[str, int], resources: Mapping[str, int], *, places: int, accounts: int) -> tuple[Made, ...]:
    """Return what a scan asked for of each row of the page; arguments as `calls_above`."""
    known, found = load_kinds(), []
    for one in budgets():
        made = sum(calls.get(operation, 0) for operation in one.operations)
        kind = known.get(one.kind)
        several = accounts if kind is not None and kind.listing.is_global else places
        count = resources.get(one.kind, 0) if one.kind else sum(resources.values())
        allowed = several * one.in_each_place + count * one.for_each_resource
        found.append(Made(one.title, one.kind, one.operations, made, allowed))
    return tuple(found)


def calls_above(calls: Mapping[str, int], resources: Mapping[str, int], *, places: int, accounts: int) -> list[str]:
    """Return what a scan asked for beyond the page; calls that no row names among it.

    Args:
        calls: operation → how often.
        resources: kind → how many there are.
        places: accounts times regions.
        accounts: of which each has its global kinds once.
    """
    rows = made_of(calls, resources, places=places, accounts=accounts)
    above = [
        f"{one.kind or 'all kinds'}: {one.calls} calls, {one.allowed:.0f} are allowed"
        for one in rows
        if one.calls > one.allowed
    ]
    named = frozenset[str]().union(*(one.operations for one in rows))
    return [*above, *(f"{operation}: in no row" for operation in sorted(calls.keys() - named))]
