"""The bundled price source: exact figures, derived operating systems, and silence where nothing is known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from finops.domain.price import Price, PriceQuery
from finops_operator.pricing.bundled import SOURCE, known_regions


def ec2(region: str, instance_type: str, os: str = "linux", **more: str) -> Price | None:
    attributes = {"instance_type": instance_type, "os": os, **more}
    return SOURCE.lookup(PriceQuery("ec2", region, "instance_hour", tuple(sorted(attributes.items()))))


def ebs(dimension: str, volume_type: str = "", region: str = "us-east-1") -> Price | None:
    attributes = (("volume_type", volume_type),) if volume_type else ()
    return SOURCE.lookup(PriceQuery("ebs", region, dimension, attributes))


def test_a_linux_price_carries_amount_unit_source_and_date() -> None:
    assert ec2("us-east-1", "t2.large") == Price(Decimal("0.0928"), "hour", "bundled", date(2026, 7, 20), "USD")


def test_each_region_answers_with_its_own_figure() -> None:
    ireland = ec2("eu-west-1", "t2.large")
    assert ireland is not None
    assert ireland.amount == Decimal("0.1008")


def test_an_operating_system_with_its_own_row_is_not_derived() -> None:
    price = ec2("us-east-1", "m5.xlarge", "rhel")
    assert price is not None
    assert (price.amount, price.source) == (Decimal("0.25"), "bundled")


def test_a_missing_operating_system_is_linux_plus_surcharge_with_the_older_date() -> None:
    price = ec2("us-east-1", "m5.xlarge", "windows")
    assert price is not None
    assert (price.amount, price.source, price.as_of) == (Decimal("0.376"), "derived", date(2026, 2, 17))


def test_bare_metal_is_not_the_higher_rate_that_some_tables_carry() -> None:
    price = ec2("us-east-1", "c6g.metal")
    assert price is not None
    assert price.amount == Decimal("2.176")


def test_no_system_is_derived_where_the_regions_seen_disagree() -> None:
    assert ec2("us-east-1", "c1.medium") is not None
    assert ec2("us-east-1", "c1.medium", "windows") is None


@pytest.mark.parametrize(
    ("region", "instance_type", "os"),
    [
        ("us-east-1", "m99.large", "linux"),
        ("us-east-1", "t2.large", "plan9"),
        ("mars-east-1", "t2.large", "linux"),
        ("cn-north-1", "t2.large", "linux"),
        ("../surcharges", "t2.large", "linux"),
        ("eu-central-2", "m99.large", "windows"),
    ],
)
def test_what_is_not_in_the_table_is_unknown(region: str, instance_type: str, os: str) -> None:
    assert ec2(region, instance_type, os) is None


def test_another_product_of_the_same_type_is_unknown() -> None:
    assert ec2("us-east-1", "t2.large", tenancy="dedicated") is None


@pytest.mark.parametrize(
    ("dimension", "volume_type", "amount", "unit"),
    [
        ("gb_month", "gp2", "0.1", "gb-month"),
        ("gb_month", "gp3", "0.08", "gb-month"),
        ("iops_month", "gp3", "0.005", "iops-month"),
        ("throughput_mibps_month", "gp3", "0.04", "mibps-month"),
        ("iops_month", "io2", "0.065", "iops-month"),
        ("iops_month_tier2", "io2", "0.0455", "iops-month"),
        ("iops_month_tier3", "io2", "0.03185", "iops-month"),
        ("snapshot_gb_month", "", "0.05", "gb-month"),
    ],
)
def test_volumes_and_snapshots_have_their_dimensions(dimension: str, volume_type: str, amount: str, unit: str) -> None:
    price = ebs(dimension, volume_type)
    assert price is not None
    assert (price.amount, price.unit) == (Decimal(amount), unit)


def test_tokyo_snapshots_cost_the_real_rate_not_the_under_billing_one() -> None:
    price = ebs("snapshot_gb_month", region="ap-northeast-1")
    assert price is not None
    assert price.amount == Decimal("0.05")


@pytest.mark.parametrize(
    ("dimension", "volume_type"),
    [("gb_month", "gp9"), ("gb_month", ""), ("read_month", "gp3"), ("snapshot_gb_month", "gp3"), ("iops_month", "gp2")],
)
def test_volume_questions_without_a_row_are_unknown(dimension: str, volume_type: str) -> None:
    assert ebs(dimension, volume_type) is None


def test_a_region_without_iops_prices_says_nothing_rather_than_a_neighbours_figure() -> None:
    assert ebs("gb_month", "gp3", "mx-central-1") is not None
    assert ebs("iops_month", "gp3", "mx-central-1") is None


def test_addresses_and_metric_queries_are_priced() -> None:
    address = SOURCE.lookup(PriceQuery("vpc", "eu-west-1", "public_ipv4_hour"))
    metrics = SOURCE.lookup(PriceQuery("cloudwatch", "us-east-1", "get_metric_data_metric"))
    assert address is not None
    assert metrics is not None
    assert (address.amount, address.unit) == (Decimal("0.005"), "hour")
    assert (metrics.amount, metrics.unit) == (Decimal("0.00001"), "metric")


def test_an_unknown_service_or_a_superfluous_attribute_is_unknown() -> None:
    assert SOURCE.lookup(PriceQuery("fax", "us-east-1", "gb_month")) is None
    assert SOURCE.lookup(PriceQuery("vpc", "us-east-1", "public_ipv4_hour", (("kind", "byoip"),))) is None


def product(service: str, dimension: str, region: str = "us-east-1", **attributes: str) -> tuple[Decimal, str] | None:
    price = SOURCE.lookup(PriceQuery(service, region, dimension, tuple(sorted(attributes.items()))))
    return None if price is None else (price.amount, price.unit)


@pytest.mark.parametrize(
    ("service", "dimension", "attributes", "amount", "unit"),
    [
        ("elb", "hour", {"type": "application"}, "0.0225", "hour"),
        (
            "rds",
            "instance_hour",
            {"class": "db.m5.large", "engine": "mysql", "deployment": "single-az"},
            "0.171",
            "hour",
        ),
        (
            "rds",
            "instance_hour",
            {"class": "db.m5.large", "engine": "mysql", "deployment": "multi-az"},
            "0.342",
            "hour",
        ),
        ("rds", "gb_month", {"volume_type": "gp2", "deployment": "single-az"}, "0.115", "gb-month"),
        ("lambda", "arm_gb_second_tier1", {}, "0.0000133334", "gb-second"),
        ("s3", "standard_first_50tb", {}, "0.023", "gb-month"),
        ("elasticache", "node_hour", {"node_type": "cache.t4g.micro", "engine": "redis"}, "0.016", "hour"),
        ("opensearch", "instance_hour", {"instance_type": "m5.large.search"}, "0.142", "hour"),
        ("redshift", "node_hour", {"node_type": "dc2.large"}, "0.25", "hour"),
        ("nat-gateway", "hour", {}, "0.045", "hour"),
        ("ec2-cpu-credits", "surplus_credit_vcpu_hour", {"family": "t3", "os": "linux"}, "0.05", "vcpu-hour"),
    ],
)
def test_each_service_is_asked_by_its_own_attributes(
    service: str, dimension: str, attributes: dict[str, str], amount: str, unit: str
) -> None:
    assert product(service, dimension, **attributes) == (Decimal(amount), unit)


def test_what_costs_the_same_everywhere_is_known_in_each_region_but_not_where_no_table_is() -> None:
    assert product("kms", "customer_key", "eu-north-1") == (Decimal(1), "key-month")
    assert product("kms", "customer_key", "cn-north-1") is None


def test_a_database_of_another_engine_or_deployment_is_another_product() -> None:
    assert product("rds", "instance_hour", **{"class": "db.m5.large", "engine": "mysql"}) is None
    assert (
        product("rds", "instance_hour", **{"class": "db.m5.large", "engine": "mysql8", "deployment": "single-az"})
        is None
    )


def test_every_commercial_and_government_region_is_known_and_china_is_not() -> None:
    assert len(known_regions()) == 36
    assert not any(region.startswith("cn-") for region in known_regions())


def test_the_prices_of_the_classic_sheet_are_those_of_the_tables_but_for_the_databases() -> None:
    """The sheet, to the cent: tests/integration/web/test_classic_api.py. Its database is another figure than AWS's."""

    def amount(service: str, dimension: str, **attributes: str) -> Decimal:
        price = SOURCE.lookup(PriceQuery(service, "us-east-1", dimension, tuple(sorted(attributes.items()))))
        assert price is not None
        return price.amount

    assert amount("ec2", "instance_hour", instance_type="t2.large", os="linux") * 720 == Decimal("66.816")
    assert amount("elb", "hour", type="application") * 720 == Decimal("16.2")
    assert amount("ebs", "gb_month", volume_type="gp3") * 90 == Decimal("7.2")
    # The sheet has 0.191 an hour, which no row of db.m5.large is: 137.52 there are 123.12 and 128.16 here.
    published = {
        engine: amount("rds", "instance_hour", engine=engine, deployment="single-az", **{"class": "db.m5.large"})
        for engine in ("mysql", "mariadb", "postgres")
    }
    assert published == {"mysql": Decimal("0.171"), "mariadb": Decimal("0.171"), "postgres": Decimal("0.178")}
