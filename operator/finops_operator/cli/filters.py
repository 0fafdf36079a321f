"""The options that narrow and order every listing, and what they mean; spelled once so that all lists agree.

Called by `resources`, `recommendations` and `requests`, each of which says what its rows are by a `Row`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, Final, TypeAlias

import typer

from finops.errors import InvalidInput
from finops_operator.rules.known_ids import nearest


class Sort(StrEnum):
    """What a listing is ordered by."""

    SAVINGS = "savings"
    COST = "cost"
    NAME = "name"
    ID = "id"
    KIND = "kind"
    ACCOUNT = "account"
    REGION = "region"
    STATUS = "status"


Account: TypeAlias = Annotated[str, typer.Option("--account", metavar="DIGITS", help="Only of this account.")]
Region: TypeAlias = Annotated[str, typer.Option("--region", metavar="CODE", help="Only in this region.")]
Kind: TypeAlias = Annotated[str, typer.Option("--kind", metavar="ID", help="Only resources of this kind.")]
CheckOption: TypeAlias = Annotated[str, typer.Option("--check", metavar="ID", help="Only what this check found.")]
Tags: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="KEY[=VALUE]", help="Only resources with this tag. Repeatable: all of them."),
]
Owner: TypeAlias = Annotated[
    str, typer.Option("--owner", metavar="NAME", help="Only where the tag owner, team or contact says so.")
]
Status: TypeAlias = Annotated[
    str, typer.Option("--status", metavar="WORD", help="Only in this state, such as Actionable or Pending.")
]
MinSavings: TypeAlias = Annotated[
    str, typer.Option("--min-savings", metavar="USD", help="Only what saves at least so much a month.")
]
Limit: TypeAlias = Annotated[int, typer.Option("--limit", min=0, metavar="N", help="At most N rows, 0 for all.")]
SortOption: TypeAlias = Annotated[
    Sort | None, typer.Option("--sort", help="What to order by; sums from the largest.", case_sensitive=False)
]


@dataclass(frozen=True, slots=True)
class Row:
    """What one row of a listing is, for filters and order; `record` is what is printed."""

    record: Mapping[str, Any]
    account: str
    region: str
    kind: str
    id: str
    name: str
    statuses: frozenset[str]
    checks: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    savings: Decimal | None = None
    cost: Decimal | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person asked for; empty fields ask for nothing."""

    account: str = ""
    region: str = ""
    kind: str = ""
    check: str = ""
    tags: tuple[str, ...] = ()
    owner: str = ""
    status: str = ""
    min_savings: Decimal | None = None

    @property
    def needs_advice(self) -> bool:
        """Whether a list of resources has to know what is recommended for them."""
        return bool(self.check or self.min_savings is not None)

    def matches(self, row: Row) -> bool:
        """Return whether a row is asked for."""
        words = {one.lower() for one in row.statuses}
        return (
            self.account in {"", row.account}
            and self.region in {"", row.region}
            and self.kind in {"", row.kind}
            and (not self.check or self.check in row.checks)
            and all(_carries(row.tags, wanted) for wanted in self.tags)
            and (not self.owner or row.owner.lower() == self.owner.lower())
            and (not self.status or self.status.lower() in words)
            and (self.min_savings is None or (row.savings is not None and row.savings >= self.min_savings))
        )


def make_filter(
    *,
    account: str,
    region: str,
    kind: str,
    check: str,
    tags: list[str] | None,
    owner: str,
    status: str,
    min_savings: str,
    known_statuses: Iterable[str] = (),
    known_kinds: Iterable[str] = (),
) -> Filter:
    """Return the filter of a command line.

    Raises:
        InvalidInput: an id or word that cannot match anything, with the nearest one; a saving that is no number.
    """
    _known(kind, known_kinds, "--kind", "kind")
    _known(status.lower(), [one.lower() for one in known_statuses], "--status", "status")
    return Filter(
        account, region, kind, check, tuple(tags or ()), owner, status, _number(min_savings) if min_savings else None
    )


def require_check(check: str, known: Collection[str], stored: Callable[[], Iterable[str]]) -> None:
    """Raise InvalidInput when `check` is neither one of the release nor of a policy that brought its own.

    Args:
        check: what the command line says, empty for all.
        known: ids of the release's checks.
        stored: the checks of all stored advice; asked only where `known` does not have it.
    """
    if check not in known:
        _known(check, {*known, *stored()}, "--check", "check")


def ordered(rows: Iterable[Row], sort: Sort) -> list[Row]:
    """Return rows by what was asked for; sums from the largest, unknown ones last, then by saving."""
    return sorted(rows, key=lambda row: (_KEYS[sort](row), _largest_first(row.savings), row.id))


def _largest_first(amount: Decimal | None) -> tuple[bool, Decimal]:
    return amount is None, -(amount or Decimal(0))


_KEYS: Final[Mapping[Sort, Any]] = {
    Sort.SAVINGS: lambda row: _largest_first(row.savings),
    Sort.COST: lambda row: _largest_first(row.cost),
    Sort.NAME: lambda row: row.name.lower(),
    Sort.ID: lambda row: row.id,
    Sort.KIND: lambda row: row.kind,
    Sort.ACCOUNT: lambda row: row.account,
    Sort.REGION: lambda row: row.region,
    Sort.STATUS: lambda row: min(row.statuses, default=""),
}


def _carries(tags: Mapping[str, str], wanted: str) -> bool:
    key, separator, value = wanted.partition("=")
    return key in tags and (not separator or tags[key] == value)


def _known(value: str, known: Iterable[str], option: str, what: str) -> None:
    words = sorted(set(known))
    if not value or not words or value in words:
        return
    raise InvalidInput(f"there is no {what} {value!r}", field=option, hint=nearest(value, words))


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise InvalidInput(f"{text!r} is not a number", field="--min-savings", hint="write US dollars, such as 20")
    return value
