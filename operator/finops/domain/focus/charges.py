"""Rows of FOCUS 1.2: one for each priced part of a resource, for the day of the scan that saw it.

A day counts 24 hours of what is priced by the hour and 24 of the 730 hours of a month of what is priced by the month;
what is billed by use counts a day of its measured average. What started, stopped or changed on the day is not seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from finops.domain.focus.categories import BilledAs
from finops.domain.focus.columns import NAMES
from finops.domain.focus.regions import REGION_NAMES
from finops.domain.money import CURRENCY, DEFAULT_HOURS_PER_MONTH
from finops.domain.price import HOUR, Cost, CostComponent
from finops.domain.resource import Resource

_DAY: Final = timedelta(days=1)
_HOURS: Final = Decimal(24)
_TEN_DECIMALS: Final = Decimal("1e-10")
_PROVIDER: Final = "AWS"
_UNITS: Final = {"gb": "GB", "iops": "IOPS", "mibps": "MiBps", "vcpu": "VCPU", "lcu": "LCU"}
"""Spellings of units that are no plain words; none of them has a plural."""

Charge = dict[str, str | None]
"""Column → text; None: null."""


def charges(resource: Resource, cost: Cost, billed_as: BilledAs, scanned: datetime) -> Iterator[Charge]:
    """Yield a row for each part of a resource that is billed, and one for each part without a price.

    What costs nothing (a stopped instance without an address, a group whose members are billed) has no row.

    `scanned`, when the scan ended that saw it, decides the day. How many hours the month of `cost` has does not matter.
    """
    shared = {**dict.fromkeys(NAMES), **_about(resource, billed_as), **_when(scanned)}
    for part in cost.components:
        yield {**shared, **_priced(part), "ChargeDescription": _description(resource, part.dimension)}
    for missing in cost.missing:
        meter, colon, _ = missing.partition(":")
        meter = meter if colon else ""
        yield {
            **shared,
            "ChargeDescription": _description(resource, meter),
            "x_Meter": meter or None,
            "x_PriceMissing": missing,
        }


def unit_name(unit: str) -> str:
    """Return a price's unit as FOCUS spells it: `hour` → `Hours`, `gb-month` → `GB-Months`."""
    words = [_UNITS.get(word, word.capitalize()) for word in unit.split("-")]
    last = unit.rpartition("-")[2]
    return "-".join(words) + ("" if last in _UNITS else "s")


def _about(resource: Resource, billed_as: BilledAs) -> Charge:
    return {
        "AvailabilityZone": (resource.text(billed_as.zone_fact) if billed_as.zone_fact else "") or None,
        "BillingCurrency": CURRENCY,
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "HostProviderName": _PROVIDER,
        "ProviderName": _PROVIDER,
        "PublisherName": _PROVIDER,
        "RegionId": resource.region or None,
        "RegionName": REGION_NAMES.get(resource.region),
        "ResourceId": resource.arn or resource.id,
        "ResourceName": resource.name or None,
        "ResourceType": resource.kind,
        "ServiceCategory": billed_as.category,
        "ServiceName": billed_as.service or None,
        "ServiceProviderName": _PROVIDER,
        "ServiceSubcategory": billed_as.subcategory,
        "SubAccountId": resource.account,
        "SubAccountType": "Account",
        # ASCII alone: whoever makes a text harmless for terminals afterwards changes nothing of it.
        "Tags": json.dumps(dict(sorted(resource.tags.items()))),
        "x_Estimated": "true",
        "x_State": resource.state or None,
    }


def _when(scanned: datetime) -> Charge:
    moment = scanned.astimezone(UTC)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    month = day.replace(day=1)
    next_month = (month + timedelta(days=31)).replace(day=1)
    return {
        "BillingPeriodStart": _time(month),
        "BillingPeriodEnd": _time(next_month),
        "ChargePeriodStart": _time(day),
        "ChargePeriodEnd": _time(day + _DAY),
        "x_ScanCompleted": _time(moment),
    }


def _priced(part: CostComponent) -> Charge:
    quantity = (part.quantity * _of_a_day(part)).quantize(_TEN_DECIMALS, rounding=ROUND_HALF_UP)
    return {
        "BillingCurrency": part.price.currency,
        "ListUnitPrice": _decimal(part.price.amount),
        "PricingQuantity": _decimal(quantity),
        "PricingUnit": unit_name(part.price.unit),
        "ListCost": _decimal(part.price.amount * quantity),
        "x_Meter": part.dimension,
        "x_PriceAsOf": part.price.as_of.isoformat(),
        "x_PriceSource": part.price.source,
    }


def _of_a_day(part: CostComponent) -> Decimal:
    """Return what makes a part's quantity a day's."""
    if part.used_in_hours is not None:
        return _HOURS / part.used_in_hours
    return _HOURS if part.price.unit == HOUR else _HOURS / DEFAULT_HOURS_PER_MONTH


def _description(resource: Resource, meter: str) -> str:
    what = meter.replace("_", " ") or "charge"
    return f"{what} of {resource.kind} {resource.name or resource.id}"


def _decimal(value: Decimal) -> str:
    """Return a number without an exponent and without zeros at its end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _time(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"
