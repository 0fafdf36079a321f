"""Clusters as collected and priced: four services distinguished, errors as gaps, use that is not counted is unknown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.rds.clusters import CLUSTER_ARN, CLUSTERS, cluster

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.domain.utilization import MonthlyUse, Utilization
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.services.rds.cluster import KIND, cluster_facts
from finops_operator.services.rds.rules.clusters import BILLED, NOT_BILLED, WORKING, service_of
from finops_operator.services.rds.rules.states import STORAGE_ONLY

MODEL = botocore.session.get_session().get_service_model("rds")
LIFECYCLES = "rds:DescribeDBMajorEngineVersions"
LISTING, MEMBERS = "rds:DescribeDBClusters", "rds:DescribeDBInstances"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "DBClusterIdentifier": "orders",
        "DBClusterArn": CLUSTER_ARN,
        "Status": "available",
        "Engine": "aurora-mysql",
        "EngineVersion": "8.0.mysql_aurora.3.04.0",
        "EngineMode": "provisioned",
        "EngineLifecycleSupport": "open-source-rds-extended-support",
        "StorageType": "aurora",
        "ClusterCreateTime": "2026-01-01T00:00:00.000Z",
        "DBClusterMembers": [
            {"DBInstanceIdentifier": "orders-1", "IsClusterWriter": True},
            {"DBInstanceIdentifier": "orders-2", "IsClusterWriter": False},
        ],
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 16.0, "SecondsUntilAutoPause": 300},
        "DeletionProtection": True,
        "TagList": [{"Key": "team", "Value": "shop"}],
        **changes,
    }


def reader(*clusters: dict[str, Any], **answers: Any) -> Pages:
    members = [
        {"DBInstanceIdentifier": "orders-1", "DBInstanceClass": "db.serverless", "DBClusterIdentifier": "orders"},
        {"DBInstanceIdentifier": "orders-2", "DBInstanceClass": "db.r5.large", "DBClusterIdentifier": "orders"},
        {"DBInstanceIdentifier": "alone", "DBInstanceClass": "db.t3.micro"},
    ]
    return Pages(
        {LISTING: [{"DBClusters": list(clusters)}], MEMBERS: [{"DBInstances": members}], LIFECYCLES: [{}], **answers}
    )


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(reader(described(**changes)), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_cluster_carries_engine_members_with_their_classes_and_its_capacity() -> None:
    one = collected()
    facts = cluster_facts(one)
    assert (one.id, one.arn, one.state, one.tags) == ("orders", CLUSTER_ARN, "available", {"team": "shop"})
    assert one.created is not None
    assert (facts.cluster_service, facts.engine, facts.engine_mode) == ("Amazon Aurora", "aurora-mysql", "provisioned")
    assert (facts.members, facts.readers) == (("orders-1", "orders-2"), 1)
    assert facts.member_classes == ("db.serverless", "db.r5.large")
    assert (facts.minimum_capacity, facts.maximum_capacity) == (Decimal("0.5"), Decimal(16))
    assert facts.pause_after_seconds == 300
    assert (facts.global_cluster, facts.replicates_from, facts.read_replicas) == ("", "", ())
    assert KIND.type_of(one) == "Amazon Aurora"


@pytest.mark.parametrize(
    ("engine", "service"),
    [
        ("aurora-postgresql", "Amazon Aurora"),
        ("mysql", "RDS Multi-AZ cluster"),
        ("postgres", "RDS Multi-AZ cluster"),
        ("docdb", "Amazon DocumentDB"),
        ("neptune", "Amazon Neptune"),
        ("oracle-ee", ""),
    ],
)
def test_a_cluster_is_classified_by_its_engine(engine: str, service: str) -> None:
    assert service_of(engine) == service
    assert cluster_facts(collected(Engine=engine)).cluster_service == service


def test_members_are_read_once_and_only_where_a_cluster_has_any() -> None:
    many = reader(*(described(DBClusterIdentifier=f"c{number}") for number in range(3)))
    assert len(list(KIND.listing.collect(many, "aws"))) == 3
    assert [operation for operation, _ in many.asked] == [LISTING, LIFECYCLES, MEMBERS]
    empty = reader(described(DBClusterMembers=[]))
    assert [
        cluster_facts(one).member_classes for one in KIND.listing.collect(empty, "aws") if isinstance(one, Resource)
    ]
    assert [operation for operation, _ in empty.asked] == [LISTING, LIFECYCLES]
    for operation, parameters in many.asked:
        shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()


def test_members_that_could_not_be_read_are_unknown_and_one_gap() -> None:
    denied = AwsDenied("no", operation=MEMBERS, code="AccessDenied")
    one, gap = KIND.listing.collect(reader(described(), **{MEMBERS: [denied]}), "aws")
    assert isinstance(one, Resource)
    assert cluster_facts(one).member_classes is None
    assert cluster_facts(one).members == ("orders-1", "orders-2")
    assert isinstance(gap, Gap)
    assert (gap.operation, gap.code) == ("DescribeDBInstances", "AccessDenied")


def test_a_refused_listing_is_a_gap_and_pages_before_an_error_are_kept() -> None:
    denied = AwsDenied("no", operation=LISTING, code="AccessDenied")
    (gap,) = KIND.listing.collect(Pages({LISTING: [denied]}), "aws")
    assert isinstance(gap, Gap)
    slow = AwsThrottled("slow down", operation=LISTING, code="Throttling")
    pages = reader(**{LISTING: [{"DBClusters": [described()]}, slow]})
    one, cut = KIND.listing.collect(pages, "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_a_cluster_that_is_being_deleted_is_left_out_and_what_aws_did_not_say_is_absent() -> None:
    assert list(KIND.listing.collect(reader(described(Status="deleting")), "aws")) == []
    bare = collected(DBClusterMembers=None, ServerlessV2ScalingConfiguration=None, StorageType=None)
    assert not {"members", "readers", "member_classes", "minimum_capacity", "storage_type"} & bare.attributes.keys()


def test_every_fact_is_read_from_a_field_that_the_api_has() -> None:
    assert described().keys() <= MODEL.shape_for("DBCluster").members.keys()


def used(gib: float = 100, requests: float = 3_600_000) -> Utilization:
    """Return 100 GiB stored, and 3.6 million reads in 30 days of 720 hours."""
    return Utilization(
        "orders",
        month={
            "volumeBytesUsed": MonthlyUse(gib * 2**30),
            "volumeReadOperations": MonthlyUse(requests, 720.0),
            "volumeWriteOperations": MonthlyUse(0, 720.0),
        },
    )


def test_aurora_s_storage_is_billed_as_it_is_and_its_requests_by_use() -> None:
    # 100 × 0.10, and 3.6 million × 0.0000002 in 720 hours, which is 0.73 in 730
    standard = CLUSTERS.cost(cluster(), used())
    assert (standard.monthly, standard.monthly_by_use) == (Decimal("10.73"), Decimal("0.73"))
    optimized = CLUSTERS.cost(cluster(storage_type="aurora-iopt1"), used())
    assert (optimized.monthly, optimized.monthly_by_use) == (Decimal("22.50"), Decimal("0.00"))  # 100 × 0.225
    assert CLUSTERS.cost(cluster("stopped"), used()).monthly == Decimal("10.00")


def test_use_that_was_not_measured_or_has_no_price_is_unknown_and_never_zero() -> None:
    assert CLUSTERS.cost(cluster()).missing == (
        "storage_gb_month: volumeBytesUsed of the last 30 days is unknown (not measured)",
        "io_request: volumeReadOperations of the last 30 days is unknown (not measured)",
        "io_request: volumeWriteOperations of the last 30 days is unknown (not measured)",
    )
    elsewhere = CLUSTERS.cost(cluster("available", "eu-west-1", storage_type="aurora-iopt1"), used())
    assert elsewhere.missing == ("storage_gb_month: no price for aurora, any in eu-west-1",)
    assert "capacity_unit_hour" in CLUSTERS.cost(cluster(engine_mode="serverless"), used()).missing[0]
    assert "is not known" in CLUSTERS.cost(cluster(storage_type=None), used()).missing[0]


def test_what_is_billed_and_not_in_the_cost_is_named() -> None:
    assert cluster_facts(collected()).not_in_cost == ("backup_gb_month",)
    world = collected(GlobalClusterIdentifier="world", EngineLifecycleSupport=None)
    assert cluster_facts(world).not_in_cost == ("backup_gb_month", "replicated_io_request")


def test_a_multi_az_cluster_has_the_price_of_its_three_instances_together() -> None:
    three = cluster(engine="mysql", storage_type="io1", db_cluster_instance_class="db.m6gd.large")
    priced = CLUSTERS.cost(three)
    assert [(one.dimension, one.price.amount) for one in priced.components] == [("instance_hour", Decimal("0.522"))]
    assert priced.missing == ("storage_gb_month: the tables do not price storage of Multi-AZ clusters",)
    assert "its class is not known" in CLUSTERS.cost(cluster(engine="mysql")).missing[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"engine": "docdb"}, "no price for Amazon DocumentDB"),
        ({"engine": "neptune"}, "no price for Amazon Neptune"),
        ({"engine": "new"}, "no price for its engine"),
    ],
)
def test_a_service_without_prices_is_unknown(changes: dict[str, Json], reason: str) -> None:
    assert CLUSTERS.cost(cluster(**changes)).missing == (f"storage_gb_month: {reason}",)


@pytest.mark.parametrize("state", sorted(NOT_BILLED))
def test_what_aws_does_not_bill_costs_nothing(state: str) -> None:
    assert KIND.billed_parts(cluster(state)) == ()


def test_no_state_is_billed_in_two_ways_and_an_unheard_of_one_is_unknown() -> None:
    assert not WORKING & STORAGE_ONLY
    assert not NOT_BILLED & BILLED
    assert "levitating" in CLUSTERS.cost(cluster("levitating")).missing[0]


@pytest.mark.parametrize(
    ("resource", "measured"),
    [
        (cluster(), {"AWS/RDS"}),
        (cluster(engine="docdb"), {"AWS/DocDB"}),
        (cluster(engine="neptune"), {"AWS/Neptune"}),
        (cluster("stopped"), {"AWS/RDS"}),
        (cluster("deleting"), set()),
        (cluster(engine="new"), set()),
    ],
)
def test_each_service_is_measured_in_its_own_namespace_and_a_missing_point_is_unknown(
    resource: Resource, measured: set[str]
) -> None:
    assert {spec.namespace for spec in KIND.metrics if spec.applies(resource)} == measured
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert len({spec.name for spec in KIND.metrics}) == len(KIND.metrics)


def test_of_a_stopped_cluster_the_storage_of_its_last_working_day_is_measured_and_nothing_else() -> None:
    stopped = cluster("stopped")
    assert [(one.name, one.stands(stopped)) for one in KIND.metrics if one.applies(stopped)] == [
        ("volumeBytesUsed", True)
    ]
    assert not any(one.stands(cluster()) for one in KIND.metrics)


def test_capacity_is_measured_only_where_a_cluster_scales() -> None:
    (capacity,) = [spec for spec in KIND.metrics if spec.metric == "ServerlessDatabaseCapacity"]
    assert not capacity.applies(cluster())
    assert capacity.applies(cluster(maximum_capacity="16"))


def test_an_owner_is_known_by_its_tags() -> None:
    owner = KIND.owner(replace(cluster(), tags={"crossplane-name": "orders"}))
    assert owner is not None
    assert owner.system == "Crossplane"
    assert KIND.owner(cluster()) is None
