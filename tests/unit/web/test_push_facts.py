"""What somebody pushes has to be possible: sizes as AWS allows them, an ARN that names the same resource."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any

import pytest

from finops.domain.resource import Resource
from finops.errors import InvalidInput
from finops_operator.plugins.loaded import load_kinds
from finops_web.kind_facts import limits_of
from finops_web.push_facts import arn_problem, require_possible

VOLUME = Resource(
    "ebs-volume", "vol-1", "arn:aws:ec2:us-east-1:444455556666:volume/vol-1", "", "444455556666", "us-east-1", "in-use"
)


def facts(**sent: Any) -> Resource:
    return replace(VOLUME, attributes=sent)


@pytest.mark.parametrize("sent", [{}, {"size_gb": 0}, {"size_gb": 65_536}, {"iops": 256_000}, {"size_gb": None}])
def test_what_aws_allows_is_taken(sent: dict[str, Any]) -> None:
    require_possible(facts(**sent))


@pytest.mark.parametrize(
    ("name", "value"), [("size_gb", 999_999_999_999), ("size_gb", 65_537), ("size_gb", -1), ("iops", 1e9)]
)
def test_a_size_that_aws_never_sells_is_refused_with_the_limit_and_its_source(name: str, value: float) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_possible(facts(**{name: value}), "[3].")

    assert refused.value.field == f"[3].{name}"
    assert "AWS allows 0 to" in refused.value.message
    assert "Amazon EBS volume types" in refused.value.hint


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"arn": "arn:x"}, "is no ARN"),
        ({"account": "111111111111"}, "names account 444455556666, and the resource is of 111111111111"),
        ({"region": "eu-west-1"}, "names region us-east-1, and the resource is in eu-west-1"),
        ({"id": "vol-2"}, "does not name vol-2"),
        ({"id": "vol"}, "does not name vol"),
        ({"kind": "ec2-instance"}, "names no resource of kind ec2-instance"),
    ],
)
def test_an_arn_of_another_account_region_kind_or_resource_is_refused(changes: dict[str, Any], problem: str) -> None:
    assert arn_problem(VOLUME) == ""

    sent = replace(VOLUME, **changes)

    assert arn_problem(sent) == problem
    with pytest.raises(InvalidInput, match=problem):
        require_possible(sent)


@pytest.mark.parametrize(
    ("kind", "identity", "arn", "region"),
    [
        ("s3-bucket", "reports", "arn:aws:s3:::reports", "eu-west-1"),
        ("route53-health-check", "ab-1", "arn:aws:route53:::healthcheck/ab-1", "global"),
        ("ecs-service", "main/web", "arn:aws:ecs:eu-west-1:444455556666:service/main/web", "eu-west-1"),
        ("log-group", "/aws/lambda/x", "arn:aws:logs:eu-west-1:444455556666:log-group:/aws/lambda/x:*", "eu-west-1"),
        (
            "load-balancer",
            "web",
            "arn:aws:elasticloadbalancing:eu-west-1:444455556666:loadbalancer/app/web/1",
            "eu-west-1",
        ),
        ("rds-snapshot", "final", "arn:aws:rds:eu-west-1:444455556666:cluster-snapshot:final", "eu-west-1"),
        ("ami", "ami-1", "arn:aws:ec2:eu-west-1::image/ami-1", "eu-west-1"),
        ("of-another-release", "x", "arn:aws:new:eu-west-1:444455556666:x", "eu-west-1"),
    ],
)
def test_an_arn_as_aws_gives_it_is_taken(kind: str, identity: str, arn: str, region: str) -> None:
    assert arn_problem(Resource(kind, identity, arn, "", "444455556666", region, "")) == ""


def test_the_arn_of_every_kind_is_taken_for_it_and_for_no_other() -> None:
    kinds = load_kinds()
    for name, kind in kinds.items():
        arn, region = kind.sample.arn, kind.sample.arn.split(":")[3] or "us-east-1"
        sent = Resource(name, kind.sample.id, arn, "", "111111111111", region, "")
        assert arn_problem(sent) == "", name
        taken = [other for other in kinds if "of kind" not in arn_problem(replace(sent, kind=other))]
        assert taken == [name], arn


def test_what_is_said_of_facts_is_what_kinds_declare() -> None:
    kinds = load_kinds()

    assert sum(bool(kind.limits) for kind in kinds.values()) >= 11
    for name, kind in kinds.items():
        assert set(kind.limits) <= {one.name for one in fields(kind.facts)}, name
        assert {fact: asdict(one) for fact, one in limits_of(name).items()} == {
            fact: asdict(one) for fact, one in kind.limits.items()
        }


def test_the_trail_of_an_organization_may_be_the_management_accounts() -> None:
    trail = replace(
        VOLUME,
        kind="cloudtrail-trail",
        id="arn:aws:cloudtrail:us-east-1:999999999999:trail/all",
        arn="arn:aws:cloudtrail:us-east-1:999999999999:trail/all",
    )

    assert arn_problem(trail) == ""
