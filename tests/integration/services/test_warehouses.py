"""Redshift clusters on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_warehouses_are_listed_priced_and_judged(aws: AwsDouble, scanned: Scan) -> None:
    aws.client("redshift", role=MAKER).create_cluster(
        ClusterIdentifier="sales",
        NodeType="dc2.large",
        NumberOfNodes=2,
        ClusterType="multi-node",
        MasterUsername="root",
        MasterUserPassword="not-A-secret-1",
        Tags=[{"Key": "team", "Value": "shop"}],
    )
    outcome = scanned("redshift-cluster")
    assert outcome.summary.gaps == ()
    (one,) = report_of(outcome)["resources"]
    assert (one["id"], one["state"], one["monthlyCost"], one["tags"]) == (
        "sales",
        "available",
        "365.00",
        {"team": "shop"},
    )
    assert [advice["check"] for advice in report_of(outcome)["recommendations"]] == [
        "redshift_cluster_previous_generation"
    ]
