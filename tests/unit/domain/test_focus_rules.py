"""The checker of FOCUS finds each kind of mistake, and none in a row that has none."""

from __future__ import annotations

import pytest

from finops.domain.focus.categories import CATEGORIES, subcategories
from finops.domain.focus.columns import COLUMNS, Demand, Version, columns_of, names_of
from finops.domain.focus.rules import RULES, check_header, check_row

INVOICED = {
    **dict.fromkeys((column.name for column in COLUMNS), ""),
    "BilledCost": "2.00",
    "BillingAccountId": "999988887777",
    "BillingAccountType": "Management",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-03-01T00:00:00Z",
    "BillingPeriodEnd": "2026-04-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeDescription": "hours of an instance",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodStart": "2026-03-10T00:00:00Z",
    "ChargePeriodEnd": "2026-03-11T00:00:00Z",
    "ConsumedQuantity": "24",
    "ConsumedUnit": "Hours",
    "ContractedCost": "2.16",
    "ContractedUnitPrice": "0.09",
    "EffectiveCost": "2",
    "HostProviderName": "AWS",
    "ServiceProviderName": "AWS",
    "InvoiceIssuerName": "Amazon Web Services EMEA SARL",
    "ListCost": "2.4",
    "ListUnitPrice": "0.1",
    "PricingCategory": "Standard",
    "PricingQuantity": "24",
    "PricingUnit": "Hours",
    "ProviderName": "AWS",
    "PublisherName": "AWS",
    "RegionId": "us-east-1",
    "RegionName": "US East (N. Virginia)",
    "ResourceId": "i-1",
    "ResourceType": "instance",
    "ServiceCategory": "Compute",
    "ServiceName": "Amazon Elastic Compute Cloud",
    "ServiceSubcategory": "Virtual Machines",
    "SkuId": "ABC",
    "SkuPriceId": "ABC.DEF",
    "SubAccountId": "111122223333",
    "SubAccountType": "Account",
    "Tags": '{"team": "web", "spot": true, "count": 3, "none": null}',
}
"""A row as an invoice could give it: no rule is broken."""


MISTAKES: list[tuple[dict[str, str], str, str]] = [
    ({"BilledCost": "2,00"}, "BilledCost", "type"),
    ({"BilledCost": "1E+3"}, "BilledCost", "type"),
    ({"BilledCost": "NaN"}, "BilledCost", "type"),
    ({"ListUnitPrice": "-0.1", "ListCost": "-2.4"}, "ListUnitPrice", "type"),
    ({"BillingCurrency": "US Dollar"}, "BillingCurrency", "type"),
    ({"ChargePeriodStart": "2026-03-10"}, "ChargePeriodStart", "type"),
    ({"ChargePeriodStart": "2026-13-10T00:00:00Z"}, "ChargePeriodStart", "type"),
    ({"ChargePeriodStart": "2026-03-10T00:00:00+01:00"}, "ChargePeriodStart", "type"),
    ({"Tags": "team=web"}, "Tags", "type"),
    ({"Tags": '["team"]'}, "Tags", "type"),
    ({"Tags": '{"team": {"name": "web"}}'}, "Tags", "type"),
    ({"ContractApplied": "[]"}, "ContractApplied", "type"),
    ({"AllocatedMethodId": "by-cpu"}, "AllocatedResourceId", "null"),
    ({"AllocatedResourceId": "pod-1"}, "AllocatedResourceId", "alone"),
    ({"PricingUnit": "hours"}, "PricingUnit", "type"),
    ({"ChargeCategory": "Refund"}, "ChargeCategory", "allowed"),
    ({"ChargeClass": "correction"}, "ChargeClass", "allowed"),
    ({"ServiceCategory": "Machines"}, "ServiceCategory", "allowed"),
    ({"ServiceSubcategory": "Block Storage"}, "ServiceSubcategory", "allowed"),
    ({"RegionName": ""}, "RegionName", "null"),
    ({"RegionId": ""}, "RegionName", "alone"),
    ({"SubAccountId": ""}, "SubAccountType", "alone"),
    ({"SkuId": "", "SkuMeter": "Compute Usage"}, "SkuMeter", "alone"),
    ({"ConsumedUnit": ""}, "ConsumedUnit", "null"),
    ({"CommitmentDiscountId": "sp-1"}, "CommitmentDiscountType", "null"),
    ({"ChargePeriodEnd": "2026-03-10T00:00:00Z"}, "ChargePeriodEnd", "period"),
    ({"BillingPeriodEnd": "2026-02-01T00:00:00Z"}, "BillingPeriodEnd", "period"),
    ({"ListCost": "2.41"}, "ListCost", "product"),
    ({"ContractedCost": "2.4"}, "ContractedCost", "product"),
]
"""What is changed in a good row, and where which rule then does not hold."""


def broken(**changes: str) -> set[tuple[str, str]]:
    return {(one.column, one.rule) for one in check_row({**INVOICED, **changes}, Version.V1_3)}


def test_a_row_that_keeps_all_rules_is_passed() -> None:
    assert broken() == set()


@pytest.mark.parametrize("column", [one.name for one in COLUMNS if one.demand is not Demand.OPTIONAL])
def test_a_usage_charge_must_not_leave_out_what_is_demanded(column: str) -> None:
    assert (column, "null") in broken(**{column: ""})


@pytest.mark.parametrize("column", [one.name for one in COLUMNS if one.demand is Demand.FOR_USAGE])
def test_a_tax_may_leave_out_prices_and_quantities(column: str) -> None:
    assert (column, "null") not in broken(ChargeCategory="Tax", **{column: ""})


def test_a_correction_may_leave_out_prices_and_its_sums_need_not_agree() -> None:
    assert broken(ChargeClass="Correction", ListUnitPrice="", ListCost="-5", ContractedCost="1") == set()


@pytest.mark.parametrize(("changes", "column", "rule"), MISTAKES)
def test_each_kind_of_mistake_is_found_where_it_is(changes: dict[str, str], column: str, rule: str) -> None:
    assert (column, rule) in broken(**changes)


def test_every_rule_of_rows_is_exercised_above() -> None:
    assert {rule for _, _, rule in MISTAKES} == set(RULES) - {"present", "name"}


def test_a_header_must_have_all_columns_and_mark_those_that_are_not_of_focus() -> None:
    names = names_of(Version.V1_2)
    assert list(check_header(names, Version.V1_2)) == []
    found = {(one.column, one.rule) for one in check_header({*names, "Team", "x_Team"} - {"Tags"}, Version.V1_2)}
    assert found == {("Tags", "present"), ("Team", "name")}


def test_a_column_of_a_later_version_is_foreign_in_an_earlier_one_and_missed_in_its_own() -> None:
    older, newer = names_of(Version.V1_2), names_of(Version.V1_3)
    later = {column.name for column in columns_of(Version.V1_3)} - {column.name for column in columns_of(Version.V1_2)}
    assert later == {
        *("AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName"),
        *("AllocatedTags", "ContractApplied", "HostProviderName", "ServiceProviderName"),
    }
    assert {(one.column, one.rule) for one in check_header(newer, Version.V1_2)} == {(one, "name") for one in later}
    assert {(one.column, one.rule) for one in check_header(older, Version.V1_3)} == {(one, "present") for one in later}
    row = {name: value for name, value in INVOICED.items() if name in older}
    assert list(check_row(row, Version.V1_2)) == []
    assert {one.column for one in check_row(row, Version.V1_3)} == {"HostProviderName", "ServiceProviderName"}


@pytest.mark.parametrize("version", Version)
def test_columns_are_in_the_order_of_the_alphabet(version: Version) -> None:
    names = [column.name for column in columns_of(version)]
    assert names == sorted(names)


def test_every_subcategory_belongs_to_one_category() -> None:
    every = [one for category in CATEGORIES for one in subcategories(category)]
    assert len(every) == len(set(every))
    assert subcategories("Machines") == ()
