"""OpenSearch domains on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_domains_are_listed_priced_and_judged(aws: AwsDouble, scanned: Scan) -> None:
    search = aws.client("opensearch", role=MAKER)
    for number in range(6):
        search.create_domain(
            DomainName=f"logs-{number}",
            EngineVersion="OpenSearch_2.11",
            ClusterConfig={"InstanceType": "m4.large.search", "InstanceCount": 2, "DedicatedMasterEnabled": False},
            EBSOptions={"EBSEnabled": True, "VolumeType": "gp2", "VolumeSize": 10},
        )
    outcome = scanned("opensearch-domain")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert sorted(found) == [f"logs-{number}" for number in range(6)]
    assert found["logs-0"]["monthlyCost"] is None
    assert found["logs-0"]["attributes"]["volume_type"] == "gp2"
    states = {one["state"] for one in found.values()}
    advice = {one["check"] for one in report_of(outcome)["recommendations"]}
    assert (states, advice) == (
        {"active"},
        {"opensearch_domain_previous_generation", "opensearch_domain_gp2"},
    )
