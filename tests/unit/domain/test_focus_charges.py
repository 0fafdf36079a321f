"""What a scan knows becomes rows of FOCUS 1.2, and what it does not know is never made up."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.domain.focus.categories import UNNAMED, BilledAs, subcategories
from finops.domain.focus.charges import Charge, charges, unit_name
from finops.domain.focus.columns import COLUMNS, CUSTOM, NAMES, Version
from finops.domain.focus.regions import REGION_NAMES
from finops.domain.focus.rules import check_header, check_row
from finops.domain.price import BilledQuantity, Cost, Price, cost_from
from finops.domain.resource import Resource
from finops_operator.cli.printable import spreadsheet_cell
from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.bundled import known_regions

SCANNED = datetime(2026, 12, 31, 9, 30, 15, 250_000, tzinfo=UTC)
VOLUME = BilledAs("Amazon Elastic Block Store", "Storage", "Block Storage", "availability_zone")
RESOURCE = Resource(
    kind="ebs-volume",
    id="vol-1",
    arn="arn:aws:ec2:eu-central-1:111122223333:volume/vol-1",
    name="data",
    account="111122223333",
    region="eu-central-1",
    state="in-use",
    tags={"team": "web", "aws:createdBy": "x"},
    attributes={"availability_zone": "eu-central-1a"},
)


def price(amount: str, unit: str) -> Price:
    return Price(Decimal(amount), unit, "bundled", date(2026, 3, 1))


def cost(*parts: tuple[str, str, str, str], missing: Iterable[str] = (), hours: int = 730) -> Cost:
    """A cost of parts (dimension, quantity, price, unit)."""
    priced = [BilledQuantity(name, Decimal(quantity), price(amount, unit)) for name, quantity, amount, unit in parts]
    return cost_from(priced, missing, Decimal(hours))


def rows_of(a_cost: Cost, resource: Resource = RESOURCE, scanned: datetime = SCANNED) -> list[Charge]:
    return list(charges(resource, a_cost, VOLUME, scanned))


def test_a_part_that_is_priced_by_the_hour_costs_24_hours_a_day() -> None:
    (row,) = rows_of(cost(("instance_hour", "1", "0.0928", "hour")))

    assert (row["PricingQuantity"], row["PricingUnit"], row["ListUnitPrice"]) == ("24", "Hours", "0.0928")
    assert row["ListCost"] == "2.2272"


def test_a_part_that_is_priced_by_the_month_costs_24_of_its_730_hours() -> None:
    (row,) = rows_of(cost(("storage_gb_month", "100", "0.08", "gb-month")))

    assert (row["PricingUnit"], row["PricingQuantity"]) == ("GB-Months", "3.2876712329")
    assert row["ListCost"] is not None
    assert abs(Decimal(row["ListCost"]) - Decimal(8) * 24 / 730) < Decimal("1e-9")


def test_the_hours_that_a_policy_gives_a_month_do_not_change_what_a_day_costs() -> None:
    parts = (("instance_hour", "1", "0.0928", "hour"), ("storage_gb_month", "100", "0.08", "gb-month"))
    assert rows_of(cost(*parts, hours=672)) == rows_of(cost(*parts, hours=744))


def test_what_is_billed_by_use_costs_a_day_of_its_measured_average() -> None:
    part = BilledQuantity("request", Decimal(3_000_000), price("0.0000002", "request"), used_in_hours=Decimal(720))
    (row,) = rows_of(cost_from([part], (), Decimal(730)))

    assert (row["PricingQuantity"], row["PricingUnit"], row["ListCost"]) == ("100000", "Requests", "0.02")


def test_a_part_without_a_price_has_a_row_without_a_cost_and_says_why() -> None:
    known, unknown = rows_of(
        cost(("storage_gb_month", "10", "0.08", "gb-month"), missing=["iops_month: no price for io9"])
    )

    assert known["ListCost"] is not None
    assert (unknown["ListCost"], unknown["ListUnitPrice"], unknown["PricingQuantity"]) == (None, None, None)
    assert (unknown["x_Meter"], unknown["x_PriceMissing"]) == ("iops_month", "iops_month: no price for io9")


def test_what_costs_nothing_has_no_row() -> None:
    assert rows_of(cost()) == []


def test_a_charge_belongs_to_the_day_and_the_month_of_the_scan_in_utc() -> None:
    ahead = SCANNED.replace(day=1, month=1, hour=2, tzinfo=timezone(timedelta(hours=5)), microsecond=0)
    (row,) = rows_of(cost(("instance_hour", "1", "1", "hour")), scanned=ahead)

    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == ("2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z")
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_ends_where_the_next_one_begins(month: int) -> None:
    (row,) = rows_of(cost(("instance_hour", "1", "1", "hour")), scanned=datetime(2024, month, 28, tzinfo=UTC))
    year, following = divmod(2024 * 12 + month, 12)
    assert row["BillingPeriodEnd"] == f"{year}-{following + 1:02}-01T00:00:00Z"


def test_a_row_says_where_and_what_the_resource_is() -> None:
    (row,) = rows_of(cost(("storage_gb_month", "10", "0.08", "gb-month")))

    assert row["ResourceId"] == RESOURCE.arn
    assert (row["ResourceName"], row["ResourceType"], row["SubAccountId"]) == ("data", "ebs-volume", "111122223333")
    assert (row["RegionId"], row["RegionName"]) == ("eu-central-1", "Europe (Frankfurt)")
    assert row["AvailabilityZone"] == "eu-central-1a"
    assert json.loads(row["Tags"] or "") == RESOURCE.tags
    assert row["x_ScanCompleted"] == "2026-12-31T09:30:15Z"


def test_tags_of_strangers_stay_json_when_they_are_made_harmless() -> None:
    strange = replace(RESOURCE, tags={"=cmd()": "\x9b2J\n\u202e", "Größe": '"'})
    (row,) = rows_of(cost(("storage_gb_month", "10", "0.08", "gb-month")), strange)
    assert json.loads(spreadsheet_cell(row["Tags"] or "")) == strange.tags


def test_every_row_has_every_column_in_the_order_of_the_header() -> None:
    for row in rows_of(cost(("a_month", "1", "1", "gb-month"), missing=["b"])):
        assert tuple(row) == NAMES
    assert list(check_header(NAMES, Version.V1_3)) == []


def test_columns_that_are_declared_always_null_are_null_and_the_others_have_a_value() -> None:
    (row,) = rows_of(cost(("storage_gb_month", "10", "0.08", "gb-month")))

    assert {column.name for column in COLUMNS if row[column.name] is None} == {
        column.name for column in COLUMNS if not column.holds
    }
    assert {name for name in CUSTOM if row[name] is None} == {"x_PriceMissing"}


def test_every_column_that_is_ever_null_gives_a_reason() -> None:
    assert [column.name for column in COLUMNS if not column.holds and not column.unknown] == []


def test_billed_and_effective_cost_are_never_guessed_from_list_prices() -> None:
    (row,) = rows_of(cost(("instance_hour", "1", "1", "hour")))
    assert (row["BilledCost"], row["EffectiveCost"], row["ContractedCost"]) == (None, None, None)


words = st.text(max_size=30)
amounts = st.decimals(min_value=0, max_value=100_000, places=10, allow_nan=False, allow_infinity=False)


@given(
    name=words,
    tags=st.dictionaries(words, words, max_size=5),
    quantity=amounts,
    amount=amounts,
    unit=st.sampled_from(("hour", "gb-month", "gb", "iops-month", "mibps-month", "request", "request-unit")),
    used=st.none() | st.integers(1, 744).map(Decimal),
    missing=st.lists(words, max_size=2),
)
def test_the_only_rules_a_row_breaks_are_the_missing_values_that_are_announced(
    name: str,
    tags: dict[str, str],
    quantity: Decimal,
    amount: Decimal,
    unit: str,
    used: Decimal | None,
    missing: list[str],
) -> None:
    part = BilledQuantity("part", quantity, price(f"{amount:f}", unit), used)
    announced = {column.name for column in COLUMNS if column.unknown}
    for row in rows_of(cost_from([part], missing, Decimal(730)), replace(RESOURCE, name=name, tags=tags)):
        broken = list(check_row(row, Version.V1_3))
        assert {one.rule for one in broken} == {"null"}
        assert {one.column for one in broken} <= announced


@pytest.mark.parametrize("kind", load_kinds().values(), ids=lambda kind: kind.id)
def test_a_kind_names_its_service_and_a_category_that_focus_has(kind: object) -> None:
    billed_as = getattr(kind, "billed_as")  # noqa: B009 - kinds are generic
    assert billed_as != UNNAMED
    assert billed_as.service
    assert billed_as.subcategory in subcategories(billed_as.category)


def test_a_service_has_one_category_and_one_subcategory_whichever_kind_is_billed_as_it() -> None:
    """FOCUS 1.2, ServiceName-C-005-C and ServiceName-C-008-C."""
    purposes: dict[str, set[tuple[str, str]]] = {}
    for kind in load_kinds().values():
        billed = kind.billed_as
        purposes.setdefault(billed.service, set()).add((billed.category, billed.subcategory))
    assert {service: found for service, found in purposes.items() if len(found) > 1} == {}


def test_a_zone_is_a_fact_of_the_kind_that_names_one() -> None:
    for kind in load_kinds().values():
        fact = kind.billed_as.zone_fact
        assert not fact or fact in kind.facts.__dataclass_fields__


def test_regions_have_the_names_that_the_sdk_gives_them() -> None:
    session = boto3.Session()
    known = {
        region: name
        for partition in session.get_available_partitions()
        for region, name in _names(session, partition).items()
    }
    assert {region: name for region, name in REGION_NAMES.items() if known.get(region) != name} == {}
    assert known_regions() <= REGION_NAMES.keys()


def _names(session: boto3.Session, partition: str) -> dict[str, str]:
    data = session._session.get_component("data_loader").load_data("endpoints")
    (found,) = (one for one in data["partitions"] if one["partition"] == partition)
    return {region: facts["description"] for region, facts in found["regions"].items()}


@pytest.mark.parametrize(
    ("unit", "spelt"),
    [
        ("hour", "Hours"),
        ("gb-month", "GB-Months"),
        ("gb", "GB"),
        ("request-unit", "Request-Units"),
        ("mibps-month", "MiBps-Months"),
    ],
)
def test_units_are_spelt_as_focus_spells_them(unit: str, spelt: str) -> None:
    assert unit_name(unit) == spelt
