"""Who may become whom: keys, roles, external ids, sessions and their expiry, with the real SDK."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config

from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id
from finops_sandbox.aws.roles import BASE_ACCESS_KEY, BASE_USER_ARN

Refusal = Callable[[Callable[[], object]], str]
SCANNER = "arn:aws:iam::111111111111:role/finops-scanner"
EXECUTOR = "arn:aws:iam::111111111111:role/finops-executor"
INNER = "arn:aws:iam::111111111111:role/finops-inner"
OPEN = "arn:aws:iam::111111111111:role/finops-open"
STAGING = "arn:aws:iam::222222222222:role/finops-scanner"


def raw(aws: AwsDouble, service: str, key: str, secret: str, token: str | None = None) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )


def assume(aws: AwsDouble, **changes: Any) -> dict[str, Any]:
    request = {"RoleArn": SCANNER, "RoleSessionName": "finops-1", "ExternalId": "finops-sandbox", **changes}
    answer: dict[str, Any] = aws.client("sts").assume_role(**{k: v for k, v in request.items() if v is not None})
    return answer


def test_the_static_key_is_the_base_user(aws: AwsDouble) -> None:
    identity = aws.client("sts").get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == ("111111111111", BASE_USER_ARN)


def test_the_base_user_may_do_nothing_but_assume_roles(aws: AwsDouble, refusal: Refusal) -> None:
    assert refusal(aws.client("ec2").describe_instances) == "UnauthorizedOperation"
    assert refusal(aws.client("cloudwatch").list_metrics) == "AccessDenied"
    assert refusal(lambda: assume(aws, RoleArn="arn:aws:iam::111111111111:role/admin")) == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ec2", "describe_instances", "AuthFailure"),
        ("cloudwatch", "list_metrics", "UnrecognizedClientException"),
    ],
)
def test_an_unknown_key_is_refused_in_each_services_words(
    aws: AwsDouble, refusal: Refusal, service: str, call: str, code: str
) -> None:
    assert refusal(getattr(raw(aws, service, "AKIAUNKNOWN000000000", "x"), call)) == code


def test_a_wrong_secret_is_a_wrong_signature(aws: AwsDouble, refusal: Refusal) -> None:
    assert refusal(raw(aws, "sts", BASE_ACCESS_KEY, "wrong").get_caller_identity) == "SignatureDoesNotMatch"
    assert refusal(raw(aws, "ec2", BASE_ACCESS_KEY, "wrong").describe_instances) == "AuthFailure"


def test_a_session_has_its_own_name_and_account(aws: AwsDouble) -> None:
    sts = aws.client("sts", role=STAGING, RoleSessionName="finops-42")
    identity = sts.get_caller_identity()
    assert identity["Account"] == "222222222222"
    assert identity["Arn"] == "arn:aws:sts::222222222222:assumed-role/finops-scanner/finops-42"
    assert identity["UserId"].endswith(":finops-42")


def test_a_role_of_another_account_sees_that_account(aws: AwsDouble) -> None:
    production = aws.client("ec2", role=SCANNER).describe_instances()["Reservations"]
    staging = aws.client("ec2", role=STAGING).describe_instances()["Reservations"]
    assert (len(production), len(staging)) == (11, 12)
    assert {one["OwnerId"] for one in staging} == {"222222222222"}


@pytest.mark.parametrize("external_id", [None, "wrong-id"])
def test_a_role_with_an_external_id_demands_it(aws: AwsDouble, refusal: Refusal, external_id: str | None) -> None:
    assert refusal(lambda: assume(aws, ExternalId=external_id)) == "AccessDenied"


def test_a_role_without_an_external_id_takes_any_caller_it_trusts(aws: AwsDouble) -> None:
    assert assume(aws, RoleArn=OPEN, ExternalId=None)["AssumedRoleUser"]["Arn"].endswith("finops-open/finops-1")


def test_a_missing_role_is_answered_like_a_forbidden_one(aws: AwsDouble, refusal: Refusal) -> None:
    assert refusal(lambda: assume(aws, RoleArn="arn:aws:iam::111111111111:role/finops-none")) == "AccessDenied"


@pytest.mark.parametrize(
    "change",
    [
        {"RoleSessionName": "with space"},
        {"RoleSessionName": "münchen"},
        {"SourceIdentity": "slack:U0123"},
        {"SourceIdentity": "aws:alice"},
        {"ExternalId": "a b"},
        {"Tags": [{"Key": "a", "Value": "<b>"}]},
        {"Tags": [{"Key": f"k{number}", "Value": ""} for number in range(51)]},
        {"DurationSeconds": 3601},
    ],
)
def test_aws_alphabets_and_lengths_are_kept(aws: AwsDouble, refusal: Refusal, change: dict[str, Any]) -> None:
    assert refusal(lambda: assume(aws, **change)) == "ValidationError"


def test_tag_keys_may_not_repeat_in_another_case(aws: AwsDouble, refusal: Refusal) -> None:
    tags = [{"Key": "Team", "Value": "a"}, {"Key": "team", "Value": "b"}]
    assert refusal(lambda: assume(aws, Tags=tags)) == "InvalidParameterValue"


@pytest.mark.parametrize(("seconds", "role"), [(900, SCANNER), (3600, SCANNER), (7200, OPEN)])
def test_a_session_lasts_as_long_as_asked(aws: AwsDouble, seconds: int, role: str) -> None:
    expiration = assume(aws, RoleArn=role, DurationSeconds=seconds)["Credentials"]["Expiration"]
    assert abs(expiration - datetime.now(UTC) - timedelta(seconds=seconds)) < timedelta(seconds=5)


def test_a_chained_session_lasts_an_hour_at_most_and_keeps_its_source_identity(
    aws: AwsDouble, refusal: Refusal
) -> None:
    sts = aws.client("sts", role=OPEN, SourceIdentity="slack.U1")
    request: dict[str, Any] = {"RoleArn": INNER, "RoleSessionName": "inner"}
    assert sts.assume_role(**request, DurationSeconds=3600)["SourceIdentity"] == "slack.U1"
    assert refusal(lambda: sts.assume_role(**request, DurationSeconds=7200)) == "ValidationError"
    assert refusal(lambda: sts.assume_role(**request, SourceIdentity="slack.U2")) == "AccessDenied"
    # The inner role trusts the outer one, not the base user.
    assert refusal(lambda: aws.client("sts").assume_role(**request)) == "AccessDenied"


def test_source_identity_is_echoed(aws: AwsDouble) -> None:
    assert assume(aws, SourceIdentity="slack.U0123")["SourceIdentity"] == "slack.U0123"
    assert "SourceIdentity" not in assume(aws)


def test_a_session_policy_of_2048_characters_is_the_longest(aws: AwsDouble, refusal: Refusal) -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}
    text = json.dumps(document)
    assert assume(aws, Policy=text.ljust(2048))["PackedPolicySize"] == 100
    assert refusal(lambda: assume(aws, Policy=text.ljust(2049))) == "ValidationError"
    assert refusal(lambda: assume(aws, Policy="{nonsense")) == "MalformedPolicyDocument"


def test_an_expired_session_is_refused_by_every_service(aws: AwsDouble, refusal: Refusal) -> None:
    made = assume(aws, DurationSeconds=900)["Credentials"]
    keys = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    aws.control.advance(890)
    raw(aws, "ec2", *keys).describe_instances()
    aws.control.advance(20)
    assert refusal(raw(aws, "sts", *keys).get_caller_identity) == "ExpiredToken"
    assert refusal(raw(aws, "cloudwatch", *keys).list_metrics) == "ExpiredToken"
    assert refusal(raw(aws, "ec2", *keys).describe_instances) == "RequestExpired"


def test_a_session_key_without_its_token_is_worth_nothing(aws: AwsDouble, refusal: Refusal) -> None:
    made = assume(aws)["Credentials"]
    client = raw(aws, "sts", made["AccessKeyId"], made["SecretAccessKey"])
    assert refusal(client.get_caller_identity) == "InvalidClientTokenId"


def test_the_record_names_role_session_source_and_tags(aws: AwsDouble) -> None:
    tags = [{"Key": "namespace", "Value": "team-a"}]
    ec2 = aws.client("ec2", role=EXECUTOR, RoleSessionName="ar-1", SourceIdentity="k8s.alice", Tags=tags)
    instance = resource_id("instance", "111111111111", "us-east-1", "web")
    ec2.stop_instances(InstanceIds=[instance])
    (call,) = aws.calls
    assert (call.role_arn, call.session_name, call.source_identity) == (EXECUTOR, "ar-1", "k8s.alice")
    assert call.session_tags == {"namespace": "team-a"}
    assert (call.account, call.region, call.action) == ("111111111111", "us-east-1", "StopInstances")
    assert (call.targets, call.result, call.applied) == ((instance,), "ok", True)
