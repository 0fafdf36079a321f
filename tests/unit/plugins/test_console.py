"""Links to AWS's console: each partition has its own, and where none is known there is no link."""

from __future__ import annotations

import pytest

from finops.domain.resource import Resource
from finops_operator.plugins.console import console_page, partition_of


@pytest.mark.parametrize(
    ("arn", "region", "link"),
    [
        ("arn:aws:fax:us-east-1:1:line/l-1", "us-east-1", "https://us-east-1.console.aws.amazon.com/fax?id=l-1"),
        ("arn:aws-cn:fax:cn-north-1:1:line/l-1", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/fax?id=l-1"),
        (
            "arn:aws-us-gov:fax:us-gov-west-1:1:line/l-1",
            "us-gov-west-1",
            "https://us-gov-west-1.console.amazonaws-us-gov.com/fax?id=l-1",
        ),
        (
            "arn:aws-eusc:fax:eusc-de-east-1:1:line/l-1",
            "eusc-de-east-1",
            "https://eusc-de-east-1.console.amazonaws-eusc.eu/fax?id=l-1",
        ),
        ("arn:aws-iso:fax:us-iso-east-1:1:line/l-1", "us-iso-east-1", ""),
    ],
)
def test_the_link_leads_to_the_console_of_the_resources_partition(arn: str, region: str, link: str) -> None:
    line = Resource("fax-line", "l-1", arn, "", "1", region, "idle")
    assert console_page("fax?id={id}")(line) == link


def test_what_is_no_arn_counts_as_the_partition_that_most_have() -> None:
    assert partition_of("l-1") == "aws"
