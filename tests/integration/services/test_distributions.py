"""CloudFront distributions on moto's servers: a scan lists them once."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_distributions_are_listed_once_with_their_tags(aws: AwsDouble, scanned: Scan) -> None:
    cloudfront = aws.client("cloudfront", role=MAKER)
    origin = {
        "Id": "origin",
        "DomainName": "origin.example.com",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    }
    configuration = {
        "CallerReference": "1",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "origin",
            "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    }
    made = cloudfront.create_distribution_with_tags(
        DistributionConfigWithTags={
            "DistributionConfig": configuration,
            "Tags": {"Items": [{"Key": "Name", "Value": "shop"}]},
        }
    )["Distribution"]["Id"]
    outcome = scanned("cloudfront-distribution")
    assert outcome.summary.gaps == ()
    (found,) = report_of(outcome)["resources"]
    assert (found["id"], found["state"], found["region"]) == (made, "enabled", "us-east-1")
    assert found["attributes"]["dedicated_address"] is False
