"""Reads one offer file of AWS, a CSV file of a region, row by row; pure, and the memory does not grow with the file.

Called by `finops prices refresh` with the lines as they arrive. Five lines say what the file is, the sixth names the
columns, and every further one is one price of one product. Only rows of figures that a rule names are kept until the
end, because the choice is made there: exactly one product, one on-demand term in force and one price, or no figure. A
file that is not what it must be is refused as a whole; another currency is such a case. A price of zero is left out:
what is free for the first units or in a trial is no price.
Source: "Reading the service price list file for an AWS service" (Billing user guide).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from finops.domain.money import CURRENCY
from finops.errors import FinopsError
from finops_operator.pricing.listed import Figure, Rule

_FORMAT: Final = "v1.0"
_HEAD: Final = ("FormatVersion", "Disclaimer", "Publication Date", "Version", "OfferCode")
_NEEDED: Final = frozenset(
    {
        *("sku", "offertermcode", "termtype", "effectivedate", "startingrange", "endingrange", "unit"),
        *("priceperunit", "currency", "productfamily", "usagetype", "regioncode", "locationtype"),
    }
)
_ON_DEMAND: Final = "OnDemand"
_REGION: Final = "AWS Region"
_END: Final = "Inf"
_TWICE: Final = -1
_MARK: Final = "\ufeff"
_SAID_EVERY: Final = 100_000


class MalformedOffer(FinopsError):
    """A file is no offer file of this service and region that we can trust; nothing of it is used."""


@dataclass(frozen=True, slots=True)
class Amount:
    """What one figure costs: per unit, in US dollars, in our unit; `sku` is AWS's number of the product."""

    amount: Decimal
    unit: str
    sku: str = ""


@dataclass(frozen=True, slots=True)
class OfferFile:
    """What an offer file says.

    Attributes:
        published: the day of its publication, as of which its prices hold.
        version: AWS's word for it.
        rows: prices in it, of all products.
        figures: those that are certain.
        left_out: figures of which it has several prices, or one that is not meant, with the reason.
    """

    published: date
    version: str
    rows: int
    figures: Mapping[Figure, Amount]
    left_out: Mapping[Figure, str]


@dataclass(frozen=True, slots=True)
class _Step:
    """One price of one term of a product: from the unit of a month with which it begins to its end."""

    sku: str
    term: str
    begins: str
    ends: str
    unit: str
    amount: Decimal


@dataclass(slots=True)
class _Found:
    rule: Rule
    steps: list[_Step] = field(default_factory=list)


def read_offer_file(
    lines: Iterable[str],
    code: str,
    region: str,
    rules: Sequence[Rule],
    today: date,
    progress: Callable[[int], None] = lambda _: None,
) -> OfferFile:
    """Return what a file says of the figures that `rules` name.

    Args:
        lines: of the file, as they come.
        code: whose file it must be.
        region: whose prices are meant.
        rules: for this service code.
        today: a term that begins later is not in force.
        progress: is given the number of rows now and then.

    Raises:
        MalformedOffer: it is no such file, ends within a row, is of another currency, or has no figure of ours.
    """
    try:
        return _read(csv.reader(_unmarked(lines), strict=True), code, region, rules, today, progress)
    except csv.Error as error:
        raise MalformedOffer(f"the offer file of {code} in {region} cannot be read: {error}") from error


def _unmarked(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines without the byte order mark that a file may begin with."""
    remaining = iter(lines)
    for first in remaining:
        yield first.removeprefix(_MARK)
        break
    yield from remaining


def _read(
    rows: Iterator[list[str]],
    code: str,
    region: str,
    rules: Sequence[Rule],
    today: date,
    progress: Callable[[int], None],
) -> OfferFile:
    where = f"the offer file of {code} in {region}"
    published, version = _head(rows, code, where)
    columns = [_normal(name) for name in next(rows, [])]
    missing = sorted(_NEEDED.difference(columns))
    if missing:
        raise MalformedOffer(f"{where} lacks the columns {', '.join(missing)}")
    index = _index(columns, where)
    found: dict[Figure, _Found] = {}
    count = 0
    for cells in rows:
        count += 1
        if len(cells) != len(columns):
            raise MalformedOffer(f"{where} has {len(cells)} of {len(columns)} columns in row {count}")
        if count % _SAID_EVERY == 0:
            progress(count)
        # Local Zones have prices of their own and the code of their region.
        of_region = cells[index["regioncode"]] == region and cells[index["locationtype"]] == _REGION
        if of_region and cells[index["termtype"]] == _ON_DEMAND:
            _take(cells, index, rules, today, found, where)
    figures, left_out = _chosen(found)
    if not figures:
        raise MalformedOffer(f"{where} has no figure of the tables in {count} rows")
    return OfferFile(published, version, count, figures, left_out)


def _head(rows: Iterator[list[str]], code: str, where: str) -> tuple[date, str]:
    """Return day and version of the first five lines. Raises MalformedOffer."""
    said: dict[str, str] = {}
    for wanted in _HEAD:
        cells = next(rows, [])
        if len(cells) != 2 or cells[0] != wanted:
            raise MalformedOffer(f"{where} does not begin as one: {wanted} is not where it belongs")
        said[wanted] = cells[1]
    if said["FormatVersion"] != _FORMAT or said["OfferCode"] != code:
        raise MalformedOffer(f"{where} is one of {said['OfferCode']} in format {said['FormatVersion']}")
    try:
        return date.fromisoformat(said["Publication Date"][:10]), said["Version"]
    except ValueError as error:
        raise MalformedOffer(f"{where} does not say when it was published") from error


def _normal(name: str) -> str:
    """Return the field that a column is of, in lower case: `Pre Installed S/W` is preInstalledSw."""
    return "".join(letter for letter in name if letter.isalnum()).lower()


def _index(columns: Sequence[str], where: str) -> dict[str, int]:
    """Return column → its place; what needs one that stands twice refuses the file. Raises MalformedOffer."""
    index: dict[str, int] = {}
    for number, name in enumerate(columns):
        index[name] = _TWICE if name in index else number
    for name in sorted(_NEEDED):
        _once(index[name], name, where)
    return index


def _once(place: int, name: str, where: str) -> int:
    if place == _TWICE:
        raise MalformedOffer(f"{where} has the column {name} twice")
    return place


def _take(
    cells: Sequence[str],
    index: Mapping[str, int],
    rules: Sequence[Rule],
    today: date,
    found: dict[Figure, _Found],
    where: str,
) -> None:
    """Keep a row for every figure that it is of. Raises MalformedOffer."""

    def row(name: str) -> str:
        number = index.get(name)
        return "" if number is None else cells[_once(number, name, where)]

    step: _Step | None = None
    for rule in rules:
        figure = rule.figure(row)
        if figure is None:
            continue
        if step is None:
            if _begins_later(row("effectivedate"), today, where):
                return
            step = _step(row, where)
        found.setdefault(figure, _Found(rule)).steps.append(step)


def _begins_later(text: str, today: date, where: str) -> bool:
    try:
        return date.fromisoformat(text[:10]) > today
    except ValueError as error:
        raise MalformedOffer(f"{where} has a price whose term begins {text!r}") from error


def _step(row: Callable[[str], str], where: str) -> _Step:
    sku, currency = row("sku"), row("currency")
    if currency != CURRENCY:
        raise MalformedOffer(f"{where} is in {currency or 'no currency'}, not in {CURRENCY}")
    try:
        amount = Decimal(row("priceperunit"))
    except InvalidOperation as error:
        raise MalformedOffer(f"{where} has a price that is no number, of {sku}") from error
    if not amount.is_finite() or amount < 0:
        raise MalformedOffer(f"{where} has the price {amount}, of {sku}")
    return _Step(sku, row("offertermcode"), row("startingrange"), row("endingrange"), row("unit").casefold(), amount)


def _chosen(found: Mapping[Figure, _Found]) -> tuple[dict[Figure, Amount], dict[Figure, str]]:
    figures: dict[Figure, Amount] = {}
    left_out: dict[Figure, str] = {}
    for figure, one in found.items():
        answer = _choose(one)
        if isinstance(answer, Amount):
            figures[figure] = answer
        else:
            left_out[figure] = answer
    return figures, left_out


def _choose(found: _Found) -> Amount | str:
    """Return the one price that is meant, or why there is none."""
    products = sorted({step.sku for step in found.steps})
    if len(products) != 1:
        return f"{len(products)} products ({', '.join(products)})"
    if len({step.term for step in found.steps}) != 1:
        return f"several terms in force for {products[0]}"
    wanted = found.rule.begins
    steps = [step for step in found.steps if wanted is None or _number(step.begins) == wanted]
    if len(steps) != 1:
        return f"{len(steps)} prices for {products[0]}"
    (step,) = steps
    if wanted is None and (_number(step.begins) != 0 or step.ends != _END):
        return f"the price of {step.sku} is not for all units"
    if step.unit not in found.rule.published:
        return f"{step.sku} is priced per {step.unit}"
    if step.amount == 0:
        return f"{step.sku} is free"
    return Amount(step.amount / found.rule.published[step.unit], found.rule.unit, step.sku)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
