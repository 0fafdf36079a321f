"""Acts that would strand an instance or its users, on the double of AWS: refused before anything is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.act_cases import find
from tests.support.act_world import ACCESS, ACCOUNT, REGION, TENANT, FastClock, make_sessions

from finops_operator.plugins.action import Action, PolicyFacts, Target
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.roles import BASE_USER_ARN

_ADMIN = f"arn:aws:iam::{ACCOUNT}:user/admin"
_BASE = {"arn": BASE_USER_ARN, "accessKey": "AKIASANDBOXOPERATOR1", "secretKey": "sandbox-operator-secret"}
_EVERYTHING = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
_STANDARD = "L-1216C47A"
_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f3c2a9e-1d2b-4c3d-8e4f-5a6b7c8d9e0f"
_LARGER: dict[str, Any] = {"instanceType": "m5.2xlarge"}


@pytest.fixture(scope="module")
def aws_double() -> Iterator[AwsDouble]:
    estate = {
        "accounts": {ACCOUNT: {"name": "production", "regions": [REGION]}},
        "externalId": "finops-sandbox",
        "users": [_BASE, {"arn": _ADMIN, "accessKey": "AKIAADMIN", "secretKey": "secret", "policies": _EVERYTHING}],
        "resources": [
            {
                "account": "production",
                "region": REGION,
                "instances": [
                    {"name": "web", "type": "m5.xlarge", "volumes": [{"size": 20, "key": _KEY}]},
                    {"name": "other", "type": "m5.xlarge"},
                ],
            }
        ],
    }
    with AwsDouble(estate) as double:
        yield double


def _refusals(double: AwsDouble, action: Action, parameters: dict[str, Any]) -> dict[str, str]:
    """Return code → sentence."""
    clock = double.estate.clock
    reader = make_sessions(FastClock(clock.now().timestamp())).reader(ACCESS, REGION, tenant=TENANT)
    observation = action.observe(reader, Target(find("web"), parameters, now=clock.now()))
    return {one.code: one.message for one in action.preflight(observation, parameters, PolicyFacts())}


def test_an_instance_with_a_key_in_order_and_no_load_balancer_may_be_stopped_and_resized(aws: AwsDouble) -> None:
    assert _refusals(aws, STOP, {}) == {}
    assert _refusals(aws, RESIZE, _LARGER) == {}


def test_a_disabled_key_keeps_the_instance_running(aws: AwsDouble) -> None:
    aws.client("kms", user_arn=_ADMIN).disable_key(KeyId=_KEY.rpartition("/")[2])
    assert "is disabled" in _refusals(aws, STOP, {})["KmsKeyUnusable"]


def test_a_quota_counts_what_others_run(aws: AwsDouble) -> None:
    aws.estate.further.quotas[ACCOUNT, REGION, _STANDARD] = 11
    assert "others use 4 of them, and it needs 8" in _refusals(aws, RESIZE, _LARGER)["QuotaTooSmall"]
    aws.estate.further.quotas[ACCOUNT, REGION, _STANDARD] = 12
    assert _refusals(aws, RESIZE, _LARGER) == {}


def test_the_last_healthy_target_is_not_stopped_until_another_joins(aws: AwsDouble) -> None:
    balancers, ec2 = aws.client("elbv2", user_arn=_ADMIN), aws.client("ec2", user_arn=_ADMIN)
    subnets = ec2.describe_subnets()["Subnets"][:2]
    group = balancers.create_target_group(
        Name="shop", Protocol="HTTP", Port=80, VpcId=subnets[0]["VpcId"], TargetType="instance"
    )["TargetGroups"][0]["TargetGroupArn"]
    balancer = balancers.create_load_balancer(Name="shop", Subnets=[one["SubnetId"] for one in subnets])
    balancers.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    balancers.register_targets(TargetGroupArn=group, Targets=[{"Id": find("web").id}])
    try:
        assert "target group shop" in _refusals(aws, STOP, {})["LastHealthyTarget"]
        balancers.register_targets(TargetGroupArn=group, Targets=[{"Id": find("other").id}])
        assert _refusals(aws, STOP, {}) == {}
    finally:
        # The double's reset does not reach load balancers.
        balancers.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"])
        balancers.delete_target_group(TargetGroupArn=group)
