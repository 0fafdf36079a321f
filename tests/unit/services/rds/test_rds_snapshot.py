"""Snapshots as collected: of instances and clusters, whether their database exists, what is not known of the cost."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.rds.clusters import SNAPSHOTS, snapshot

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.plugins.facts import facts_of
from finops_operator.services.rds.snapshot import KIND, SnapshotFacts

MODEL = botocore.session.get_session().get_service_model("rds")
OF_INSTANCES, OF_CLUSTERS = "rds:DescribeDBSnapshots", "rds:DescribeDBClusterSnapshots"
INSTANCES, CLUSTERS = "rds:DescribeDBInstances", "rds:DescribeDBClusters"
ARN = "arn:aws:rds:us-east-1:111122223333"


def of_instance(**changes: Any) -> dict[str, Any]:
    return {
        "DBSnapshotIdentifier": "before-upgrade",
        "DBSnapshotArn": f"{ARN}:snapshot:before-upgrade",
        "DBInstanceIdentifier": "orders",
        "DbiResourceId": "db-OLD",
        "SnapshotCreateTime": "2026-06-01T00:00:00.000Z",
        "OriginalSnapshotCreateTime": "2026-05-01T00:00:00.000Z",
        "Engine": "postgres",
        "EngineVersion": "16.3",
        "AllocatedStorage": 100,
        "FullSnapshotSizeInBytes": 40 * 2**30 - 1,
        "Status": "available",
        "Encrypted": True,
        "TagList": [{"Key": "team", "Value": "shop"}],
        **changes,
    }


def of_cluster(**changes: Any) -> dict[str, Any]:
    return {
        "DBClusterSnapshotIdentifier": "before-upgrade",
        "DBClusterSnapshotArn": f"{ARN}:cluster-snapshot:before-upgrade",
        "DBClusterIdentifier": "events",
        "DbClusterResourceId": "cluster-NEW",
        "SnapshotCreateTime": "2026-06-01T00:00:00.000Z",
        "Engine": "aurora-mysql",
        "EngineVersion": "8.0.mysql_aurora.3.04.0",
        "AllocatedStorage": 20,
        "Status": "available",
        "StorageEncrypted": False,
        **changes,
    }


def reader(instances: list[dict[str, Any]], clusters: list[dict[str, Any]], **answers: Any) -> Pages:
    there = {"DBInstanceIdentifier": "orders", "DbiResourceId": "db-NEW"}
    events = {"DBClusterIdentifier": "events", "DbClusterResourceId": "cluster-NEW"}
    return Pages(
        {
            OF_INSTANCES: [{"DBSnapshots": instances}],
            OF_CLUSTERS: [{"DBClusterSnapshots": clusters}],
            INSTANCES: [{"DBInstances": [there]}],
            CLUSTERS: [{"DBClusters": [events]}],
            **answers,
        }
    )


def facts(**changes: Any) -> SnapshotFacts:
    (only,) = KIND.listing.collect(reader([of_instance(**changes)], []), "aws")
    assert isinstance(only, Resource)
    return facts_of(SnapshotFacts, only)


def cluster_snapshot_facts(**changes: Any) -> SnapshotFacts:
    (only,) = KIND.listing.collect(reader([], [of_cluster(**changes)]), "aws")
    assert isinstance(only, Resource)
    return facts_of(SnapshotFacts, only)


def test_snapshots_of_both_sorts_are_listed_and_the_same_name_is_two_resources() -> None:
    asked = reader([of_instance()], [of_cluster()])
    one, two = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    assert isinstance(two, Resource)
    assert (one.id, two.id) == ("snapshot:before-upgrade", "cluster-snapshot:before-upgrade")
    assert (one.arn, one.name, one.state) == (f"{ARN}:snapshot:before-upgrade", "before-upgrade", "available")
    assert one.tags == {"team": "shop"}
    assert one.created is not None
    assert one.created.month == 5
    for operation, parameters in asked.asked:
        shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()
    assert dict(asked.asked)[OF_INSTANCES]["SnapshotType"] == "manual"
    assert dict(asked.asked)[OF_CLUSTERS]["SnapshotType"] == "manual"


def test_a_new_database_of_an_old_name_is_not_the_one_of_the_snapshot() -> None:
    assert facts().source_exists is False
    assert facts(DbiResourceId="db-NEW").source_exists is True
    assert facts(DbiResourceId="db-NEW", DBInstanceIdentifier="orders-before-it-was-renamed").source_exists is True
    assert facts(DbiResourceId=None).source_exists is True
    assert facts(DbiResourceId=None, DBInstanceIdentifier="gone").source_exists is False
    assert cluster_snapshot_facts().source_exists is True
    assert cluster_snapshot_facts(DbClusterResourceId="cluster-OLD").source_exists is False


def test_of_a_copy_from_elsewhere_nobody_here_knows_the_database() -> None:
    own = facts(SourceDBSnapshotIdentifier=f"{ARN}:snapshot:first")
    assert (own.copied_from_elsewhere, own.source_exists) == (False, False)
    assert facts(SourceDBSnapshotIdentifier="first").copied_from_elsewhere is False
    region = facts(SourceDBSnapshotIdentifier="arn:aws:rds:eu-west-1:111122223333:snapshot:first")
    account = facts(SourceDBSnapshotIdentifier="arn:aws:rds:us-east-1:999999999999:snapshot:first")
    for copy in (region, account):
        assert (copy.copied_from_elsewhere, copy.source_exists) == (True, None)
    other = cluster_snapshot_facts(SourceDBClusterSnapshotArn="arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:a")
    assert (other.copied_from_elsewhere, other.source_exists) == (True, None)


def test_the_size_is_that_of_the_data_where_aws_gives_it() -> None:
    assert facts().size_gb == 40
    assert facts(FullSnapshotSizeInBytes=None).size_gb == 100
    assert cluster_snapshot_facts().size_gb == 20
    assert cluster_snapshot_facts(AllocatedStorage=1).size_gb is None


def test_databases_that_could_not_be_read_are_unknown_and_one_gap() -> None:
    denied = AwsDenied("no", operation=INSTANCES, code="AccessDenied")
    two = reader([of_instance(), of_instance(DBSnapshotIdentifier="b")], [], **{INSTANCES: [denied]})
    *snapshots, gap = KIND.listing.collect(two, "aws")
    assert [facts_of(SnapshotFacts, one).source_exists for one in snapshots if isinstance(one, Resource)] == [
        None,
        None,
    ]
    assert isinstance(gap, Gap)
    assert gap.operation == "DescribeDBInstances"


@pytest.mark.parametrize(("operation", "kept"), [(OF_INSTANCES, 0), (OF_CLUSTERS, 1)])
def test_a_refused_listing_is_a_gap_and_never_an_empty_list(operation: str, kept: int) -> None:
    denied = AwsDenied("no", operation=operation, code="AccessDenied")
    *snapshots, gap = KIND.listing.collect(reader([of_instance()], [of_cluster()], **{operation: [denied]}), "aws")
    assert isinstance(gap, Gap)
    assert (len(snapshots), gap.code) == (kept, "AccessDenied")


def test_every_fact_is_read_from_a_field_that_the_api_has() -> None:
    assert of_instance().keys() <= MODEL.shape_for("DBSnapshot").members.keys()
    assert of_cluster().keys() <= MODEL.shape_for("DBClusterSnapshot").members.keys()


def test_what_aws_bills_of_a_single_snapshot_is_unknown() -> None:
    cost = SNAPSHOTS.cost(snapshot())
    assert cost.monthly is None
    assert "does not say how much that is" in cost.missing[0]


def test_recovery_points_of_aws_backup_are_not_listed_whatever_type_they_are_given() -> None:
    named = "awsbackup:job-1f0c"
    found = KIND.listing.collect(
        reader(
            [of_instance(), of_instance(DBSnapshotIdentifier=named)],
            [of_cluster(DBClusterSnapshotIdentifier=named), of_cluster()],
        ),
        "aws",
    )
    assert [one.name for one in found if isinstance(one, Resource)] == ["before-upgrade", "before-upgrade"]
