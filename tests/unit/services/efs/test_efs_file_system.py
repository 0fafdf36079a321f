"""File systems as collected and priced: bytes by class, lifecycle, errors as gaps, classes without a price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages, used
from tests.unit.services.efs.file_systems import ARN, FILE_SYSTEMS, GIB, ID, file_system, measured

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.services.efs.file_system import KIND, file_system_facts

MODEL = botocore.session.get_session().get_service_model("efs")
LISTING, LIFECYCLE = "efs:DescribeFileSystems", "efs:DescribeLifecycleConfiguration"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "FileSystemId": ID,
        "FileSystemArn": ARN,
        "CreationTime": "1767225600.0",
        "LifeCycleState": "available",
        "Name": "shared",
        "NumberOfMountTargets": 2,
        "SizeInBytes": {
            "Value": 300 * GIB,
            "ValueInStandard": 200 * GIB,
            "ValueInIA": 90 * GIB,
            "ValueInArchive": 10 * GIB,
        },
        "PerformanceMode": "generalPurpose",
        "ThroughputMode": "provisioned",
        "ProvisionedThroughputInMibps": 12.5,
        "FileSystemProtection": {"ReplicationOverwriteProtection": "ENABLED"},
        "Tags": [{"Key": "team", "Value": "shop"}],
        **changes,
    }


def reader(*file_systems: dict[str, Any], **answers: Any) -> Pages:
    moved = [{"TransitionToIA": "AFTER_30_DAYS"}, {"TransitionToArchive": "AFTER_90_DAYS"}]
    return Pages({LISTING: [{"FileSystems": list(file_systems)}], LIFECYCLE: [{"LifecyclePolicies": moved}], **answers})


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(reader(described(**changes)), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_file_system_carries_its_bytes_by_class_and_its_lifecycle() -> None:
    one = collected()
    facts = file_system_facts(one)
    assert (one.id, one.arn, one.name, one.state, one.tags) == (ID, ARN, "shared", "available", {"team": "shop"})
    assert one.created is not None
    assert one.created.year == 2026
    assert (facts.standard_bytes, facts.infrequent_bytes, facts.archive_bytes) == (200 * GIB, 90 * GIB, 10 * GIB)
    assert (facts.moves_to_infrequent, facts.moves_to_archive) == ("AFTER_30_DAYS", "AFTER_90_DAYS")
    assert (facts.throughput_mode, facts.provisioned_mibps) == ("provisioned", Decimal("12.5"))
    assert described().keys() <= MODEL.shape_for("FileSystemDescription").members.keys()


def test_bytes_that_aws_gives_as_one_figure_are_split() -> None:
    size = {"Value": 100, "ValueInIA": 30}
    assert file_system_facts(collected(SizeInBytes=size)).standard_bytes == 70
    bare = file_system_facts(collected(SizeInBytes=None))
    assert (bare.standard_bytes, bare.infrequent_bytes) == (None, None)


def test_calls_are_as_the_api_allows() -> None:
    asked = reader(described(), described(FileSystemId="fs-1234567890abcdef0"))
    assert len(list(KIND.listing.collect(asked, "aws"))) == 2
    assert [operation for operation, _ in asked.asked] == [LISTING, LIFECYCLE, LIFECYCLE]
    for operation, parameters in asked.asked:
        shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()


def test_a_lifecycle_that_could_not_be_read_is_unknown_and_asked_for_once() -> None:
    denied = AwsDenied("no", operation=LIFECYCLE, code="AccessDenied")
    two = reader(described(), described(FileSystemId="fs-1234567890abcdef0"), **{LIFECYCLE: [denied]})
    *found, gap = KIND.listing.collect(two, "aws")
    assert [file_system_facts(one).moves_to_infrequent for one in found if isinstance(one, Resource)] == [None, None]
    assert isinstance(gap, Gap)
    assert [operation for operation, _ in two.asked].count(LIFECYCLE) == 1
    none = reader(described(), **{LIFECYCLE: [{"LifecyclePolicies": []}]})
    (plain,) = KIND.listing.collect(none, "aws")
    assert isinstance(plain, Resource)
    assert file_system_facts(plain).moves_to_infrequent == ""


def test_a_refused_listing_is_a_gap_and_what_is_being_deleted_is_left_out() -> None:
    denied = AwsDenied("no", operation=LISTING, code="AccessDenied")
    (gap,) = KIND.listing.collect(reader(**{LISTING: [denied]}), "aws")
    assert isinstance(gap, Gap)
    slow = AwsThrottled("slow down", operation=LISTING, code="Throttling")
    one, cut = KIND.listing.collect(reader(**{LISTING: [{"FileSystems": [described()]}, slow]}), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)
    assert list(KIND.listing.collect(reader(described(LifeCycleState="deleting")), "aws")) == []


def test_standard_storage_has_a_price_and_elastic_throughput_has_none_once_it_is_used() -> None:
    assert FILE_SYSTEMS.cost(file_system(), measured()).monthly == Decimal("60.00")  # 200 × 0.30
    some = FILE_SYSTEMS.cost(file_system(), used(ID, month={"meteredBytes": 1.0}))
    assert (some.monthly, some.missing) == (None, ("elastic_gb: no price for elastic throughput",))
    assert FILE_SYSTEMS.cost(file_system()).monthly is None
    assert FILE_SYSTEMS.cost(file_system(throughput_mode="bursting")).monthly == Decimal("60.00")
    assert file_system_facts(collected(ThroughputMode="elastic")).not_in_cost == (
        "infrequent_access_gb",
        "backup_gb_month",
    )


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"one_zone": True}, "standard_gb_month: no price for One Zone storage"),
        ({"infrequent_bytes": 1}, "infrequent_gb_month: no price for data in Infrequent Access"),
        ({"archive_bytes": 1}, "archive_gb_month: no price for data in Archive"),
        ({"throughput_mode": "provisioned"}, "throughput_mibps_month: no price for throughput beyond"),
        ({"standard_bytes": None}, "standard_gb_month: how much it stores is not known"),
    ],
)
def test_what_has_no_price_makes_the_cost_unknown(changes: dict[str, Json], missing: str) -> None:
    cost = FILE_SYSTEMS.cost(file_system(**changes))
    assert cost.monthly is None
    assert cost.missing[0].startswith(missing)


def test_an_empty_one_costs_nothing_and_one_that_does_not_work_either() -> None:
    assert FILE_SYSTEMS.cost(file_system(standard_bytes=0, one_zone=True), measured()).monthly == Decimal("0.00")
    assert KIND.billed_parts(file_system("creating")) == ()


def test_connections_are_read_by_the_day_and_a_missing_day_is_none() -> None:
    assert all(spec.missing_means_zero and spec.daily and not spec.hourly for spec in KIND.metrics)
    assert not any(spec.applies(file_system("creating")) for spec in KIND.metrics)


def test_an_owner_is_known_by_its_tags() -> None:
    owner = KIND.owner(replace(file_system(), tags={"efs.csi.aws.com/cluster": "true"}))
    assert owner is not None
    assert owner.system == "a Kubernetes cluster"
