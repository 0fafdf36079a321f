"""What is billed for a database in each state, engine, licence and deployment, and what must be called unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from tests.unit.services.rds.databases import cost, database

from finops.domain.canonical import Json
from finops.domain.price import Cost, Price, PriceQuery
from finops.domain.resource import Resource
from finops.domain.utilization import MonthlyUse, Utilization
from finops_operator.pricing.bundled import SOURCE
from finops_operator.pricing.offers import offer_of
from finops_operator.scan.price import cost_of
from finops_operator.services.rds.instance import KIND, database_facts, fixed_hour_query, instance_hours
from finops_operator.services.rds.rules.engines import priced_engine
from finops_operator.services.rds.rules.states import NOT_BILLED, STORAGE_ONLY, WORKING

_BY_USE = "serverless capacity is billed by use"


def parts(**attributes: Json) -> dict[str, Decimal]:
    """Return dimension → quantity of what has a question to the price tables."""
    return {one.dimension: one.quantity for one in KIND.billed_parts(database(**attributes)) if one.query}


def test_a_running_database_costs_its_hours_and_its_gigabytes() -> None:
    # 0.171 × 730 = 124.83, and 0.115 × 100 = 11.50
    assert cost(database()).monthly == Decimal("136.33")


def test_in_two_zones_hours_and_gigabytes_have_the_prices_of_two_zones() -> None:
    both = cost(database(multi_az=True))
    assert [(one.dimension, one.price.amount) for one in both.components] == [
        ("instance_hour", Decimal("0.342")),
        ("gb_month", Decimal("0.23")),
    ]
    assert both.monthly == Decimal("272.66")


@pytest.mark.parametrize(("state", "hours"), [("available", 730), ("stopped", 0)])
def test_a_publicly_accessible_database_has_an_address_while_it_works(state: str, hours: int) -> None:
    """Whether one that is stopped keeps it AWS does not say: it is no part of what a deletion would save."""
    private, public = (cost(database(state, publicly_accessible=one)).unrounded_monthly for one in (False, True))
    assert private is not None
    assert public == private + hours * Decimal("0.005")


def test_whether_a_database_has_an_address_is_unknown_where_aws_did_not_say() -> None:
    assert cost(database(publicly_accessible=None)).missing == (
        "public_ipv4_hour: whether it has a public address is not known",
    )


def test_a_stopped_database_costs_its_storage_alone() -> None:
    assert cost(database("stopped")).monthly == Decimal("11.50")


@pytest.mark.parametrize("state", sorted(NOT_BILLED))
def test_what_aws_does_not_bill_costs_nothing(state: str) -> None:
    assert KIND.billed_parts(database(state)) == ()


def test_no_state_is_billed_in_two_ways_and_an_unheard_of_one_is_unknown() -> None:
    assert not WORKING & STORAGE_ONLY
    assert not NOT_BILLED & (WORKING | STORAGE_ONLY)
    unknown = cost(database("levitating"))
    assert (unknown.monthly, unknown.missing) == (
        None,
        ("instance_hour: what AWS bills in the state levitating is not known",),
    )


@pytest.mark.parametrize(
    ("engine", "licence", "tables"),
    [
        ("mysql", "general-public-license", "mysql"),
        ("mariadb", "general-public-license", "mariadb"),
        ("postgres", "postgresql-license", "postgres"),
        ("oracle-ee", "bring-your-own-license", "oracle-ee-byol"),
        ("oracle-se2", "license-included", "oracle-se2"),
        ("oracle-se2-cdb", "bring-your-own-license", "oracle-se2-byol"),
        ("sqlserver-se", "license-included", "sqlserver-se"),
        ("sqlserver-web", "license-included", "sqlserver-web"),
        ("aurora", "general-public-license", "aurora-mysql"),
        ("aurora-postgresql", "postgresql-license", "aurora-postgresql"),
    ],
)
def test_an_engine_with_its_licence_has_its_name_in_the_tables_and_prices_there(
    engine: str, licence: str, tables: str
) -> None:
    assert priced_engine(engine, licence, "gp2").engine == tables
    running = database("available", "eu-west-1", engine=engine, license_model=licence, db_instance_class="db.r5.xlarge")
    (hours,) = [one for one in KIND.billed_parts(running) if one.dimension == "instance_hour"]
    assert hours.query is not None
    assert SOURCE.lookup(hours.query) is not None


@pytest.mark.parametrize(
    ("engine", "licence", "reason"),
    [
        ("oracle-se2", "", "its licence model is not known"),
        ("sqlserver-ee", "bring-your-own-media", "no price for sqlserver-ee with licence model bring-your-own-media"),
        ("custom-oracle-ee", "bring-your-own-license", "no price for engine custom-oracle-ee"),
        ("db2-se", "bring-your-own-license", "no price for engine db2-se"),
        ("docdb", "", "no price for Amazon DocumentDB"),
        ("neptune", "", "no price for Amazon Neptune"),
        ("", "", "its engine is not known"),
    ],
)
def test_an_engine_that_the_tables_lack_is_unknown_and_never_priced_as_another(
    engine: str, licence: str, reason: str
) -> None:
    unknown = cost(database(engine=engine, license_model=licence))
    assert unknown.monthly is None
    assert f"instance_hour: {reason}" in unknown.missing


def test_an_aurora_member_costs_its_hours_and_its_storage_is_the_clusters() -> None:
    member: dict[str, Json] = {
        "engine": "aurora-mysql",
        "db_cluster_id": "c",
        "db_instance_class": "db.r5.large",
        "multi_az": True,
    }
    assert cost(database(**member, storage_type="aurora")).monthly == Decimal("211.70")  # 0.29 × 730
    assert cost(database(**member, storage_type="aurora-iopt1")).monthly == Decimal("275.21")  # 0.377 × 730
    assert cost(database("stopped", **member)).monthly == Decimal("0.00")


def test_a_member_of_a_multi_az_cluster_is_billed_with_its_cluster_and_its_hours_are_never_those_of_one_zone() -> None:
    member = database(db_cluster_id="c")
    assert cost(member).monthly == Decimal("0.00")
    assert instance_hours("us-east-1", database_facts(member)).reason_unknown == "its hours are billed with its cluster"


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"db_instance_class": "db.serverless"}, f"instance_hour: {_BY_USE}"),
        (
            {"db_instance_class": "db.serverless", "engine": "aurora-mysql", "storage_type": None},
            f"capacity_unit_hour: {_BY_USE}, and whether its storage is optimized for requests is not known",
        ),
        ({"backup_target": "outposts"}, "no price for Outposts"),
        ({"multi_az": None}, "whether it stands in several zones is not known"),
        ({"db_instance_class": None}, "its class is not known"),
        ({"allocated_storage_gb": None}, "its size is not known"),
        ({"storage_type": None}, "its type is not known"),
        ({"storage_type": "standard"}, "requests to magnetic storage are billed by use"),
        ({"storage_type": "io1"}, "its IOPS are not known"),
        ({"additional_volumes": 1}, "the price of its additional storage volumes is not known"),
        ({"dedicated_log_volume": True}, "the price of its dedicated log volume is not known"),
    ],
)
def test_one_thing_that_is_not_known_makes_the_cost_unknown(changes: dict[str, Json], missing: str) -> None:
    unknown = cost(database(**changes))
    assert unknown.monthly is None
    # A reason that names its part is the whole of it.
    assert any(text == missing or text.partition(": ")[2] == missing for text in unknown.missing)


def serverless(**changes: Json) -> Resource:
    member: dict[str, Json] = {
        "engine": "aurora-postgresql",
        "db_cluster_id": "c",
        "db_instance_class": "db.serverless",
    }
    return database(**{**member, "storage_type": "aurora", "multi_az": False, **changes})


def by_capacity(unit_hours: float | None, *, priced: bool = True, **changes: Json) -> Cost:
    """Return the cost of a serverless instance that had so many hours of capacity units in 30 days."""

    def listed(query: PriceQuery) -> Price | None:
        amounts = {"capacity_unit_hour": "0.12", "ioopt_capacity_unit_hour": "0.16"}
        if query.dimension not in amounts or not priced:
            return SOURCE.lookup(query)
        assert query.attributes == (("database_engine", "Aurora PostgreSQL"),)
        return Price(Decimal(amounts[query.dimension]), "acu-hour", "price-list", date(2026, 11, 29))

    use = {} if unit_hours is None else {"capacityUnits": MonthlyUse(unit_hours, 720.0)}
    return cost_of(serverless(**changes), KIND.billed_parts, listed, Decimal(730), Utilization("db", month=use))


def test_a_serverless_instance_costs_the_hours_of_the_capacity_units_that_it_had() -> None:
    # 2 units on average, so 2 × 730 hours.
    assert by_capacity(2 * 720).monthly == Decimal("175.20")
    assert by_capacity(2 * 720, storage_type="aurora-iopt1").monthly == Decimal("233.60")
    assert by_capacity(0).monthly == Decimal("0.00")  # It was paused all month.


def test_a_serverless_instance_on_outposts_has_no_price_as_any_other_there() -> None:
    on_outposts = serverless(backup_target="outposts")
    assert instance_hours("us-east-1", database_facts(on_outposts)).reason_unknown == "no price for Outposts"


@pytest.mark.parametrize("storage", ["aurora", "aurora-iopt1"])
def test_an_hour_of_a_serverless_instance_has_no_fixed_price(storage: str) -> None:
    facts = database_facts(serverless(storage_type=storage))
    assert fixed_hour_query("us-east-1", facts) == "serverless capacity is billed by use"


def test_an_hour_has_the_price_of_its_class_or_says_why_it_has_none() -> None:
    facts = database_facts(database())
    assert fixed_hour_query("us-east-1", facts) == instance_hours("us-east-1", facts).query
    assert fixed_hour_query("us-east-1", replace(facts, db_instance_class=None)) == "its class is not known"


def test_capacity_that_was_not_measured_or_has_no_price_is_unknown() -> None:
    assert by_capacity(None).missing == (
        "capacity_unit_hour: capacityUnits of the last 30 days is unknown (not measured)",
    )
    assert by_capacity(720, priced=False).missing == ("capacity_unit_hour: no price for serverless capacity",)
    assert by_capacity(720, storage_type=None).monthly is None


@pytest.mark.parametrize(
    ("engine", "listed"), [("aurora-mysql", "Aurora MySQL"), ("aurora-postgresql", "Aurora PostgreSQL")]
)
def test_the_price_of_a_capacity_unit_is_that_of_its_engine_and_storage(engine: str, listed: str) -> None:
    for storage, usage in (("aurora", "ServerlessV2Usage"), ("aurora-iopt1", "ServerlessV2IOOptimizedUsage")):
        (part,) = (one for one in KIND.billed_parts(serverless(engine=engine, storage_type=storage)) if one.metric)
        assert part.query is not None
        offer = offer_of(part.query, KIND.offers)
        assert offer is not None
        assert ("databaseEngine", listed) in offer.filters
        assert offer.is_of(f"EU-Aurora:{usage}")
        assert not offer.is_of("Aurora:ServerlessUsage")  # Aurora Serverless v1 is another product.


def test_the_capacity_of_serverless_instances_alone_is_measured() -> None:
    (spec,) = (one for one in KIND.metrics if one.name == "capacityUnits")
    assert spec.applies(serverless())
    assert not spec.applies(serverless(db_instance_class="db.r5.large"))
    assert not spec.applies(database())
    assert not spec.applies(replace(serverless(), state="stopped"))


def test_a_price_that_the_region_lacks_is_not_taken_from_another() -> None:
    storage: dict[str, Json] = {"storage_type": "io1", "storage_iops": 1000}
    assert cost(database("available", "eu-west-1", **storage)).monthly is not None
    assert cost(database("available", "us-east-1", **storage)).missing == (
        "iops_month: no price for io1, single-az in us-east-1",
    )


def test_provisioned_iops_are_billed_all_of_them() -> None:
    assert parts(storage_type="io1", storage_iops=1000) == {
        "instance_hour": Decimal(1),
        "gb_month": Decimal(100),
        "iops_month": Decimal(1000),
    }


@pytest.mark.parametrize(
    ("engine", "size", "iops", "throughput", "above"),
    [
        ("mysql", 399, None, None, {}),
        ("mysql", 400, 12000, 500, {}),
        ("postgres", 400, 12001, 501, {"iops_month": 1, "throughput_mibps_month": 1}),
        ("oracle-se2", 199, 3000, 125, {}),
        ("oracle-se2", 200, 12500, 500, {"iops_month": 500}),
        ("sqlserver-se", 1000, 12000, 500, {"iops_month": 9000, "throughput_mibps_month": 375}),
    ],
)
def test_third_generation_storage_is_billed_above_what_engine_and_size_include(
    engine: str, size: int, iops: int | None, throughput: int | None, above: dict[str, int]
) -> None:
    billed = parts(
        engine=engine,
        license_model="license-included",
        storage_type="gp3",
        allocated_storage_gb=size,
        storage_iops=iops,
        storage_throughput=throughput,
    )
    assert billed == {"instance_hour": 1, "gb_month": size, **above}


def test_performance_of_striped_storage_that_aws_did_not_say_is_unknown() -> None:
    assert cost(database(storage_type="gp3", allocated_storage_gb=400)).missing == (
        "iops_month: its IOPS are not known",
        "throughput_mibps_month: its throughput is not known",
    )


def test_a_tenfold_price_list_makes_the_cost_tenfold() -> None:
    def tenfold(query: PriceQuery) -> Price | None:
        price = SOURCE.lookup(query)
        return None if price is None else replace(price, amount=price.amount * 10)

    assert cost(database(), lookup=tenfold).monthly == Decimal("1363.30")


def test_the_price_of_a_class_is_found_by_class_engine_and_deployment() -> None:
    (product,) = KIND.products
    (query,) = product.queries("us-east-1", "db.m5.large", {"--engine": "postgres", "--deployment": "multi-az"})
    price = SOURCE.lookup(query)
    assert price is not None
    assert price.amount == Decimal("0.356")
