"""WorkSpaces on moto's servers: a scan lists them, and what moto cannot answer is a gap."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_desktops_are_listed_and_connections_that_cannot_be_read_are_a_gap(aws: AwsDouble, scanned: Scan) -> None:
    ec2 = aws.client("ec2", role=MAKER)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for number, zone in enumerate("ab")
    ]
    ids = [one["Subnet"]["SubnetId"] for one in subnets]
    directory = aws.client("ds", role=MAKER).create_directory(
        Name="corp.example.com", Password="Passw0rd!", Size="Small", VpcSettings={"VpcId": vpc, "SubnetIds": ids}
    )["DirectoryId"]
    workspaces = aws.client("workspaces", role=MAKER)
    workspaces.register_workspace_directory(DirectoryId=directory, SubnetIds=ids, EnableSelfService=True)
    desktop = {
        "DirectoryId": directory,
        "UserName": "jane",
        "BundleId": "wsb-bh8rsxt14",
        "WorkspaceProperties": {"RunningMode": "ALWAYS_ON"},
    }
    made = workspaces.create_workspaces(Workspaces=[desktop])["PendingRequests"][0]["WorkspaceId"]
    outcome = scanned("workspaces-workspace")
    assert [(gap.service, gap.operation) for gap in outcome.summary.gaps] == [
        ("workspaces", "DescribeWorkspacesConnectionStatus")
    ]
    report = report_of(outcome)
    (found,) = report["resources"]
    assert (found["id"], found["attributes"]["running_mode"], found["monthlyCost"]) == (made, "ALWAYS_ON", None)
    assert report["recommendations"] == []
