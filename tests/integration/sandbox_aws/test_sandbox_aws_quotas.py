"""Service Quotas in the double: one quota, and all of them page by page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from finops_sandbox.aws.double import AwsDouble

Refusal = Callable[[Callable[[], object]], str]
_SCANNER = "arn:aws:iam::111111111111:role/finops-scanner"


def test_all_quotas_come_page_by_page_and_each_is_the_one_that_is_asked_for_alone(aws: AwsDouble) -> None:
    quotas = aws.client("service-quotas", role=_SCANNER)
    pages = quotas.get_paginator("list_service_quotas").paginate(ServiceCode="ec2", PaginationConfig={"PageSize": 2})
    listed = [[quota["QuotaCode"] for quota in page["Quotas"]] for page in pages]
    assert [len(page) for page in listed] == [2, 2, 1]
    whole = quotas.list_service_quotas(ServiceCode="ec2")["Quotas"]
    assert [quota["QuotaCode"] for quota in whole] == [code for page in listed for code in page]
    alone = [quotas.get_service_quota(ServiceCode="ec2", QuotaCode=one["QuotaCode"])["Quota"] for one in whole]
    assert alone == whole


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ServiceCode": "nothing"}, "NoSuchResourceException"),
        ({"ServiceCode": "ec2", "NextToken": "x"}, "InvalidPaginationTokenException"),
        ({"ServiceCode": "ec2", "MaxResults": 100, "NextToken": "-1"}, "InvalidPaginationTokenException"),
    ],
)
def test_a_service_or_a_page_that_is_not_there_is_refused(
    aws: AwsDouble, refusal: Refusal, asked: dict[str, object], code: str
) -> None:
    quotas = aws.client("service-quotas", role=_SCANNER)
    assert refusal(lambda: quotas.list_service_quotas(**asked)) == code
