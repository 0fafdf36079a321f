"""FSx file systems on moto's servers: a scan lists them with what was ordered of them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_file_systems_are_listed_with_their_type_and_storage(aws: AwsDouble, scanned: Scan) -> None:
    fsx = aws.client("fsx", role=MAKER)
    made = fsx.create_file_system(
        FileSystemType="WINDOWS",
        StorageCapacity=2000,
        StorageType="SSD",
        SubnetIds=["subnet-12345678"],
        WindowsConfiguration={"ThroughputCapacity": 128, "DeploymentType": "SINGLE_AZ_2"},
        Tags=[{"Key": "Name", "Value": "office"}],
    )["FileSystem"]["FileSystemId"]
    outcome = scanned("fsx-file-system")
    assert outcome.summary.gaps == ()
    (found,) = report_of(outcome)["resources"]
    own = found["attributes"]
    assert (found["id"], found["name"], found["monthlyCost"]) == (made, "office", None)
    assert (own["file_system_type"], own["storage_gib"]) == ("WINDOWS", 2000)
