"""Offer files as AWS publishes them, with all that stands beside the one row that is meant: it is found, or none is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.published_offers import EC2, RDS, Row, instance, on_demand, published, reserved

from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.listed import rules
from finops_operator.pricing.offer_file import MalformedOffer, OfferFile, read_offer_file

TODAY = date(2026, 11, 30)
RULES = rules(load_kinds().values())

LINUX = instance("7W6DNQ55YG9FCPXZ", "m5.large", "0.0960000000")
WINDOWS_WORDS = {"operation": "RunInstances:0002", "Operating_System": "Windows"}
INSTANCES = [
    LINUX,
    *reserved(LINUX, "4NA7Y494T4", "1yr", "No Upfront", "0.0600000000"),
    *reserved(LINUX, "38NPMPTW36", "3yr", "Partial Upfront", "0.0210000000", "540"),
    *reserved(LINUX, "NQ3QZPMQV9", "3yr", "All Upfront", "0.0000000000", "1015"),
    instance("WINDOWS", "m5.large", "0.1880000000", **WINDOWS_WORDS),
    instance("WINBYOL", "m5.large", "0.0960000000", operation="RunInstances:0800", Operating_System="Windows",
             License_Model="Bring your own license"),
    instance("RHEL", "m5.large", "0.1248000000", operation="RunInstances:0010", Operating_System="RHEL"),
    instance("RHELHA", "m5.large", "0.1300000000", operation="RunInstances:1010",
             Operating_System="Red Hat Enterprise Linux with HA"),
    instance("SUSE", "m5.large", "0.1523000000", operation="RunInstances:000g", Operating_System="SUSE"),
    instance("SQLSTD", "m5.large", "0.6680000000", operation="RunInstances:0006", Operating_System="Windows",
             Installed="SQL Std"),
    instance("SQLLIN", "m5.large", "0.5760000000", operation="RunInstances:0004", Installed="SQL Std"),
    instance("UBUNTU", "m5.large", "0.0995000000", operation="RunInstances:0g00", Operating_System="Ubuntu Pro"),
    # Capacity reservations: what is allocated is free, what nobody uses is billed as if it ran.
    instance("ALLOCATED", "m5.large", "0.0000000000", usageType="Reservation:m5.large",
             CapacityStatus="AllocatedCapacityReservation"),
    instance("UNUSED", "m5.large", "0.0960000000", usageType="UnusedBox:m5.large",
             CapacityStatus="UnusedCapacityReservation"),
    instance("DEDICATED", "m5.large", "0.1020000000", usageType="DedicatedUsage:m5.large", Tenancy="Dedicated"),
    instance("DEDRES", "m5.large", "0.0000000000", usageType="DedicatedRes:m5.large", Tenancy="Dedicated",
             CapacityStatus="AllocatedCapacityReservation"),
    instance("UNUSEDDED", "m5.large", "0.1020000000", usageType="UnusedDed:m5.large", Tenancy="Dedicated",
             CapacityStatus="UnusedCapacityReservation"),
    instance("ONHOST", "m5.large", "0.0000000000", usageType="HostBoxUsage:m5.large", Tenancy="Host"),
    instance("HOST", "m5", "5.0690000000", usageType="HostUsage:m5", Tenancy="Host", Product_Family="Dedicated Host",
             CapacityStatus="AllocatedHost"),
    instance("METAL", "m5.metal", "4.6080000000", Product_Family="Compute Instance (bare metal)"),
]  # fmt: skip
GATEWAY = {"Product_Family": "NAT Gateway", "Group": "NGW:NatGateway"}
OTHERS = [
    on_demand("GP3", "0.0800000000", "GB-Mo", "EBS:VolumeUsage.gp3", Product_Family="Storage", Volume_API_Name="gp3",
              Volume_Type="General Purpose"),
    on_demand("MAGNETIC", "0.0500000000", "GB-Mo", "EBS:VolumeUsage", Product_Family="Storage",
              Volume_API_Name="standard", Volume_Type="Magnetic"),
    on_demand("IO1", "0.1250000000", "GB-Mo", "EBS:VolumeUsage.piops", Product_Family="Storage", Volume_API_Name="io1"),
    on_demand("IOPS", "0.0050000000", "IOPS-Mo", "EBS:VolumeP-IOPS.gp3", Product_Family="System Operation",
              Volume_API_Name="gp3", Group="EBS IOPS", Provisioned="Yes"),
    on_demand("MIBPS", "40.9600000000", "GiBps-mo", "EBS:VolumeP-Throughput.gp3", Volume_API_Name="gp3",
              Product_Family="Provisioned Throughput", Group="EBS Throughput"),
    on_demand("SNAP", "0.0500000000", "GB-Mo", "EBS:SnapshotUsage", Product_Family="Storage Snapshot"),
    on_demand("SNAPLOW", "0.0000000000", "GB-Mo", "EBS:SnapshotUsageUnderBilling", Product_Family="Storage Snapshot"),
    on_demand("SNAPOUT", "0.0800000000", "GB-Mo", "EBS:SnapshotUsage.outposts", Product_Family="Storage Snapshot"),
    on_demand("NAT", "0.0450000000", "Hrs", "NatGateway-Hours", operation="NatGateway", **GATEWAY),
    on_demand("REGIONAL", "0.0700000000", "Hrs", "NatGateway-Hours", operation="RegionalNatGateway", **GATEWAY),
    on_demand("NATGB", "0.0450000000", "GB", "NatGateway-Bytes", operation="NatGateway", **GATEWAY),
    on_demand("REGIONALGB", "0.0460000000", "GB", "NatGateway-Bytes", operation="RegionalNatGateway", **GATEWAY),
    on_demand("CREDIT", "0.0500000000", "vCPU-Hours", "CPUCredits:t3", Product_Family="CPU Credits",
              Operating_System="Linux", operation="T3CPUCredits"),
]  # fmt: skip
EXPECTED = {
    ("instance_hour", "linux", "m5.large"): "0.096",
    ("instance_hour", "windows", "m5.large"): "0.188",
    ("instance_hour", "rhel", "m5.large"): "0.1248",
    ("instance_hour", "suse", "m5.large"): "0.1523",
    ("instance_hour", "linux", "m5.metal"): "4.608",
    ("gb_month", "gp3"): "0.08",
    ("gb_month", "standard"): "0.05",
    ("gb_month", "io1"): "0.125",
    ("iops_month", "gp3"): "0.005",
    ("throughput_mibps_month", "gp3"): "0.04",
    ("snapshot_gb_month",): "0.05",
    ("hour",): "0.045",
    ("data_processed",): "0.045",
    ("surplus_credit_vcpu_hour", "t3", "linux"): "0.05",
}
WHOLE = [*INSTANCES, *OTHERS]


def read(text: str, code: str = "AmazonEC2") -> OfferFile:
    own = [rule for rule in RULES if rule.code == code]
    return read_offer_file(iter(text.splitlines(keepends=True)), code, "us-east-1", own, TODAY)


def found(text: str, code: str = "AmazonEC2") -> dict[tuple[str, ...], Decimal]:
    figures = read(text, code).figures
    return {(name, *(value for _, value in words)): one.amount for (_, name, words), one in figures.items()}


def numbers(words: dict[tuple[str, ...], str]) -> dict[tuple[str, ...], Decimal]:
    return {name: Decimal(amount) for name, amount in words.items()}


def test_beside_reserved_dedicated_unused_and_free_rows_exactly_the_one_that_is_meant_is_taken() -> None:
    file = read(published("AmazonEC2", WHOLE))
    assert found(published("AmazonEC2", WHOLE)) == numbers(EXPECTED)
    assert file.left_out == {}
    assert (file.rows, file.published) == (len(WHOLE), date(2026, 11, 20))


@given(st.permutations(WHOLE))
def test_the_order_of_rows_changes_nothing(rows: list[Row]) -> None:
    assert found(published("AmazonEC2", rows)) == numbers(EXPECTED)


@given(st.sampled_from(WHOLE), st.integers(0, len(WHOLE)))
def test_a_second_product_that_nothing_distinguishes_is_never_chosen_between(row: Row, place: int) -> None:
    twin = {**row, "SKU": "TWIN", "PricePerUnit": "99"}
    file = read(published("AmazonEC2", [*WHOLE[:place], twin, *WHOLE[place:]]))
    taken = {one.amount for one in file.figures.values()}
    assert Decimal(99) not in taken
    assert Decimal(99) / 1024 not in taken
    assert len(file.figures) + len(file.left_out) == len(EXPECTED)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_byte_order_mark_and_the_ends_of_lines_change_nothing(mark: str, ends: str) -> None:
    assert found(published("AmazonEC2", WHOLE, mark=mark, ends=ends)) == numbers(EXPECTED)


@pytest.mark.parametrize(
    "text",
    [
        published("AmazonEC2", WHOLE).partition("\n")[2],
        "\n" + published("AmazonEC2", WHOLE),
        published("AmazonEC2", WHOLE).replace('"Version","20261120170203"\n', ""),
        published("AmazonEC2", WHOLE, mark="\ufeff\ufeff"),
    ],
    ids=["without its first line", "after an empty line", "without its version", "two marks"],
)
def test_a_file_without_the_five_lines_that_say_what_it_is_is_refused(text: str) -> None:
    with pytest.raises(MalformedOffer, match="does not begin as one"):
        read(text)


@pytest.mark.parametrize("twice", ["Usage Type", "Tenancy", "Volume API-Name"])
def test_a_column_that_is_needed_and_stands_twice_refuses_the_file(twice: str) -> None:
    with pytest.raises(MalformedOffer, match=r"has the column [a-z]+ twice"):
        read(published("AmazonEC2", WHOLE, f"{EC2},{twice}"))


def test_a_column_that_nothing_needs_may_stand_twice() -> None:
    assert found(published("AmazonEC2", WHOLE, f"{EC2},Memory,memory")) == numbers(EXPECTED)


def test_a_product_whose_only_price_is_zero_has_none() -> None:
    free = instance("FREE", "m5.large", "0.0000000000")
    file = read(published("AmazonEC2", [free, instance("XLARGE", "m5.xlarge", "0.1920000000")]))
    assert list(file.left_out.values()) == ["FREE is free"]


def test_a_product_of_which_two_terms_are_in_force_has_none() -> None:
    other = {**LINUX, "OfferTermCode": "ANOTHERONE", "PricePerUnit": "0.09"}
    file = read(published("AmazonEC2", [LINUX, other, instance("XLARGE", "m5.xlarge", "0.1920000000")]))
    assert list(file.left_out.values()) == ["several terms in force for 7W6DNQ55YG9FCPXZ"]


def database(sku: str, amount: str, usage: str = "InstanceUsage:db.m5.large", **words: str) -> Row:
    known = {
        "Product_Family": "Database Instance",
        "serviceCode": "AmazonRDS",
        "Instance_Type": "db.m5.large",
        "Engine_Code": "14",
        "Database_Engine": "PostgreSQL",
        "License_Model": "No license required",
        "Deployment_Option": "Single-AZ",
        "operation": "CreateDBInstance:0014",
    }
    return on_demand(sku, amount, "Hrs", usage, **{**known, **words})


SQL_SERVER = {"Database_Engine": "SQL Server", "Database_Edition": "Standard", "License_Model": "License included"}


def databases() -> Iterable[Row]:
    single = database("PG", "0.1780000000")
    yield single
    yield from reserved(single, "4NA7Y494T4", "1yr", "Partial Upfront", "0.0600000000", "520")
    yield database("PGMULTI", "0.3560000000", "Multi-AZUsage:db.m5.large", Deployment_Option="Multi-AZ")
    yield database("PGCLUSTER", "0.5220000000", "Multi-AZClusterUsage:db.m5.large",
                   Deployment_Option="Multi-AZ (readable standbys)")  # fmt: skip
    yield database("OUTPOST", "0.1200000000", operation="CreateDBInstance:0214", Location_Type="AWS Outposts")
    yield database("SQLSE", "0.9770000000", operation="CreateDBInstance:0012", **SQL_SERVER)
    yield database("SQLCUSTOM", "1.1000000000", "RDSCustom:InstanceUsage:db.m5.large", Deployment_Model="Custom",
                   **SQL_SERVER)  # fmt: skip
    yield database("SQLBYOM", "0.5000000000", **{**SQL_SERVER, "License_Model": "Bring your own media"})
    yield database("AURORA", "0.2900000000", Database_Engine="Aurora PostgreSQL")
    yield database("AURORAIO", "0.3770000000", "InstanceUsageIOOptimized:db.m5.large",
                   Database_Engine="Aurora PostgreSQL", Storage="Aurora IO Optimization Mode")  # fmt: skip
    yield on_demand("EXTENDED", "0.1000000000", "vCPU-hour", "ExtendedSupport:Yr1-Yr2:PostgreSQL11",
                    Database_Engine="PostgreSQL", Extended_Support_Pricing_Year="Year 1, Year 2")  # fmt: skip
    disk = {"Product_Family": "Database Storage", "Database_Engine": "Any", "Deployment_Option": "Single-AZ"}
    yield on_demand("GP3", "0.1150000000", "GB-Mo", "RDS:GP3-Storage", **disk)
    yield on_demand("GP3M", "0.2300000000", "GB-Mo", "RDS:Multi-AZ-GP3-Storage",
                    **{**disk, "Deployment_Option": "Multi-AZ"})  # fmt: skip
    yield on_demand("GP3SQL", "0.2300000000", "GB-Mo", "RDS:Mirror-GP3-Storage",
                    **{**disk, "Deployment_Option": "Multi-AZ (SQL Server Mirror)"})  # fmt: skip


def test_databases_are_distinguished_from_outposts_custom_ones_and_own_licences() -> None:
    file = read(published("AmazonRDS", databases(), RDS), "AmazonRDS")
    of_rds = {
        (name, *(value for _, value in words)): one.amount
        for (service, name, words), one in file.figures.items()
        if service == "rds" and name in {"instance_hour", "gb_month"}
    }
    assert of_rds == numbers(
        {
            ("instance_hour", "postgres", "single-az", "db.m5.large"): "0.178",
            ("instance_hour", "postgres", "multi-az", "db.m5.large"): "0.356",
            ("instance_hour", "postgres", "multi-az-readable", "db.m5.large"): "0.522",
            ("instance_hour", "sqlserver-se", "single-az", "db.m5.large"): "0.977",
            ("instance_hour", "aurora-postgresql", "single-az", "db.m5.large"): "0.29",
            ("instance_hour", "aurora-postgresql-iopt", "single-az", "db.m5.large"): "0.377",
            ("gb_month", "gp3", "single-az"): "0.115",
            ("gb_month", "gp3", "multi-az"): "0.23",
        }
    )
    assert file.left_out == {}
