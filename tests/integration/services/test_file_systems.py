"""EFS file systems on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_file_systems_are_listed_with_tags_and_what_they_store(aws: AwsDouble, scanned: Scan) -> None:
    efs = aws.client("efs", role=MAKER)
    for name in ("shared", "unused"):
        efs.create_file_system(CreationToken=name, Tags=[{"Key": "Name", "Value": name}])
    outcome = scanned("efs-file-system")
    assert outcome.summary.gaps == ()
    found = {one["name"]: one for one in report_of(outcome)["resources"]}
    assert {name: (one["state"], one["monthlyCost"]) for name, one in found.items()} == {
        "shared": ("available", "0.00"),
        "unused": ("available", "0.00"),
    }
    assert found["shared"]["attributes"]["mount_targets"] == 0
    assert found["shared"]["attributes"]["moves_to_infrequent"] == ""
