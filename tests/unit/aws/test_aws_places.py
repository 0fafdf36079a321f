"""Where services are asked that do not exist in every region, per partition."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from finops_operator.aws.counting import CallCounter
from finops_operator.aws.places import region_that_serves
from finops_operator.aws.session import SdkSessions

SESSION = botocore.session.Session()


@pytest.mark.parametrize(
    ("service", "region", "home"),
    [
        ("pricing", "eu-west-1", "us-east-1"),
        ("pricing", "cn-north-1", "cn-northwest-1"),
        ("cur", "cn-north-1", "cn-northwest-1"),
        ("cost-optimization-hub", "eu-west-1", "us-east-1"),
        ("bcm-data-exports", "us-gov-east-1", "us-gov-west-1"),
    ],
)
def test_what_exists_in_a_few_regions_is_asked_at_the_home_of_its_partition(
    service: str, region: str, home: str
) -> None:
    assert region_that_serves(SESSION, service, region) == home


@pytest.mark.parametrize("region", ["eu-west-1", "mx-central-1", "cn-north-1", "us-gov-east-1", "xx-unheard-9"])
@pytest.mark.parametrize("service", ["ec2", "rds", "s3", "sts", "cloudwatch"])
def test_regional_services_are_asked_in_the_region_that_is_meant(service: str, region: str) -> None:
    assert region_that_serves(SESSION, service, region) == region


def test_prices_are_asked_nearby_where_they_can_be() -> None:
    assert region_that_serves(SESSION, "pricing", "eu-central-1") == "eu-central-1"


@pytest.mark.parametrize(
    ("service", "region", "endpoint", "signed_for"),
    [
        ("iam", "eu-west-1", "https://iam.amazonaws.com", "us-east-1"),
        ("iam", "cn-northwest-1", "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("iam", "eusc-de-east-1", "https://iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ("iam", "us-gov-east-1", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"),
        ("route53", "eu-west-1", "https://route53.amazonaws.com", "us-east-1"),
        ("route53", "cn-north-1", "https://route53.amazonaws.com.cn", "cn-northwest-1"),
        ("route53", "us-gov-east-1", "https://route53.us-gov.amazonaws.com", "us-gov-west-1"),
        ("cloudfront", "ap-south-1", "https://cloudfront.amazonaws.com", "us-east-1"),
        ("cloudfront", "cn-north-1", "https://cloudfront.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"),
        ("ce", "eu-west-1", "https://ce.us-east-1.amazonaws.com", "us-east-1"),
        ("pricing", "eu-west-1", "https://api.pricing.us-east-1.amazonaws.com", "us-east-1"),
        ("s3", "eu-west-1", "https://s3.eu-west-1.amazonaws.com", "eu-west-1"),
        ("sts", "us-east-1", "https://sts.us-east-1.amazonaws.com", "us-east-1"),
        ("sts", "eu-west-1", "https://sts.eu-west-1.amazonaws.com", "eu-west-1"),
        ("sts", "ap-east-1", "https://sts.ap-east-1.amazonaws.com", "ap-east-1"),
        ("sts", "cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("sts", "us-gov-east-1", "https://sts.us-gov-east-1.amazonaws.com", "us-gov-east-1"),
        ("sts", "eusc-de-east-1", "https://sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
    ],
)
def test_requests_reach_an_endpoint_that_exists_and_are_signed_for_it(
    monkeypatch: pytest.MonkeyPatch, service: str, region: str, endpoint: str, signed_for: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    sdk = SdkSessions(CallCounter())
    session = sdk.with_keys("AKIAEXAMPLE", "none", "none")
    made = sdk.client(session, service, region_that_serves(session, service, region), Config())

    def keep(request: Any, **_ignored: Any) -> None:
        raise Unsent(request.url, request.headers["Authorization"].decode())

    made.meta.events.register("before-send", keep)
    with pytest.raises(Unsent) as unsent:
        getattr(made, FIRST[service])(**PARAMETERS.get(service, {}))
    url, authorization = unsent.value.args
    assert url.startswith(endpoint)
    assert f"/{signed_for}/" in authorization


class Unsent(Exception):
    """Raised with what would have been sent where."""


FIRST = {
    "sts": "get_caller_identity",
    "ce": "get_cost_categories",
    "cloudfront": "list_distributions",
    "iam": "list_users",
    "pricing": "describe_services",
    "route53": "list_hosted_zones",
    "s3": "list_buckets",
}
PARAMETERS = {"ce": {"TimePeriod": {"Start": "2026-01-01", "End": "2026-02-01"}}}
