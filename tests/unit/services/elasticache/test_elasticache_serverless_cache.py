"""Serverless caches as collected: limits, tags, errors as gaps, and a cost that no table knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from tests.support.judging import Pages
from tests.unit.services.elasticache.caches import SERVERLESS, serverless

from finops.domain.canonical import Json
from finops.domain.price import Price, PriceQuery
from finops.domain.resource import Gap, Resource
from finops.domain.utilization import MonthlyUse, Utilization
from finops.errors import AwsDenied
from finops_operator.plugins.facts import facts_of
from finops_operator.services.elasticache.rules.serverless_offers import least_gb
from finops_operator.services.elasticache.serverless_cache import KIND, ServerlessCacheFacts

MODEL = botocore.session.get_session().get_service_model("elasticache")
LISTING, TAGS = "elasticache:DescribeServerlessCaches", "resourcegroupstaggingapi:GetResources"
ARN = "arn:aws:elasticache:us-east-1:111122223333:serverlesscache:sessions"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "ServerlessCacheName": "sessions",
        "ARN": ARN,
        "Status": "AVAILABLE",
        "CreateTime": "2026-01-01T00:00:00.000Z",
        "Engine": "valkey",
        "FullEngineVersion": "8.0",
        "CacheUsageLimits": {
            "DataStorage": {"Minimum": 1, "Maximum": 10, "Unit": "GB"},
            "ECPUPerSecond": {"Maximum": 9},
        },
        **changes,
    }


def reader(**answers: Any) -> Pages:
    tagged = [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]
    return Pages(
        {LISTING: [{"ServerlessCaches": [described()]}], TAGS: [{"ResourceTagMappingList": tagged}], **answers}
    )


def test_a_serverless_cache_carries_its_limits_and_its_tags() -> None:
    (one,) = KIND.listing.collect(reader(), "aws")
    assert isinstance(one, Resource)
    facts = facts_of(ServerlessCacheFacts, one)
    assert (one.id, one.arn, one.state, one.tags) == ("sessions", ARN, "available", {"team": "shop"})
    assert (facts.minimum_storage_gb, facts.maximum_storage_gb, facts.minimum_units_per_second) == (1, 10, None)
    assert described().keys() <= MODEL.shape_for("ServerlessCache").members.keys()


def test_one_that_is_being_deleted_is_left_out_and_a_refusal_is_a_gap() -> None:
    gone = reader(**{LISTING: [{"ServerlessCaches": [described(Status="deleting")]}]})
    assert list(KIND.listing.collect(gone, "aws")) == []
    denied = AwsDenied("no", operation=LISTING, code="AccessDenied")
    (gap,) = KIND.listing.collect(reader(**{LISTING: [denied]}), "aws")
    assert isinstance(gap, Gap)


def listed(query: PriceQuery) -> Price | None:
    amounts = {"serverless_gb_hour": ("0.084", "gb-hour"), "serverless_processing_unit": ("0.0000000023", "unit")}
    assert dict(query.attributes) == {"engine": "Valkey"}
    amount, unit = amounts[query.dimension]
    return Price(Decimal(amount), unit, "price-list", date(2026, 11, 29), sku="A1")


def uses(gigabytes: float, units: float) -> Utilization:
    stored, by_day = MonthlyUse(gigabytes * 2**30), MonthlyUse(units, 720.0)
    return Utilization("sessions", month={"bytesStoredByDay": stored, "processingUnitsByDay": by_day})


PRICED = replace(SERVERLESS, lookup=listed)


@pytest.mark.parametrize(
    ("attributes", "stored", "billed"),
    [
        ({"minimum_storage_gb": None}, 3.0, "3"),
        ({"minimum_storage_gb": None}, 0.0, "0.1"),
        ({"minimum_storage_gb": 2}, 0.5, "2"),
        ({"minimum_storage_gb": 2}, 5.0, "5"),
    ],
)
def test_its_data_is_billed_by_the_hour_and_at_least_what_is_billed_of_an_empty_one(
    attributes: dict[str, Json], stored: float, billed: str
) -> None:
    cost = PRICED.cost(serverless(engine="valkey", minimum_units_per_second=None, **attributes), uses(stored, 0))
    assert cost.unrounded_monthly == Decimal(billed) * Decimal("0.084") * 730
    assert cost.hourly == Decimal(billed) * Decimal("0.084")


def test_its_requests_are_billed_by_use_and_a_least_rate_makes_them_unknown() -> None:
    one = serverless(engine="valkey", minimum_storage_gb=1, minimum_units_per_second=None)
    cost = PRICED.cost(one, uses(1, 720_000_000_000))
    assert cost.monthly_by_use == Decimal("1679.00")  # 730,000 million at 0.0023
    least = serverless(engine="valkey", minimum_storage_gb=1, minimum_units_per_second=1000)
    assert PRICED.cost(least, uses(1, 1)).missing == (
        "processing_unit: in which hours its least rate was billed is not known",
    )


def test_what_is_billed_at_least_of_each_engine() -> None:
    assert [least_gb(engine, None) for engine in ("valkey", "redis", "memcached")] == [Decimal("0.1"), 1, 1]


def test_its_cost_is_unknown_and_never_zero_while_it_works() -> None:
    assert SERVERLESS.cost(serverless(engine="keydb")).missing == ("stored_gb_hour: its engine is not known",)
    cost = SERVERLESS.cost(serverless())
    assert (cost.monthly, len(cost.missing)) == (None, 2)
    assert KIND.billed_parts(serverless("creating")) == ()


def test_it_is_measured_by_the_dimension_of_serverless_caches_while_it_works() -> None:
    assert {spec.dimension for spec in KIND.metrics} == {"clusterId"}
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert not any(spec.applies(serverless("creating")) for spec in KIND.metrics)
