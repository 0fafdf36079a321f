"""Serverless caches as collected: limits, tags, errors as gaps, and a cost that no table knows."""

from __future__ import annotations

from typing import Any

import botocore.session
from tests.support.judging import Pages
from tests.unit.services.elasticache.caches import SERVERLESS, serverless

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.plugins.facts import facts_of
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


def test_its_cost_is_unknown_and_never_zero_while_it_works() -> None:
    cost = SERVERLESS.cost(serverless())
    assert (cost.monthly, len(cost.missing)) == (None, 2)
    assert KIND.billed_parts(serverless("creating")) == ()


def test_it_is_measured_by_the_dimension_of_serverless_caches_while_it_works() -> None:
    assert {spec.dimension for spec in KIND.metrics} == {"clusterId"}
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert not any(spec.applies(serverless("creating")) for spec in KIND.metrics)
