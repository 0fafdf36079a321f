"""Caches as collected and priced: nodes with their groups, tags of both, errors as gaps, extended support."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.elasticache.caches import ARN, CACHES, cache

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.elasticache.cluster import KIND, cache_facts
from finops_operator.services.elasticache.rules.node_types import GRAVITON, PREVIOUS, SUCCESSORS, smaller, version
from finops_operator.services.elasticache.rules.use import COMMANDS

MODEL = botocore.session.get_session().get_service_model("elasticache")
LISTING, GROUPS = "elasticache:DescribeCacheClusters", "elasticache:DescribeReplicationGroups"
TAGS = "resourcegroupstaggingapi:GetResources"
GROUP_ARN = "arn:aws:elasticache:us-east-1:111122223333:replicationgroup:sessions-group"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "CacheClusterId": "sessions",
        "ARN": ARN,
        "CacheClusterStatus": "available",
        "CacheClusterCreateTime": "2026-01-01T00:00:00.000Z",
        "CacheNodeType": "cache.r6g.large",
        "Engine": "redis",
        "EngineVersion": "7.1.0",
        "NumCacheNodes": 1,
        "PreferredAvailabilityZone": "us-east-1a",
        "ReplicationGroupId": "sessions-group",
        "SnapshotRetentionLimit": 1,
        "PendingModifiedValues": {},
        **changes,
    }


GROUP: dict[str, Any] = {
    "ReplicationGroupId": "sessions-group",
    "MemberClusters": ["sessions"],
    "GlobalReplicationGroupInfo": {"GlobalReplicationGroupId": "world", "GlobalReplicationGroupMemberRole": "PRIMARY"},
    "NodeGroups": [
        {
            "NodeGroupMembers": [
                {"CacheClusterId": "sessions", "CurrentRole": "primary"},
            ]
        }
    ],
}


def tagging(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    said = {
        "elasticache:cluster": (ARN, {"team": "shop"}),
        "elasticache:replicationgroup": (GROUP_ARN, {"team": "platform", "keep": "yes"}),
    }
    arn, tags = said[parameters["ResourceTypeFilters"][0]]
    named = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": named}]}]


def reader(*clusters: dict[str, Any], **answers: Any) -> Pages:
    return Pages(
        {
            LISTING: [{"CacheClusters": list(clusters)}],
            GROUPS: [{"ReplicationGroups": [GROUP]}],
            TAGS: tagging,
            **answers,
        }
    )


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(reader(described(**changes)), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_node_carries_its_type_its_group_and_its_part_in_it() -> None:
    one = collected()
    facts = cache_facts(one)
    assert (one.id, one.arn, one.state, KIND.type_of(one)) == ("sessions", ARN, "available", "cache.r6g.large")
    assert (facts.engine, facts.engine_version, facts.nodes) == ("redis", "7.1.0", 1)
    assert (facts.replication_group, facts.group_nodes, facts.group_shards) == ("sessions-group", 1, 1)
    assert (facts.role, facts.global_group) == ("primary", True)


def test_a_node_of_several_is_found_with_its_group_and_one_of_a_group_that_is_gone_by_itself() -> None:
    several = {**GROUP, "MemberClusters": ["sessions", "sessions-2"]}
    assert list(KIND.listing.collect(reader(described(), **{GROUPS: [{"ReplicationGroups": [several]}]}), "aws")) == []
    (one,) = KIND.listing.collect(reader(described(), **{GROUPS: [{"ReplicationGroups": []}]}), "aws")
    assert isinstance(one, Resource)
    assert (cache_facts(one).replication_group, cache_facts(one).group_nodes) == ("sessions-group", None)


def test_the_tags_of_a_group_hold_for_its_nodes_and_those_of_a_node_go_before_them() -> None:
    assert collected().tags == {"team": "shop", "keep": "yes"}
    assert collected(ReplicationGroupId=None).tags == {"team": "shop"}


def test_every_page_is_listed_and_asked_as_the_api_allows() -> None:
    pages = reader(**{LISTING: [{"CacheClusters": [described(CacheClusterId=f"c{n}")]} for n in range(3)]})
    assert [one.id for one in KIND.listing.collect(pages, "aws") if isinstance(one, Resource)] == ["c0", "c1", "c2"]
    for operation, parameters in pages.asked:
        if operation.startswith("elasticache:"):
            shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
            assert not ParamValidator().validate(parameters, shape).has_errors()


def test_a_cluster_that_is_being_deleted_is_left_out() -> None:
    assert list(KIND.listing.collect(reader(described(CacheClusterStatus="deleting")), "aws")) == []


def test_a_refused_listing_is_a_gap_and_pages_before_an_error_are_kept() -> None:
    denied = AwsDenied("no", operation=LISTING, code="AccessDenied")
    (gap,) = KIND.listing.collect(reader(**{LISTING: [denied]}), "aws")
    assert isinstance(gap, Gap)
    assert (gap.service, gap.operation, gap.code) == ("elasticache", "DescribeCacheClusters", "AccessDenied")
    slow = AwsThrottled("slow down", operation=LISTING, code="Throttling")
    one, cut = KIND.listing.collect(reader(**{LISTING: [{"CacheClusters": [described()]}, slow]}), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_groups_or_tags_that_could_not_be_read_are_unknown_and_a_gap() -> None:
    no_groups = AwsDenied("no", operation=GROUPS, code="AccessDenied")
    single = described(CacheClusterId="alone", ReplicationGroupId=None)
    gap, one = KIND.listing.collect(reader(described(), single, **{GROUPS: [no_groups]}), "aws")
    assert isinstance(gap, Gap)
    assert isinstance(one, Resource)
    # What may be a node of several is listed with its group or not at all: never under both.
    assert (one.id, cache_facts(one).group_nodes) == ("alone", None)
    no_tags = AwsDenied("no", operation=TAGS, code="AccessDenied")
    *gaps, untagged = KIND.listing.collect(reader(described(), **{TAGS: [no_tags]}), "aws")
    assert len(gaps) == 2
    assert isinstance(untagged, Resource)
    assert (cache_facts(untagged).tags_known, untagged.tags) == (False, {})


def test_every_fact_is_read_from_a_field_that_the_api_has() -> None:
    assert described().keys() <= MODEL.shape_for("CacheCluster").members.keys()
    assert GROUP.keys() <= MODEL.shape_for("ReplicationGroup").members.keys()


def test_a_cache_costs_the_hours_of_its_nodes() -> None:
    assert CACHES.cost(cache()).monthly == Decimal("113.88")  # 0.156 × 730
    assert CACHES.cost(cache(engine="memcached", nodes=3)).monthly == Decimal("341.64")
    assert CACHES.cost(cache(engine="valkey")).monthly == Decimal("91.10")  # 0.1248 × 730
    assert CACHES.cost(cache(engine="memcached"), hours=720).monthly == Decimal("112.32")


def test_redis_4_and_5_cost_four_fifths_more_for_extended_support() -> None:
    assert CACHES.cost(cache(engine_version="5.0.6")).monthly == Decimal("204.98")  # 1.8 × 0.156 × 730
    assert CACHES.cost(cache(engine_version="6.x")).monthly == Decimal("113.88")
    assert CACHES.cost(cache(engine="memcached", engine_version="1.5.16")).monthly == Decimal("113.88")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"cache_node_type": None}, "is not known"),
        ({"nodes": None}, "is not known"),
        ({"outpost": True}, "no price for Outposts"),
        ({"cache_node_type": "cache.x9.large"}, "no price for cache.x9.large, redis in us-east-1"),
    ],
)
def test_one_thing_that_is_not_known_makes_the_cost_unknown(changes: dict[str, Json], missing: str) -> None:
    cost = CACHES.cost(cache(**changes))
    assert cost.monthly is None
    assert missing in cost.missing[0]


@pytest.mark.parametrize("state", ["creating", "incompatible-network", "restore-failed"])
def test_what_aws_does_not_bill_costs_nothing_and_an_unheard_of_state_is_unknown(state: str) -> None:
    assert KIND.billed_parts(cache(state)) == ()
    assert CACHES.cost(cache("levitating")).monthly is None


def test_each_engine_is_measured_by_its_own_commands_and_a_missing_point_is_unknown() -> None:
    for engine in ("redis", "valkey", "memcached"):
        applied = {spec.name for spec in KIND.metrics if spec.applies(cache(engine=engine))}
        assert set(COMMANDS[engine]) < applied
    memcached = {spec.name for spec in KIND.metrics if spec.applies(cache(engine="memcached"))}
    assert memcached == {"getCommands", "setCommands", "cacheConnections", "cpuPercent"}
    assert not any(spec.applies(cache("creating")) for spec in KIND.metrics)
    assert not any(spec.missing_means_zero for spec in KIND.metrics)


def test_node_types_are_those_of_the_tables_and_halves_are_smaller() -> None:
    assert smaller("cache.r6g.2xlarge") == "cache.r6g.xlarge"
    assert smaller("cache.t3.micro") == ""
    assert smaller("cache.m5.12xlarge") == ""
    assert version("5.0.6") == (5, 0, 6)
    assert version("6.x") == (6,)
    assert not PREVIOUS & {one for targets in (*SUCCESSORS.values(), *GRAVITON.values()) for one in targets}
    (product,) = KIND.products
    (query,) = product.queries("us-east-1", product.sample, {"--cache-engine": "redis"})
    assert SOURCE.lookup(query) is not None


def test_an_owner_is_known_by_its_tags() -> None:
    owner = KIND.owner(replace(cache(), tags={"services.k8s.aws/namespace": "shop"}))
    assert owner is not None
    assert owner.system == "a Kubernetes cluster"
    assert KIND.owner(cache()) is None
