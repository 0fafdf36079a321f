"""Groups of several nodes as collected, priced and measured: each node once, and no figure from half a group."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.elasticache.caches import CACHES, GROUPS, cache, group

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.services.elasticache import cluster
from finops_operator.services.elasticache.cluster import cache_facts
from finops_operator.services.elasticache.replication_group import KIND

MODEL = botocore.session.get_session().get_service_model("elasticache")
CLUSTERS, LISTING = "elasticache:DescribeCacheClusters", "elasticache:DescribeReplicationGroups"
TAGS = "resourcegroupstaggingapi:GetResources"
PLACE = "arn:aws:elasticache:us-east-1:111122223333"


def node(name: str, /, owner: str = "sessions", **changes: Any) -> dict[str, Any]:
    return {
        "CacheClusterId": name,
        "ARN": f"{PLACE}:cluster:{name}",
        "CacheClusterStatus": "available",
        "CacheNodeType": "cache.r6g.large",
        "Engine": "valkey",
        "EngineVersion": "8.0.1",
        "NumCacheNodes": 1,
        "ReplicationGroupId": owner,
        "PendingModifiedValues": {},
        **changes,
    }


def described(name: str = "sessions", nodes: int = 2, /, **changes: Any) -> dict[str, Any]:
    return {
        "ReplicationGroupId": name,
        "ARN": f"{PLACE}:replicationgroup:{name}",
        "Status": "available",
        "MemberClusters": [f"{name}-00{number}" for number in range(1, nodes + 1)],
        "NodeGroups": [{"NodeGroupMembers": []}],
        "SnapshotRetentionLimit": 1,
        "ReplicationGroupCreateTime": "2026-01-01T00:00:00.000Z",
        **changes,
    }


def tagging(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    said = {
        "elasticache:cluster": (f"{PLACE}:cluster:sessions-002", {"team": "shop", "keep": "yes"}),
        "elasticache:replicationgroup": (f"{PLACE}:replicationgroup:sessions", {"team": "platform"}),
    }
    arn, tags = said[parameters["ResourceTypeFilters"][0]]
    named = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": named}]}]


def reader(groups: list[dict[str, Any]], nodes: list[dict[str, Any]], **answers: Any) -> Pages:
    listed = {LISTING: [{"ReplicationGroups": groups}], CLUSTERS: [{"CacheClusters": nodes}], TAGS: tagging}
    return Pages({**listed, **answers})


PAIR = [node("sessions-001"), node("sessions-002")]


def collected(*nodes: dict[str, Any], **changes: Any) -> Resource:
    (only,) = KIND.listing.collect(reader([described(**changes)], list(nodes) or PAIR), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_group_carries_its_nodes_and_what_all_of_them_are() -> None:
    one = collected()
    facts = cache_facts(one)
    assert (one.id, one.arn, one.state) == ("sessions", f"{PLACE}:replicationgroup:sessions", "available")
    assert one.created is not None
    assert (facts.members, facts.nodes, facts.group_shards) == (("sessions-001", "sessions-002"), 2, 1)
    assert (facts.engine, facts.engine_version, KIND.type_of(one)) == ("valkey", "8.0.1", "cache.r6g.large")
    assert (facts.global_group, facts.outpost, facts.pending_node_type) == (False, False, "")


@pytest.mark.parametrize("shards", [None, []])
def test_shards_that_aws_does_not_list_are_unknown_and_none_is_no_zero(shards: Any) -> None:
    assert cache_facts(collected(NodeGroups=shards)).group_shards is None


def test_what_a_tag_says_of_one_node_holds_for_the_group_and_its_own_go_before() -> None:
    assert collected().tags == {"team": "platform", "keep": "yes"}


@pytest.mark.parametrize("field", ["Engine", "EngineVersion", "CacheNodeType"])
def test_what_nodes_do_not_agree_on_is_not_known(field: str) -> None:
    facts = cache_facts(collected(node("sessions-001"), node("sessions-002", **{field: "other"})))
    assert None in (facts.engine, facts.engine_version, facts.cache_node_type)


def test_a_change_that_waits_for_one_node_and_a_node_on_an_outpost_concern_the_group() -> None:
    waiting = node("sessions-002", PendingModifiedValues={"CacheNodeType": "cache.r7g.large"})
    assert cache_facts(collected(node("sessions-001"), waiting)).pending_node_type == "cache.r7g.large"
    placed = node("sessions-002", PreferredOutpostArn="arn:aws:outposts:us-east-1:111122223333:outpost/op-1")
    assert cache_facts(collected(node("sessions-001"), placed)).outpost is True


def test_a_node_that_no_page_lists_leaves_what_the_group_is_unknown_and_so_its_cost() -> None:
    one = collected(node("sessions-001"))
    assert (cache_facts(one).nodes, cache_facts(one).cache_node_type) == (2, None)
    assert GROUPS.cost(one).monthly is None


def test_every_node_is_found_once_by_the_two_kinds_together() -> None:
    groups = [described(), described("single", 1)]
    nodes = [*PAIR, node("single-001", owner="single"), node("alone", ReplicationGroupId=None)]
    found = [one for kind in (KIND, cluster.KIND) for one in kind.listing.collect(reader(groups, nodes), "aws")]
    listed = [one for one in found if isinstance(one, Resource)]
    assert sorted(name for one in listed for name in cache_facts(one).members or (one.id,)) == [
        "alone",
        "sessions-001",
        "sessions-002",
        "single-001",
    ]


def test_a_refused_listing_is_a_gap_and_a_group_of_which_half_was_read_is_left_out() -> None:
    denied = AwsDenied("no", operation=LISTING, code="AccessDenied")
    (gap,) = KIND.listing.collect(reader([], [], **{LISTING: [denied]}), "aws")
    assert isinstance(gap, Gap)
    assert gap.operation == "DescribeReplicationGroups"
    slow = AwsThrottled("slow down", operation=CLUSTERS, code="Throttling")
    pages = [{"CacheClusters": [*PAIR, node("other-001", owner="other")]}, slow]
    half = reader([described(), described("other")], [], **{CLUSTERS: pages})
    cut, one = KIND.listing.collect(half, "aws")
    assert isinstance(cut, Gap)
    assert isinstance(one, Resource)
    assert one.id == "sessions"


def test_tags_that_could_not_be_read_are_unknown_and_a_gap() -> None:
    denied = AwsDenied("no", operation=TAGS, code="AccessDenied")
    *gaps, one = KIND.listing.collect(reader([described()], PAIR, **{TAGS: [denied]}), "aws")
    assert len(gaps) == 2
    assert isinstance(one, Resource)
    assert (cache_facts(one).tags_known, one.tags) == (False, {})


def test_a_group_that_is_being_deleted_is_left_out_and_calls_are_as_the_api_allows() -> None:
    pages = reader([described(Status="deleting")], PAIR)
    assert list(KIND.listing.collect(pages, "aws")) == []
    for operation, parameters in pages.asked:
        if operation.startswith("elasticache:"):
            shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
            assert not ParamValidator().validate(parameters, shape).has_errors()
    assert described().keys() <= MODEL.shape_for("ReplicationGroup").members.keys()
    assert node("n").keys() <= MODEL.shape_for("CacheCluster").members.keys()


def test_a_group_costs_what_its_nodes_would_cost_alone() -> None:
    alone = CACHES.cost(cache())
    assert alone.unrounded_monthly is not None
    assert GROUPS.cost(group()).unrounded_monthly == 3 * alone.unrounded_monthly
    assert GROUPS.cost(group()).monthly == Decimal("341.64")


def test_every_node_is_measured_and_a_group_of_unknown_nodes_is_asked_about_nothing() -> None:
    applied = [spec for spec in KIND.metrics if spec.applies(group())]
    assert applied
    for spec in applied:
        assert spec.parts is not None
        assert spec.parts(group()) == tuple((("CacheClusterId", f"g-00{number}"),) for number in (1, 2, 3))
        assert spec.parts(group(members=None)) == ()
    assert not any(spec.missing_means_zero for spec in KIND.metrics)


def test_an_owner_is_known_by_its_tags() -> None:
    owner = KIND.owner(replace(group(), tags={"services.k8s.aws/namespace": "shop"}))
    assert owner is not None
    assert owner.system == "a Kubernetes cluster"
