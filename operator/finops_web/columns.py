"""Which columns a list of resources shows: the usual ones, or those that its address names (`?columns=owner`).

Beside the columns that every resource has, those are facts of one kind: `?columns=attributes.engine`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from pydantic import AfterValidator

from finops.domain.resource import Resource
from finops_web.kind_facts import Fact, fact_named, facts_of
from finops_web.listing import Sort


class Column(StrEnum):
    """A column, in the order of the page; the name is always shown, as it opens the resource."""

    COST = "cost"
    NAME = "name"
    KIND = "kind"
    REGION = "region"
    ACCOUNT = "account"
    STATE = "state"
    OWNER = "owner"
    CREATED = "created"
    HOURLY = "hourly"
    ANNUAL = "annual"
    TAGS = "tags"
    ARN = "arn"

    @property
    def heading(self) -> str:
        """Return what stands at the head of the column."""
        return _HEADINGS.get(self, self.value.capitalize())

    @property
    def sort(self) -> Sort | None:
        """Return the order that the column's head asks for, None where lists have none by it."""
        return _SORTS.get(self.value)

    @property
    def is_figure(self) -> bool:
        """Return whether it shows numbers."""
        return self in _FIGURES


_HEADINGS: Final = {
    Column.COST: "USD a month",
    Column.HOURLY: "USD an hour",
    Column.ANNUAL: "USD a year",
    Column.ARN: "ARN",
}
_FIGURES: Final = frozenset({Column.COST, Column.HOURLY, Column.ANNUAL})
_SORTS: Final = {one.value: one for one in Sort}
_USUAL: Final = tuple(list(Column)[: list(Column).index(Column.OWNER) + 1])
_IDENTITY: Final = ("kind", "id", "account", "region", "name")
"""What every row of a twin has: without these nobody knows which resource it is."""
_FIELDS: Final[Mapping[Column, tuple[str, ...]]] = {
    Column.COST: ("monthly_cost", "attributed_monthly_cost", "attributed_unknown"),
    Column.HOURLY: ("hourly_cost",),
    Column.ANNUAL: ("annual_cost",),
}
_READ: Final = frozenset({Column.CREATED, Column.TAGS, Column.ARN})
_NAMES: Final = frozenset(one.value for one in Column)
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a list.

    Attributes:
        shown: in the order of the page.
        chosen: whether the address names them; the usual ones give way on narrow screens, chosen ones do not.
    """

    shown: tuple[Column | Fact, ...] = _USUAL
    chosen: bool = False

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Return those that are facts of one kind."""
        return tuple(one for one in self.shown if isinstance(one, Fact))

    @property
    def need_reading(self) -> bool:
        """Return whether a column shows what lists do not keep of every resource."""
        return bool(self.facts) or not _READ.isdisjoint(self.shown)

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of a twin's fields that these columns stand for, each once."""
        return tuple(dict.fromkeys((*_IDENTITY, *(name for one in self.shown for name in _fields_of(one)))))

    def of(self, row: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
        """Return the fields of a JSON row that are asked for, without a choice all of them.

        Facts are in `attributes`: null where one is not known, absent where the kind has none.
        """
        if not self.chosen:
            return dict(row)
        found = {name: row[name] for name in self.fields if name in row}
        facts = {one.name: one.of(resource) for one in self.facts if one.is_of(resource)}
        return {**found, "attributes": facts} if self.facts else found

    def cells(self, row: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
        """Return a row of the spreadsheet, with a field for each fact that is asked for."""
        return {**row, **{one.value: _cell(one.of(resource)) for one in self.facts}}

    def offered(self, kind: str) -> tuple[Fact, ...]:
        """Return the facts that may be chosen in a list of the kind, and those that are chosen already."""
        return tuple(dict.fromkeys((*facts_of(kind), *self.facts)))


def _fields_of(column: Column | Fact) -> tuple[str, ...]:
    return (column.value,) if isinstance(column, Fact) else _FIELDS.get(column, (column.value,))


def _cell(value: Any) -> Any:
    """Return a fact as a spreadsheet reads it: numbers and texts as they are, the rest as JSON."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def tags_as_text(tags: Mapping[str, str]) -> str:
    """Return tags in one line, by key: `owner=ann; team=shop`."""
    return "; ".join(f"{key}={value}" for key, value in sorted(tags.items()))


def _known(name: str) -> str:
    """Let the name of a column through. Raises ValueError."""
    if name not in _NAMES and fact_named(name) is None:
        raise ValueError(f"a column is one of {', '.join(Column)}, or attributes.FACT of a kind that declares the fact")
    return name


def asked_columns(
    columns: Annotated[
        list[Annotated[str, AfterValidator(_known)]] | None,
        Query(max_length=_MOST, description="A column, or a fact of a kind; repeat it to see several."),
    ] = None,
) -> Columns:
    """Return the columns that an address asks for: those of every resource in their own order, then the facts."""
    if not columns:
        return Columns()
    wanted = {*columns, Column.NAME}
    facts = [fact for one in dict.fromkeys(columns) if (fact := fact_named(one)) is not None]
    return Columns((*(one for one in Column if one in wanted), *facts), chosen=True)


ChosenColumns = Annotated[Columns, Depends(asked_columns)]
"""The parameter by which a page takes the columns of the address."""
