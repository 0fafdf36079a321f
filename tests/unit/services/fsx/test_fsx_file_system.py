"""FSx file systems as collected: all four types, errors as gaps, and a cost that no table knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.fsx.shares import ARN, ID, SYSTEMS, file_system

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.fsx.file_system import KIND, FsxFacts

MODEL = botocore.session.get_session().get_service_model("fsx")
LIST = "fsx:DescribeFileSystems"
TYPES = {
    "WINDOWS": "WindowsConfiguration",
    "LUSTRE": "LustreConfiguration",
    "ONTAP": "OntapConfiguration",
    "OPENZFS": "OpenZFSConfiguration",
}


def listed(name: str = "WINDOWS", **changes: Any) -> dict[str, Any]:
    return {
        "FileSystemId": ID,
        "FileSystemType": name,
        "Lifecycle": "AVAILABLE",
        "StorageCapacity": 2000,
        "StorageType": "SSD",
        "ResourceARN": ARN,
        "CreationTime": "1767225600.0",
        "Tags": [{"Key": "Name", "Value": "office"}],
        TYPES[name]: {"ThroughputCapacity": 128, "DeploymentType": "MULTI_AZ_1", "AutomaticBackupRetentionDays": 7},
        **changes,
    }


def collected(*pages: Any) -> list[Resource | Gap]:
    return list(KIND.listing.collect(Pages({LIST: pages}), "aws"))


@pytest.mark.parametrize("name", TYPES)
def test_a_file_system_carries_what_was_ordered_of_it(name: str) -> None:
    asked = Pages({LIST: [{"FileSystems": [listed(name)]}]})
    (one,) = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    own = facts_of(FsxFacts, one)
    assert (one.id, one.arn, one.state, one.name) == (ID, ARN, "available", "office")
    assert one.created is not None
    assert (own.file_system_type, own.storage_gib, own.storage_type, own.changing) == (name, 2000, "SSD", False)
    assert (own.throughput_mbps, own.deployment, own.backup_days) == (
        None if name == "LUSTRE" else 128,
        "MULTI_AZ_1",
        7,
    )
    assert listed(name).keys() <= MODEL.shape_for("FileSystem").members.keys()
    shape = MODEL.operation_model("DescribeFileSystems").input_shape
    assert not ParamValidator().validate(asked.asked[0][1], shape).has_errors()


def test_a_change_that_is_still_carried_out_is_known() -> None:
    (one,) = collected({"FileSystems": [listed(AdministrativeActions=[{"Status": "IN_PROGRESS"}])]})
    (done,) = collected({"FileSystems": [listed(AdministrativeActions=[{"Status": "COMPLETED"}])]})
    assert isinstance(one, Resource)
    assert isinstance(done, Resource)
    assert (facts_of(FsxFacts, one).changing, facts_of(FsxFacts, done).changing) == (True, False)


def test_one_that_is_being_deleted_is_left_out_and_errors_are_gaps() -> None:
    assert collected({"FileSystems": [listed(Lifecycle="DELETING")]}) == []
    (gap,) = collected(AwsDenied("no", operation=LIST, code="AccessDeniedException"))
    assert isinstance(gap, Gap)
    slow = AwsThrottled("slow down", operation=LIST, code="ThrottlingException")
    one, cut = collected({"FileSystems": [listed()]}, slow)
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_its_cost_is_unknown_and_never_zero_while_it_works() -> None:
    assert SYSTEMS.cost(file_system()).missing == (
        "storage_gb_month: no price for FSx storage",
        "throughput_mbps_month: no price for FSx throughput",
    )
    assert len(SYSTEMS.cost(file_system(throughput_mbps=None)).missing) == 1
    assert KIND.billed_parts(file_system("creating")) == ()
    assert SYSTEMS.cost(file_system("")).monthly is None


def test_metrics_are_read_where_a_type_has_them_and_an_owner_is_known_by_tags() -> None:
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert [spec.applies(file_system(file_system_type="LUSTRE")) for spec in KIND.metrics] == [True, True, False, False]
    owner = KIND.owner(replace(file_system(), tags={"fsx.csi.aws.com/cluster": "true"}))
    assert owner is not None
    assert owner.system == "a Kubernetes cluster"
