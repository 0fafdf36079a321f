"""Which columns a list of resources shows: the usual ones, or those that its address names (`?columns=owner`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Depends, Query

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


_HEADINGS: Final = {
    Column.COST: "USD a month",
    Column.HOURLY: "USD an hour",
    Column.ANNUAL: "USD a year",
    Column.ARN: "ARN",
}
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
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a list.

    Attributes:
        shown: in the order of the page.
        chosen: whether the address names them; the usual ones give way on narrow screens, chosen ones do not.
    """

    shown: tuple[Column, ...] = _USUAL
    chosen: bool = False

    @property
    def need_reading(self) -> bool:
        """Return whether a column shows what lists do not keep of every resource."""
        return not _READ.isdisjoint(self.shown)

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of a twin's fields that these columns stand for, each once."""
        return tuple(dict.fromkeys((*_IDENTITY, *(name for one in self.shown for name in _fields_of(one)))))

    def of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a twin's row that are asked for; without a choice all of them."""
        return {name: row[name] for name in self.fields} if self.chosen else dict(row)


def _fields_of(column: Column) -> tuple[str, ...]:
    return _FIELDS.get(column, (column.value,))


def tags_as_text(tags: Mapping[str, str]) -> str:
    """Return tags in one line, by key: `owner=ann; team=shop`."""
    return "; ".join(f"{key}={value}" for key, value in sorted(tags.items()))


def asked_columns(
    columns: Annotated[
        list[Column] | None, Query(max_length=_MOST, description="A column; repeat it to see several.")
    ] = None,
) -> Columns:
    """Return the columns that an address asks for."""
    if not columns:
        return Columns()
    wanted = {*columns, Column.NAME}
    return Columns(tuple(one for one in Column if one in wanted), chosen=True)


ChosenColumns = Annotated[Columns, Depends(asked_columns)]
"""The parameter by which a page takes the columns of the address."""
