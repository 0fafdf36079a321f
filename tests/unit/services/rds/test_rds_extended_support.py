"""Extended support of databases: billed, not yet billed, unknown, and never left out of a cost that seems whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.facts import NOW
from tests.support.judging import Pages
from tests.unit.services.rds.clusters import CLUSTERS, cluster
from tests.unit.services.rds.databases import cost, database

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.errors import AwsDenied
from finops_operator.services.rds.instance import KIND
from finops_operator.services.rds.rules.extended_support import BILLED, MEMORY, NOT_YET, SupportReading
from finops_operator.services.rds.rules.lifecycles import ENROLLED, OPERATION


def lifecycle(end: str) -> dict[str, Any]:
    support = {"LifecycleSupportName": "open-source-rds-standard-support", "LifecycleSupportEndDate": end}
    return {"Engine": "mysql", "MajorEngineVersion": "5.7", "SupportedEngineLifecycles": [support]}


def old(**changes: Json) -> Resource:
    return database(**{"engine_version": "5.7.44", "engine_lifecycle_support": ENROLLED, **changes})


def missing(resource: Resource) -> tuple[str, ...]:
    return cost(resource).missing


def test_a_version_past_its_support_has_a_part_without_a_price_and_so_no_known_cost() -> None:
    priced = cost(old(extended_support=BILLED))
    assert priced.monthly is None
    assert priced.missing == ("extended_support_vcpu_hour: no price for extended support of mysql 5.7",)
    assert [one.dimension for one in priced.components] == ["instance_hour", "gb_month"]


def test_before_the_day_nothing_is_added() -> None:
    assert cost(old(extended_support=NOT_YET)).monthly == cost(database()).monthly != Decimal(0)


def test_where_the_day_is_not_known_the_cost_is_not_known_either() -> None:
    assert missing(old()) == ("extended_support_vcpu_hour: whether mysql 5.7 is in extended support is not known",)


@pytest.mark.parametrize(
    "changes",
    [{"engine_lifecycle_support": "open-source-rds-extended-support-disabled"}, {"engine": "oracle-se2"}],
)
def test_who_is_not_enrolled_or_has_no_lifecycle_pays_nothing_more(changes: dict[str, Json]) -> None:
    assert not any("extended" in one for one in missing(old(**changes)))


def test_a_stopped_database_and_a_member_of_a_cluster_have_no_part_of_their_own() -> None:
    assert missing(replace(old(), state="stopped")) == ()
    member = old(
        engine="aurora-mysql", engine_version="5.7.mysql_aurora.2.11", storage_type="aurora", db_cluster_id="c"
    )
    assert not any("extended" in one for one in missing(member))


def test_of_a_cluster_it_is_a_part_of_the_cluster_where_there_is_a_member() -> None:
    facts: dict[str, Json] = {"engine_version": "5.7.mysql_aurora.2.11", "engine_lifecycle_support": ENROLLED}
    with_it = CLUSTERS.cost(cluster(extended_support=BILLED, **facts)).missing
    assert "extended_support_vcpu_hour: no price for extended support of aurora-mysql 5.7" in with_it
    alone = CLUSTERS.cost(cluster(extended_support=BILLED, members=[], **facts)).missing
    assert not any("extended" in one for one in alone)


@pytest.mark.parametrize(("days", "word"), [(-1, BILLED), (0, NOT_YET), (1, NOT_YET)])
def test_the_day_of_the_scan_decides_and_the_last_day_of_support_is_free(days: int, word: str) -> None:
    ends = (NOW + timedelta(days=days)).date().isoformat()
    assert MEMORY.carry_over(old(standard_support_ends=ends), None, NOW).text("extended_support") == word


def test_without_a_day_the_word_of_an_earlier_scan_is_not_taken_over() -> None:
    assert MEMORY.applies(old())
    assert MEMORY.carry_over(old(), old(extended_support=NOT_YET), NOW).text("extended_support") == ""


def test_the_day_is_asked_once_and_only_for_what_is_enrolled() -> None:
    pages = Pages({OPERATION: [{"DBMajorEngineVersions": [lifecycle("2024-02-29T00:00:00Z")]}]})
    reading = SupportReading(pages)
    assert reading.ends("mysql", "5.7.44", "open-source-rds-extended-support-disabled") is None
    assert reading.ends("oracle-se2", "19", ENROLLED) is None
    assert pages.asked == []
    assert [reading.ends("mysql", "5.7.44", ENROLLED) for _ in range(2)] == ["2024-02-29"] * 2
    assert reading.ends("mysql", "8.0.36", ENROLLED) is None
    assert len(pages.asked) == 1


def test_a_refused_question_is_one_gap_and_the_listing_goes_on() -> None:
    one = {
        "DBInstanceIdentifier": "orders",
        "Engine": "mysql",
        "EngineVersion": "5.7.44",
        "EngineLifecycleSupport": ENROLLED,
        "DBInstanceStatus": "available",
    }
    denied = AwsDenied("no", operation=OPERATION, code="AccessDenied")
    pages = Pages(
        {"rds:DescribeDBInstances": [{"DBInstances": [one, {**one, "DBInstanceIdentifier": "b"}]}], OPERATION: denied}
    )
    found: Iterator[Any] = KIND.listing.collect(pages, "aws")
    first, second, gap = found
    assert [first.id, second.id, gap.operation] == ["orders", "b", "DescribeDBMajorEngineVersions"]
    assert first.text("standard_support_ends") == ""
