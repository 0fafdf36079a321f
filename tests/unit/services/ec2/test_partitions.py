"""EC2 in China, GovCloud and the European Sovereign Cloud: ARNs, links, KMS's names of EC2, prices or none."""

from __future__ import annotations

import fnmatch
import json

import pytest
from tests.support.facts import cost
from tests.unit.services.ec2.test_ec2_instance import Pages, instance, page

from finops.domain.resource import Resource
from finops_operator.services.ec2.instance import KIND
from finops_operator.services.ec2.rules.calls import EC2_ANYWHERE, GRANTS_FOR_AWS, via_ec2

PARTITIONS = [
    ("aws", "eu-central-1", "https://eu-central-1.console.aws.amazon.com/", "amazonaws.com"),
    ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/", "amazonaws.com.cn"),
    ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/", "amazonaws.com"),
    ("aws-eusc", "eusc-de-east-1", "https://eusc-de-east-1.console.amazonaws-eusc.eu/", "amazonaws.eu"),
]


def collected(partition: str, region: str) -> Resource:
    class Here(Pages):
        pass

    reader = Here(page(instance(Platform="", PlatformDetails="Linux/UNIX", UsageOperation="RunInstances")))
    reader.region = region
    (found,) = KIND.listing.collect(reader, partition)
    assert isinstance(found, Resource)
    return found


@pytest.mark.parametrize(("partition", "region", "console", "_domain"), PARTITIONS)
def test_an_instance_has_the_arn_and_the_console_of_its_partition(
    partition: str, region: str, console: str, _domain: str
) -> None:
    found = collected(partition, region)
    assert found.arn == f"arn:{partition}:ec2:{region}:111111111111:instance/i-0123456789abcdef0"
    assert KIND.console_url(found).startswith(console)


@pytest.mark.parametrize(("_partition", "region", "_console", "domain"), PARTITIONS)
def test_a_grant_on_a_key_names_ec2_as_kms_knows_it_in_the_partition(
    _partition: str, region: str, _console: str, domain: str
) -> None:
    names = [str(one) for one in via_ec2(region)]
    assert f"ec2.{region}.{domain}" in names
    assert all(f".{region}." in name for name in names), "no other region is allowed"
    assert all(any(fnmatch.fnmatch(name, pattern) for pattern in EC2_ANYWHERE) for name in names)
    assert all(pattern in json.dumps(GRANTS_FOR_AWS["Condition"]) for pattern in EC2_ANYWHERE)


@pytest.mark.parametrize(
    ("partition", "region", "known"),
    [
        ("aws-us-gov", "us-gov-west-1", True),
        ("aws-cn", "cn-north-1", False),
        ("aws-cn", "cn-northwest-1", False),
        ("aws-eusc", "eusc-de-east-1", False),
    ],
)
def test_a_price_is_that_of_the_partition_or_unknown_with_the_reason(partition: str, region: str, known: bool) -> None:
    """China bills in another currency, and no table is of the Sovereign Cloud: another region's price is none."""
    found = cost(collected(partition, region))
    assert (found.monthly is not None) is known
    assert bool(found.missing) is not known
    assert known or region in " ".join(found.missing)
