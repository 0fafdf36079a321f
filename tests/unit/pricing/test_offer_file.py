"""An offer file of AWS is read row by row: figures that are certain, and nothing of a file that is not one."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import pytest
from tests.support.offer_files import COLUMNS, instance, offer_text, price

from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.bundled import known_regions, selectors
from finops_operator.pricing.listed import rules, tabled
from finops_operator.pricing.offer_file import Amount, MalformedOffer, OfferFile, read_offer_file

TODAY = date(2026, 11, 30)
RULES = rules(load_kinds().values())
LINUX = ("ec2", "instance_hour", (("os", "linux"), ("instance_type", "m5.large")))


def read(rows: Sequence[Mapping[str, str]], code: str = "AmazonEC2", region: str = "us-east-1") -> OfferFile:
    return read_text(offer_text(code, rows), code, region)


def read_text(text: str, code: str = "AmazonEC2", region: str = "us-east-1") -> OfferFile:
    own = [rule for rule in RULES if rule.code == code]
    return read_offer_file(iter(text.splitlines(keepends=True)), code, region, own, TODAY)


def test_an_instance_is_priced_by_type_and_system_with_the_day_of_the_file() -> None:
    windows = instance("B", "m5.large", "0.188", operation="RunInstances:0002", Operating_System="Windows")
    found = read([instance("A", "m5.large", "0.0960000000"), windows])
    assert found.figures == {
        LINUX: Amount(Decimal("0.096"), "hour", "A"),
        ("ec2", "instance_hour", (("os", "windows"), ("instance_type", "m5.large"))): Amount(
            Decimal("0.188"), "hour", "B"
        ),
    }
    assert (found.published, found.version, found.rows) == (date(2026, 11, 20), "20261120170203", 2)


@pytest.mark.parametrize(
    "other",
    [
        {"Tenancy": "Dedicated"},
        {"CapacityStatus": "UnusedCapacityReservation"},
        {"TermType": "Reserved"},
        {"operation": "RunInstances:0800"},
        {"MarketOption": "CapacityBlock"},
        {"Region_Code": "us-east-1-bos-1"},
        {"usageType": "USE1-BOS1-BoxUsage:m5.large"},
        {"usageType": "LAX1-BoxUsage:m5.large", "Location_Type": "AWS Local Zone"},
        {"EffectiveDate": "2026-12-01"},
    ],
)
def test_another_product_term_or_place_is_not_taken_for_it(other: dict[str, str]) -> None:
    found = read([instance("A", "m5.large", "0.096"), instance("B", "m5.large", "0.5", **other)])
    assert found.figures[LINUX].amount == Decimal("0.096")
    assert found.left_out == {}


def test_a_product_of_a_local_zone_alone_has_no_price_in_the_region() -> None:
    zone = {"usageType": "LAX1-BoxUsage:c5.large", "Location_Type": "AWS Local Zone"}
    found = read([instance("A", "m5.large", "0.096"), instance("B", "c5.large", "0.5", **zone)])
    assert set(found.figures) == {LINUX}


def test_two_products_for_one_figure_are_left_out_and_named() -> None:
    rows = [instance("A", "m5.large", "0.096"), instance("B", "m5.large", "0.5"), instance("C", "m5.xlarge", "0.192")]
    found = read(rows)
    assert (list(found.left_out.items()), len(found.figures)) == ([(LINUX, "2 products (A, B)")], 1)


def test_a_price_of_zero_and_one_per_another_unit_are_left_out() -> None:
    odd = {**instance("B", "m5.xlarge", "1"), "Unit": "Quantity"}
    found = read([instance("A", "m5.large", "0"), odd, instance("C", "m6.large", "1")])
    assert sorted(found.left_out.values()) == ["A is free", "B is priced per quantity"]


def test_volumes_their_speed_snapshots_and_gateways_are_priced() -> None:
    rows = [
        price("A", "0.08", "GB-Mo", "EBS:VolumeUsage.gp3", Product_Family="Storage", Volume_API_Name="gp3"),
        price(
            "B", "0.005", "IOPS-Mo", "EBS:VolumeP-IOPS.gp3", Product_Family="System Operation", Volume_API_Name="gp3"
        ),
        price(
            *("C", "40.96", "GiBps-mo", "EBS:VolumeP-Throughput.gp3"),
            Product_Family="Provisioned Throughput",
            Volume_API_Name="gp3",
        ),
        price("D", "0.05", "GB-Mo", "EBS:SnapshotUsage", Product_Family="Storage Snapshot"),
        price("E", "0.045", "Hrs", "NatGateway-Hours", Product_Family="NAT Gateway", operation="NatGateway"),
    ]
    assert {figure[:2]: one.amount for figure, one in read(rows).figures.items()} == {
        ("ebs", "gb_month"): Decimal("0.08"),
        ("ebs", "iops_month"): Decimal("0.005"),
        ("ebs", "throughput_mibps_month"): Decimal("0.04"),
        ("ebs", "snapshot_gb_month"): Decimal("0.05"),
        ("nat-gateway", "hour"): Decimal("0.045"),
    }


def test_a_database_is_priced_by_engine_deployment_and_class() -> None:
    row = price(
        *("A", "0.342", "Hrs", "EU-Multi-AZUsage:db.m5.large"),
        Product_Family="Database Instance",
        Instance_Type="db.m5.large",
        Database_Engine="PostgreSQL",
        License_Model="No license required",
        Deployment_Option="Multi-AZ",
        Region_Code="eu-west-1",
    )
    product = (("engine", "postgres"), ("deployment", "multi-az"), ("class", "db.m5.large"))
    assert list(read([row], "AmazonRDS", "eu-west-1").figures) == [("rds", "instance_hour", product)]


def test_steps_of_a_price_that_falls_with_the_amount_are_figures_of_their_own() -> None:
    steps = (("0", "51200", "0.023"), ("51200", "512000", "0.022"), ("512000", "Inf", "0.021"))
    rows = [
        price(
            "A", amount, "GB-Mo", "TimedStorage-ByteHrs", Product_Family="Storage", StartingRange=begin, EndingRange=end
        )
        for begin, end, amount in steps
    ]
    found = read(rows, "AmazonS3").figures
    assert {figure[1]: one.amount for figure, one in found.items()} == {
        "standard_first_50tb": Decimal("0.023"),
        "standard_next_450tb": Decimal("0.022"),
        "standard_over_500tb": Decimal("0.021"),
    }


def test_what_a_kind_offers_is_found_by_the_part_of_the_usage_type_that_it_names() -> None:
    row = price("A", "0.12", "ACU-Hr", "Aurora:ServerlessV2Usage", Product_Family="ServerlessV2")
    found = read([{**row, "Database Engine": "Aurora MySQL"}, instance("B", "x", "1")], "AmazonRDS")
    assert list(found.figures) == [("rds", "capacity_unit_hour", (("database_engine", "Aurora MySQL"),))]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not begin as one"),
        ("<html>", "does not begin as one"),
        (offer_text("AmazonRDS", [instance("A", "m5.large", "1")]), "is one of AmazonRDS"),
        (offer_text("AmazonEC2", [instance("A", "m5.large", "1")], COLUMNS[:9]), "lacks the columns"),
        (offer_text("AmazonEC2", [instance("A", "m5.large", "1", Currency="CNY")]), "is in CNY, not in USD"),
        (offer_text("AmazonEC2", [instance("A", "m5.large", "much")]), "has a price that is no number"),
        (offer_text("AmazonEC2", [instance("A", "m5.large", "-1")]), "has the price -1"),
        (offer_text("AmazonEC2", [instance("A", "m5.large", "1", EffectiveDate="soon")]), "whose term begins 'soon'"),
        (offer_text("AmazonEC2", [instance("A", "m5.large", "1")])[:-30], "cannot be read|columns in row"),
        (offer_text("AmazonEC2", [instance("A", "m5.large", "1")]) + '"A","B"\n', "has 2 of 36 columns in row 2"),
        (offer_text("AmazonEC2", []), "has no figure of the tables in 0 rows"),
        (offer_text("AmazonEC2", [instance("A", "m5.large", "1", Region_Code="eu-west-1")]), "has no figure"),
    ],
)
def test_a_file_that_is_not_what_it_must_be_is_refused_as_a_whole(text: str, why: str) -> None:
    with pytest.raises(MalformedOffer, match=why):
        read_text(text)


def test_memory_does_not_grow_with_the_file() -> None:
    head, row = offer_text("AmazonEC2", []), offer_text("AmazonEC2", [instance("A", "m5.large", "1")]).splitlines()[-1]
    other = row.replace('"Shared"', '"Dedicated"')

    def lines(count: int) -> Iterator[str]:
        yield from head.splitlines(keepends=True)
        yield f"{row}\n"
        yield from (f"{other}\n" for _ in range(count))

    def peak(count: int) -> int:
        tracemalloc.start()
        found = read_offer_file(lines(count), "AmazonEC2", "us-east-1", RULES, TODAY)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.rows == count + 1
        return highest

    peak(10)
    assert peak(5_000) < peak(50) + 50_000


def test_every_rule_is_of_a_figure_that_the_bundled_tables_select_alike() -> None:
    known: dict[tuple[str, str], set[frozenset[str]]] = {}
    for region in known_regions():
        for figure, names in selectors(region).items():
            known.setdefault(figure, set()).add(frozenset(names))
    for rule in tabled(load_kinds().values()):
        assert frozenset(name for name, _ in rule.attributes) in known[rule.service, rule.dimension], rule


def test_the_figures_of_one_service_stand_in_one_offer_file() -> None:
    codes: dict[str, set[str]] = {}
    for rule in RULES:
        codes.setdefault(rule.service, set()).add(rule.code)
    assert {service: found for service, found in codes.items() if len(found) != 1} == {}
