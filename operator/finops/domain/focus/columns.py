"""The columns of FOCUS 1.2 and 1.3: what each may hold, what this product writes into it, and why it may be null.

Read by the export, the rule checker and the generator of docs/focus.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from finops.domain.focus.categories import CATEGORIES


class Version(StrEnum):
    """Versions of FOCUS that are written; a later one has all columns of those before it."""

    V1_2 = "1.2"
    V1_3 = "1.3"


CUSTOM_PREFIX: Final = "x_"
"""FOCUS reserves it for columns that are not its own."""


class DataType(StrEnum):
    """How a value is written."""

    TEXT = "String"
    DECIMAL = "Decimal"
    TIME = "Date/Time"
    PAIRS = "JSON object"
    """Of plain values."""
    OBJECT = "JSON"
    """An object that may hold lists and objects."""


class Demand(StrEnum):
    """When FOCUS asks for a value."""

    ALWAYS = "always"
    FOR_USAGE = "for usage and purchases"
    OPTIONAL = "no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        demand: when FOCUS asks for a value.
        holds: what this product writes; empty: always null.
        unknown: why it is null, or null in some rows; empty: it never is.
        allowed: the only values that FOCUS allows; empty: any.
        needed_with: the column whose value makes one here necessary.
        only_with: the column without whose value there may be none here.
        since: the first version here that has it.
    """

    name: str
    data_type: DataType
    demand: Demand
    holds: str = ""
    unknown: str = ""
    allowed: tuple[str, ...] = ()
    needed_with: str = ""
    only_with: str = ""
    since: Version = Version.V1_2


_TEXT: Final = DataType.TEXT
_DECIMAL: Final = DataType.DECIMAL
_TIME: Final = DataType.TIME
_ALWAYS: Final = Demand.ALWAYS
_USAGE: Final = Demand.FOR_USAGE
_OPTIONAL: Final = Demand.OPTIONAL

_INVOICE: Final = "Only an invoice has it, and no scan reads invoices."
_PAYER: Final = "Which account pays is not read from AWS; `SubAccountId` is the account that holds the resource."
_CONTRACT: Final = "Negotiated prices and discounts are not read from AWS."
_COMMITMENT: Final = "Which commitment covers which hour is known to AWS's billing alone."
_RESERVATION: Final = "Which capacity reservation an hour ran in is known to AWS's billing alone."
_SKU: Final = "The price table that ships with the program keeps no ids of AWS's price list."
_PRICE: Final = "Null where no price is known, never zero; `x_PriceMissing` says why."
_ONE_CURRENCY: Final = "Prices and costs are in one currency: nothing is converted."
_CONSUMED: Final = "A scan sees what exists, not what was consumed on the day."
_SPLIT: Final = "No charge is split over what shares a resource."
_CONTRACTS: Final = "Contracts and what they commit to are not read from AWS."
_V1_3: Final = Version.V1_3
_KIND: Final = "Null for a kind of resource that the installed version does not know."

COLUMNS: Final = (
    Column(
        *("AllocatedMethodDetails", DataType.OBJECT, _OPTIONAL, "", _SPLIT), only_with="AllocatedMethodId", since=_V1_3
    ),
    Column("AllocatedMethodId", _TEXT, _OPTIONAL, "", _SPLIT, since=_V1_3),
    Column(
        *("AllocatedResourceId", _TEXT, _OPTIONAL, "", _SPLIT),
        needed_with="AllocatedMethodId",
        only_with="AllocatedMethodId",
        since=_V1_3,
    ),
    Column("AllocatedResourceName", _TEXT, _OPTIONAL, "", _SPLIT, only_with="AllocatedResourceId", since=_V1_3),
    Column("AllocatedTags", DataType.PAIRS, _OPTIONAL, "", _SPLIT, only_with="AllocatedMethodId", since=_V1_3),
    Column("AvailabilityZone", _TEXT, _OPTIONAL, "the zone, for kinds that live in one", "Null for all other kinds."),
    Column("BilledCost", _DECIMAL, _ALWAYS, "", _INVOICE),
    Column("BillingAccountId", _TEXT, _ALWAYS, "", _PAYER),
    Column("BillingAccountName", _TEXT, _OPTIONAL, "", _PAYER),
    Column("BillingAccountType", _TEXT, _OPTIONAL, "", _PAYER, needed_with="BillingAccountId"),
    Column("BillingCurrency", _TEXT, _ALWAYS, "the currency of the prices"),
    Column("BillingPeriodEnd", _TIME, _ALWAYS, "the first moment of the next month, UTC"),
    Column("BillingPeriodStart", _TIME, _ALWAYS, "the first moment of the month of the charge, UTC"),
    Column("CapacityReservationId", _TEXT, _OPTIONAL, "", _RESERVATION),
    Column(
        *("CapacityReservationStatus", _TEXT, _OPTIONAL, "", _RESERVATION, ("Used", "Unused")),
        needed_with="CapacityReservationId",
        only_with="CapacityReservationId",
    ),
    Column(
        *("ChargeCategory", _TEXT, _ALWAYS, "`Usage`", ""),
        allowed=("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    ),
    Column("ChargeClass", _TEXT, _OPTIONAL, "", "Nothing is a correction of an earlier charge.", ("Correction",)),
    Column("ChargeDescription", _TEXT, _OPTIONAL, "what is charged for which resource, in words"),
    Column(*("ChargeFrequency", _TEXT, _ALWAYS, "`Usage-Based`", ""), allowed=("One-Time", "Recurring", "Usage-Based")),
    Column("ChargePeriodEnd", _TIME, _ALWAYS, "the end of the day of the scan, UTC"),
    Column("ChargePeriodStart", _TIME, _ALWAYS, "the start of the day of the scan, UTC"),
    Column(
        *("CommitmentDiscountCategory", _TEXT, _OPTIONAL, "", _COMMITMENT, ("Spend", "Usage")),
        needed_with="CommitmentDiscountId",
        only_with="CommitmentDiscountId",
    ),
    Column("CommitmentDiscountId", _TEXT, _OPTIONAL, "", _COMMITMENT),
    Column("CommitmentDiscountName", _TEXT, _OPTIONAL, "", _COMMITMENT, only_with="CommitmentDiscountId"),
    Column("CommitmentDiscountQuantity", _DECIMAL, _OPTIONAL, "", _COMMITMENT, only_with="CommitmentDiscountId"),
    Column(
        *("CommitmentDiscountStatus", _TEXT, _OPTIONAL, "", _COMMITMENT, ("Used", "Unused")),
        only_with="CommitmentDiscountId",
    ),
    Column(
        *("CommitmentDiscountType", _TEXT, _OPTIONAL, "", _COMMITMENT),
        needed_with="CommitmentDiscountId",
        only_with="CommitmentDiscountId",
    ),
    Column(
        *("CommitmentDiscountUnit", _TEXT, _OPTIONAL, "", _COMMITMENT),
        needed_with="CommitmentDiscountQuantity",
        only_with="CommitmentDiscountQuantity",
    ),
    Column("ConsumedQuantity", _DECIMAL, _USAGE, "", _CONSUMED),
    Column(
        *("ConsumedUnit", _TEXT, _OPTIONAL, "", _CONSUMED),
        needed_with="ConsumedQuantity",
        only_with="ConsumedQuantity",
    ),
    Column("ContractApplied", DataType.OBJECT, _OPTIONAL, "", _CONTRACTS, since=_V1_3),
    Column("ContractedCost", _DECIMAL, _ALWAYS, "", _CONTRACT),
    Column("ContractedUnitPrice", _DECIMAL, _USAGE, "", _CONTRACT),
    Column("EffectiveCost", _DECIMAL, _ALWAYS, "", _COMMITMENT),
    Column("HostProviderName", _TEXT, _ALWAYS, "`AWS`", since=_V1_3),
    Column("InvoiceId", _TEXT, _OPTIONAL, "", _INVOICE),
    Column("InvoiceIssuerName", _TEXT, _ALWAYS, "", _INVOICE),
    Column("ListCost", _DECIMAL, _ALWAYS, "`ListUnitPrice` × `PricingQuantity`, not rounded", _PRICE),
    Column("ListUnitPrice", _DECIMAL, _USAGE, "AWS's public on-demand price", _PRICE),
    Column(
        *("PricingCategory", _TEXT, _USAGE, "", _COMMITMENT),
        allowed=("Standard", "Dynamic", "Committed", "Other"),
    ),
    Column("PricingCurrency", _TEXT, _OPTIONAL, "", _ONE_CURRENCY),
    Column("PricingCurrencyContractedUnitPrice", _DECIMAL, _OPTIONAL, "", _CONTRACT),
    Column("PricingCurrencyEffectiveCost", _DECIMAL, _OPTIONAL, "", _COMMITMENT),
    Column("PricingCurrencyListUnitPrice", _DECIMAL, _OPTIONAL, "", _ONE_CURRENCY),
    Column("PricingQuantity", _DECIMAL, _USAGE, "units of a whole day, to ten decimals", _PRICE),
    Column(
        *("PricingUnit", _TEXT, _OPTIONAL, "the unit of the price, such as `Hours` or `GB-Months`", _PRICE),
        needed_with="PricingQuantity",
        only_with="PricingQuantity",
    ),
    Column("ProviderName", _TEXT, _ALWAYS, "`AWS`"),
    Column("PublisherName", _TEXT, _ALWAYS, "`AWS`"),
    Column("RegionId", _TEXT, _OPTIONAL, "the region's code"),
    Column(
        *("RegionName", _TEXT, _OPTIONAL, "AWS's name of the region", "Null for a region newer than the program."),
        needed_with="RegionId",
        only_with="RegionId",
    ),
    Column("ResourceId", _TEXT, _OPTIONAL, "the ARN"),
    Column("ResourceName", _TEXT, _OPTIONAL, "the name", "Null where it has none."),
    Column("ResourceType", _TEXT, _OPTIONAL, "the kind, as in a policy", needed_with="ResourceId"),
    Column("ServiceCategory", _TEXT, _ALWAYS, "FOCUS's category of the service", "", tuple(CATEGORIES)),
    Column("ServiceName", _TEXT, _ALWAYS, "AWS's name of the service", _KIND),
    Column("ServiceProviderName", _TEXT, _ALWAYS, "`AWS`", since=_V1_3),
    Column("ServiceSubcategory", _TEXT, _ALWAYS, "FOCUS's subcategory of the service"),
    Column("SkuId", _TEXT, _USAGE, "", _SKU),
    Column("SkuMeter", _TEXT, _OPTIONAL, "", f"{_SKU} `x_Meter` says what is measured.", only_with="SkuId"),
    Column("SkuPriceDetails", DataType.PAIRS, _OPTIONAL, "", _SKU, only_with="SkuPriceId"),
    Column("SkuPriceId", _TEXT, _USAGE, "", _SKU),
    Column("SubAccountId", _TEXT, _OPTIONAL, "the account that holds the resource, 12 digits"),
    Column("SubAccountName", _TEXT, _OPTIONAL, "", "Names of accounts are not read from AWS."),
    Column("SubAccountType", _TEXT, _OPTIONAL, "`Account`", needed_with="SubAccountId", only_with="SubAccountId"),
    Column("Tags", DataType.PAIRS, _OPTIONAL, "all tags"),
)
"""In FOCUS's order, which is that of the alphabet."""

CUSTOM: Final = {
    "x_Estimated": "`true`: a figure of what exists × list prices, not of an invoice.",
    "x_Meter": "What is measured: `instance_hour`, `storage_gb_month` and so on, as `finops explain` shows it.",
    "x_PriceAsOf": "The date of the price.",
    "x_PriceMissing": "Why there is no price.",
    "x_PriceSource": "Where the price is from.",
    "x_ScanCompleted": "When the scan ended that saw the resource.",
    "x_State": "AWS's word for the resource's state.",
}
"""Our own columns, after those of FOCUS."""


def columns_of(version: Version) -> tuple[Column, ...]:
    """Return FOCUS's columns of a version, in its order."""
    return tuple(column for column in COLUMNS if column.since <= version)


def names_of(version: Version) -> tuple[str, ...]:
    """Return the names of all columns of an export: FOCUS's and ours."""
    return (*(column.name for column in columns_of(version)), *CUSTOM)


NAMES: Final = names_of(max(Version))
