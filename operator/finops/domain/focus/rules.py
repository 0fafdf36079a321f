"""Which rules of FOCUS a row breaks. Pure; works on rows as a CSV file holds them, whoever wrote it.

Covered are the rules that one row decides: names, types, null values, allowed values and the sums that must agree.
Rules about several rows, about invoices and about delivery are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from finops.domain.focus.categories import subcategories
from finops.domain.focus.columns import CUSTOM_PREFIX, Column, DataType, Demand, Version, columns_of

Row: TypeAlias = Mapping[str, str | None]
"""Column → text; None or an empty text is null."""

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DECIMAL: Final = re.compile(r"-?\d+(?:\.\d+)?(?:E-?\d+)?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_UNIT: Final = re.compile(r"(?:\d+ )?[A-Z][A-Za-z]*(?:[-/ ][A-Z][A-Za-z]*)*")
_CURRENCIES: Final = ("BillingCurrency", "PricingCurrency")
_UNITS: Final = ("CommitmentDiscountUnit", "ConsumedUnit", "PricingUnit")
_NEGATIVE_PRICES: Final = ("ListUnitPrice", "ContractedUnitPrice")
_PERIODS: Final = (("BillingPeriodStart", "BillingPeriodEnd"), ("ChargePeriodStart", "ChargePeriodEnd"))
_PRODUCTS: Final = (("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice"))
_TOLERANCE: Final = Decimal("0.0000000001")
_PRICED: Final = frozenset({"Usage", "Purchase"})


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A rule that does not hold.

    Attributes:
        column: where.
        rule: which one, in a word: `present`, `name`, `null`, `type`, `allowed`, `alone`, `period`, `product`.
        says: the rule as a sentence.
    """

    column: str
    rule: str
    says: str


RULES: Final[Mapping[str, str]] = {
    "present": "The column must be there.",
    "name": f"A column that is not FOCUS's own must begin with `{CUSTOM_PREFIX}`.",
    "null": "The value must not be null.",
    "type": "The value must have the column's type and format.",
    "allowed": "The value must be one of those that FOCUS allows; a subcategory must belong to its category.",
    "alone": "The value must be null while the column that it belongs to is null.",
    "period": "A period must begin before it ends.",
    "product": "A cost must be its unit price multiplied by the quantity.",
}


def check_header(names: Collection[str], version: Version) -> Iterator[Violation]:
    """Yield what is wrong with the columns of a file."""
    known = {column.name for column in columns_of(version)}
    for column in sorted(known.difference(names)):
        yield _broken(column, "present")
    for name in names:
        if name not in known and not name.startswith(CUSTOM_PREFIX):
            yield _broken(name, "name")


def check_row(row: Row, version: Version) -> Iterator[Violation]:
    """Yield what is wrong with one row, by column."""
    for column in columns_of(version):
        value = row.get(column.name)
        if not value:
            if _must_have_a_value(column, row):
                yield _broken(column.name, "null")
            continue
        if column.only_with and not row.get(column.only_with):
            yield _broken(column.name, "alone")
        if not _has_its_type(column, value):
            yield _broken(column.name, "type")
        elif column.allowed and value not in column.allowed:
            yield _broken(column.name, "allowed")
    yield from _relations(row)


def _relations(row: Row) -> Iterator[Violation]:
    category, subcategory = row.get("ServiceCategory"), row.get("ServiceSubcategory")
    if subcategory and subcategory not in subcategories(category or ""):
        yield _broken("ServiceSubcategory", "allowed")
    for first, last in _PERIODS:
        start, end = _moment(row.get(first)), _moment(row.get(last))
        if start is not None and end is not None and start >= end:
            yield _broken(last, "period")
    quantity = _number(row.get("PricingQuantity"))
    for cost_name, price_name in _PRODUCTS:
        cost, price = _number(row.get(cost_name)), _number(row.get(price_name))
        if cost is None or price is None or quantity is None or row.get("ChargeClass") == "Correction":
            continue
        if abs(cost - price * quantity) > _TOLERANCE:
            yield _broken(cost_name, "product")


def _must_have_a_value(column: Column, row: Row) -> bool:
    if column.demand is Demand.ALWAYS:
        return True
    if column.demand is Demand.FOR_USAGE:
        return row.get("ChargeCategory") in _PRICED and row.get("ChargeClass") != "Correction"
    return bool(column.needed_with and row.get(column.needed_with))


def _has_its_type(column: Column, value: str) -> bool:
    if column.data_type is DataType.DECIMAL:
        number = _number(value)
        return number is not None and (column.name not in _NEGATIVE_PRICES or number >= 0)
    if column.data_type is DataType.TIME:
        return _moment(value) is not None
    if column.data_type is DataType.PAIRS:
        return _is_flat_object(value)
    if column.data_type is DataType.OBJECT:
        return isinstance(_parsed(value), dict)
    if column.name in _CURRENCIES:
        return _CURRENCY.fullmatch(value) is not None
    return column.name not in _UNITS or _UNIT.fullmatch(value) is not None


def _is_flat_object(value: str) -> bool:
    found = _parsed(value)
    return isinstance(found, dict) and not any(isinstance(one, dict | list) for one in found.values())


def _parsed(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _number(value: str | None) -> Decimal | None:
    if not value or not _DECIMAL.fullmatch(value):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def _moment(value: str | None) -> datetime | None:
    if not value or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _broken(column: str, rule: str) -> Violation:
    return Violation(column, rule, RULES[rule])
