"""Database instances as collected: facts as AWS gives them, owners, metrics, and errors as gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.unit.services.rds.databases import ARN, database

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.services.rds.instance import KIND, database_facts
from finops_operator.services.rds.rules.serverless import MEMBER_CAPACITY

LIFECYCLES = "rds:DescribeDBMajorEngineVersions"
MODEL = botocore.session.get_session().get_service_model("rds")


class Databases:
    """A reader of some pages, and of an error after them."""

    account, region = "111122223333", "us-east-1"

    def __init__(self, *pages: list[dict[str, Any]], error: Exception | None = None) -> None:
        self._pages = pages
        self._error = error
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        raise AssertionError("collectors read pages")

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        self.asked.append((operation, dict(parameters)))
        if operation == LIFECYCLES:
            yield {"DBMajorEngineVersions": []}
            return
        for page in self._pages:
            yield {"DBInstances": page}
        if self._error is not None:
            raise self._error


def described(**changes: Any) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": "orders",
        "DBInstanceArn": ARN,
        "DBInstanceClass": "db.m5.large",
        "Engine": "postgres",
        "EngineVersion": "16.3",
        "DBInstanceStatus": "available",
        "InstanceCreateTime": "2026-01-01T00:00:00.000Z",
        "AllocatedStorage": 100,
        "StorageType": "gp3",
        "Iops": 3000,
        "StorageThroughput": 125,
        "MultiAZ": True,
        "LicenseModel": "postgresql-license",
        "BackupRetentionPeriod": 7,
        "PubliclyAccessible": False,
        "DeletionProtection": True,
        "ReadReplicaDBInstanceIdentifiers": ["orders-reader"],
        "EngineLifecycleSupport": "open-source-rds-extended-support",
        "TagList": [{"Key": "team", "Value": "shop"}],
        **changes,
    }


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(Databases([described(**changes)]), "aws")
    assert isinstance(only, Resource)
    return only


def test_an_instance_carries_engine_class_storage_and_what_depends_on_it() -> None:
    one = collected()
    facts = database_facts(one)
    assert (one.id, one.arn, one.state, one.tags) == ("orders", ARN, "available", {"team": "shop"})
    assert one.created is not None
    assert (facts.engine, facts.engine_version, facts.db_instance_class) == ("postgres", "16.3", "db.m5.large")
    assert (facts.allocated_storage_gb, facts.storage_type, facts.storage_iops) == (100, "gp3", 3000)
    assert (facts.multi_az, facts.publicly_accessible, facts.backup_retention_days) == (True, False, 7)
    assert facts.read_replicas == ("orders-reader",)
    assert KIND.type_of(one) == "db.m5.large"


def test_what_aws_did_not_say_is_absent() -> None:
    shapes = collected(Iops=None, StorageThroughput=None, MultiAZ=None).attributes
    assert not {"storage_iops", "storage_throughput", "multi_az"} & shapes.keys()


def test_what_is_billed_beside_hours_and_storage_is_named() -> None:
    assert database_facts(collected()).billed_by_use == ("backup_gb_month",)
    member = {
        "Engine": "aurora-mysql",
        "StorageType": "aurora",
        "EngineLifecycleSupport": "",
        "DBClusterIdentifier": "c",
    }
    assert database_facts(collected(**member, PubliclyAccessible=True)).billed_by_use == (
        "backup_gb_month",
        "cluster_storage",
        "cluster_io_request",
    )
    assert database_facts(collected(PubliclyAccessible=True)).billed_by_use == (
        "backup_gb_month",
        "standby_public_ipv4_hour",
    )
    public_member = collected(Engine="mysql", DBClusterIdentifier="c", PubliclyAccessible=True)
    assert "public_ipv4_hour" in (database_facts(public_member).billed_by_use or ())
    assert database_facts(collected(Engine="mysql", DBClusterIdentifier="c")).billed_by_use == (
        "backup_gb_month",
        "cluster_instance_hour",
        "cluster_storage",
    )
    assert "cluster_io_request" not in (
        database_facts(collected(**{**member, "StorageType": "aurora-iopt1"})).billed_by_use or ()
    )


def test_every_page_is_listed_and_asked_at_the_documented_maximum() -> None:
    pages = [[described(DBInstanceIdentifier=f"db-{page}-{number}") for number in range(3)] for page in range(2)]
    reader = Databases(*pages)
    names = [one.id for one in KIND.listing.collect(reader, "aws") if isinstance(one, Resource)]
    assert names == [f"db-{page}-{number}" for page in range(2) for number in range(3)]
    asked, lifecycles = reader.asked
    assert lifecycles == (LIFECYCLES, {"MaxRecords": 100})
    assert asked == ("rds:DescribeDBInstances", {"MaxRecords": 100})
    shape = MODEL.operation_model("DescribeDBInstances").input_shape
    assert not ParamValidator().validate(asked[1], shape).has_errors()


def test_an_instance_that_is_being_deleted_is_left_out() -> None:
    assert list(KIND.listing.collect(Databases([described(DBInstanceStatus="deleting")]), "aws")) == []


def test_a_refused_listing_is_a_gap_and_pages_before_an_error_are_kept() -> None:
    denied = AwsDenied("no", operation="rds:DescribeDBInstances", code="AccessDenied")
    (gap,) = KIND.listing.collect(Databases(error=denied), "aws")
    assert isinstance(gap, Gap)
    assert (gap.service, gap.operation, gap.code) == ("rds", "DescribeDBInstances", "AccessDenied")
    slow = AwsThrottled("slow down", operation="rds:DescribeDBInstances", code="Throttling")
    one, cut = KIND.listing.collect(Databases([described()], error=slow), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_every_fact_is_read_from_a_field_that_the_api_has() -> None:
    assert described().keys() <= MODEL.shape_for("DBInstance").members.keys()


@pytest.mark.parametrize(
    ("tags", "system"),
    [
        ({"aws:cloudformation:stack-name": "shop"}, "CloudFormation"),
        ({"ManagedBy": "terraform"}, "Terraform"),
        ({"application-autoscaling:resourceId": "cluster:orders"}, "Application Auto Scaling"),
        ({"services.k8s.aws/namespace": "shop"}, "a Kubernetes cluster"),
        ({"crossplane-name": "orders"}, "Crossplane"),
    ],
)
def test_an_owner_is_known_by_its_tags(tags: dict[str, str], system: str) -> None:
    owner = KIND.owner(replace(database(), tags=tags))
    assert owner is not None
    assert owner.system == system


def test_nobody_owns_an_instance_without_a_sign() -> None:
    assert KIND.owner(replace(database(), tags={"team": "shop"})) is None


@pytest.mark.parametrize(
    ("resource", "measured"),
    [
        (database(), True),
        (database("backing-up"), True),
        (database("stopped"), False),
        (database(engine="docdb"), False),
        (database(engine="neptune"), False),
        (database(engine="aurora-mysql"), True),
    ],
)
def test_only_a_running_instance_of_rds_itself_is_measured_and_a_missing_point_is_unknown(
    resource: Resource, measured: bool
) -> None:
    counted = replace(resource, attributes={**resource.attributes, "performance_insights": True})
    # Capacity is published by serverless instances alone: tests/unit/services/rds/test_rds_bill.py.
    usual = [spec for spec in KIND.metrics if spec.name != MEMBER_CAPACITY]
    assert {spec.applies(counted) for spec in usual} == {measured}
    assert not any(spec.missing_means_zero for spec in KIND.metrics)


def test_the_link_leads_to_the_instance_in_the_console_of_its_region() -> None:
    assert KIND.console_url(database()) == (
        "https://us-east-1.console.aws.amazon.com/rds/home?region=us-east-1#database:id=orders;is-cluster=false"
    )


@pytest.mark.parametrize("name", ["freeableMemory", "freeStorageSpace"])
def test_what_is_free_is_asked_for_at_its_lowest_which_no_mean_shows(name: str) -> None:
    (spec,) = (one for one in KIND.metrics if one.name == name)
    assert spec.statistics == ("Average", "Maximum", "Minimum")
