"""botocore's exceptions become ours, and a changing call whose answer is lost is never called rejected."""

from __future__ import annotations

import json

import pytest
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from finops.errors import (
    AwsCredentialsInvalid,
    AwsDenied,
    AwsError,
    AwsOutcomeUnknown,
    AwsRejected,
    AwsThrottled,
    AwsUnreachable,
)
from finops_operator.aws.errors import SDK_ERRORS, CallContext, translate
from finops_sandbox.aws.errors import THROTTLED, in_words_of, throttled

READ = CallContext("ec2:DescribeInstances", "111111111111", "us-east-1")
CHANGE = CallContext("ec2:StopInstances", "111111111111", "us-east-1", changing=True)
URL = "https://ec2.us-east-1.amazonaws.com"


def answered(code: str, status: int) -> sdk.ClientError:
    return sdk.ClientError(
        {"Error": {"Code": code, "Message": "told so"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation"
    )


@pytest.mark.parametrize("context", [READ, CHANGE])
@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("RequestLimitExceeded", 503, AwsThrottled),
        ("Throttling", 400, AwsThrottled),
        ("ThrottlingException", 400, AwsThrottled),
        ("UnauthorizedOperation", 403, AwsDenied),
        ("AccessDenied", 403, AwsDenied),
        ("ExpiredToken", 400, AwsCredentialsInvalid),
        ("InvalidClientTokenId", 403, AwsCredentialsInvalid),
        ("AuthFailure", 401, AwsCredentialsInvalid),
        ("OptInRequired", 401, AwsUnreachable),
        ("IncorrectInstanceState", 400, AwsRejected),
        ("InvalidInstanceID.NotFound", 400, AwsRejected),
    ],
)
def test_an_answer_from_aws_says_by_its_code_what_it_means(
    context: CallContext, code: str, status: int, kind: type[AwsError]
) -> None:
    found = translate(answered(code, status), context)
    assert type(found) is kind
    assert (found.code, found.operation, found.account, found.region) == (
        code,
        context.operation,
        "111111111111",
        "us-east-1",
    )


def test_a_server_error_leaves_a_change_in_doubt_and_a_read_merely_unread() -> None:
    assert type(translate(answered("InternalError", 500), CHANGE)) is AwsOutcomeUnknown
    assert type(translate(answered("Unavailable", 503), CHANGE)) is AwsOutcomeUnknown
    assert type(translate(answered("InternalError", 500), READ)) is AwsUnreachable


@pytest.mark.parametrize(
    "error",
    [
        sdk.ReadTimeoutError(endpoint_url=URL),
        sdk.ConnectionClosedError(endpoint_url=URL),
        sdk.HTTPClientError(error=OSError("reset")),
        sdk.SSLError(endpoint_url=URL, error=OSError("broken")),
    ],
)
def test_a_lost_answer_to_a_change_is_unknown_and_to_a_read_unreachable(error: sdk.BotoCoreError) -> None:
    assert type(translate(error, CHANGE)) is AwsOutcomeUnknown
    assert type(translate(error, READ)) is AwsUnreachable


@pytest.mark.parametrize(
    "error",
    [
        sdk.EndpointConnectionError(endpoint_url=URL),
        sdk.ConnectTimeoutError(endpoint_url=URL),
        sdk.ProxyConnectionError(proxy_url="http://proxy"),
    ],
)
def test_a_connection_that_was_never_made_changed_nothing(error: sdk.BotoCoreError) -> None:
    assert type(translate(error, CHANGE)) is AwsUnreachable


def test_missing_credentials_name_the_ways_to_give_them() -> None:
    found = translate(sdk.NoCredentialsError(), CHANGE)
    assert type(found) is AwsCredentialsInvalid
    assert "aws.existingSecret" in found.hint

    assert "AWS_PROFILE" in found.hint
    assert "aws configure" in found.hint


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (sdk.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "AWS_PROFILE"),
        (sdk.CredentialRetrievalError(provider="custom-process", error_msg=""), "aws sso login"),
        (sdk.SSOTokenLoadError(error_msg="Token for x does not exist"), "aws sso login"),
        (sdk.UnauthorizedSSOTokenError(), "aws sso login"),
        (sdk.TokenRetrievalError(provider="sso", error_msg="expired"), "aws sso login"),
        (sdk.ProfileNotFound(profile="nope"), "AWS_PROFILE"),
        (sdk.ConfigParseError(path="/etc/aws/config"), "~/.aws/config"),
        (sdk.InvalidConfigError(error_msg="source_profile"), "~/.aws/config"),
        (FileNotFoundError(2, "No such file or directory", "/var/run/secrets/token"), "web identity"),
        (PermissionError(13, "Permission denied", "/var/run/secrets/token"), "web identity"),
        (json.JSONDecodeError("Expecting value", "s3cret", 0), "AWS_PROFILE"),
        (UnicodeDecodeError("utf-8", b"s3cret\xff", 6, 7, "invalid start byte"), "AWS_PROFILE"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_leaves_us_without_credentials_is_no_matter_of_the_network(error: Exception, words: str) -> None:
    assert isinstance(error, SDK_ERRORS)
    found = translate(error, READ)
    assert type(found) is AwsCredentialsInvalid
    assert words in found.hint
    assert "network" not in found.hint
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        sdk.InvalidDefaultsMode(mode="foo", valid_modes="standard"),
        sdk.InvalidRetryModeError(provided_retry_mode="foo", valid_modes="standard"),
        sdk.InvalidSTSRegionalEndpointsConfigError(sts_regional_endpoints_config="foo"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_setting_that_the_sdk_refuses_was_never_sent_and_says_where_to_correct_it(error: sdk.BotoCoreError) -> None:
    for context in (READ, CHANGE):
        found = translate(error, context)
        assert type(found) is AwsRejected
        assert "~/.aws/config" in found.hint


def test_a_file_that_fails_in_a_change_leaves_it_in_doubt() -> None:
    assert type(translate(FileNotFoundError(2, "gone", "/x"), CHANGE)) is AwsOutcomeUnknown
    assert type(translate(OSError("reset"), READ)) is AwsUnreachable


def test_only_the_network_is_called_the_network_and_no_password_of_an_endpoint_is_shown() -> None:
    found = translate(sdk.EndpointConnectionError(endpoint_url="http://u:s3cret@host:1/"), READ)
    assert "check the network" in found.hint
    assert "s3cret" not in str(found)
    assert "host:1" in found.message


def test_parameters_that_the_sdk_refuses_were_never_sent() -> None:
    assert type(translate(sdk.ParamValidationError(report="no"), CHANGE)) is AwsRejected


def test_a_denial_names_the_permission_to_add() -> None:
    assert "ec2:DescribeInstances" in str(translate(answered("UnauthorizedOperation", 403), READ))


def test_an_answer_that_does_not_parse_is_no_answer() -> None:
    broken = ResponseParserError("unable to parse response (not well-formed)")
    assert isinstance(translate(broken, CallContext("ec2:DescribeInstances")), AwsUnreachable)
    assert isinstance(translate(broken, CallContext("ec2:StopInstances", changing=True)), AwsOutcomeUnknown)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "UnauthorizedOperation",
            "x is not authorized to perform: y with an explicit deny in a service control policy",
        ),
        (
            "AccessDeniedException",
            "User: x is not authorized to perform: y because no service control policy allows the y action",
        ),
        ("AccessDenied", "x with an explicit deny in a resource control policy"),
    ],
)
def test_a_region_that_the_organization_closed_is_distinguished_from_a_missing_permission(code: str, text: str) -> None:
    error = sdk.ClientError(
        {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "DescribeInstances"
    )
    found = translate(error, READ)
    assert isinstance(found, AwsDenied)
    assert found.code == "ClosedByOrganization"
    assert "closed in us-east-1 by an organization policy" in str(found)
    assert "spec.regions" in found.hint


def test_a_denial_by_the_roles_own_policy_asks_for_the_permission() -> None:
    found = translate(answered("AccessDenied", 403), READ)
    assert found.code == "AccessDenied"
    assert found.hint == "allow ec2:DescribeInstances to this role"


def test_a_denial_that_names_the_permission_asks_for_that_one() -> None:
    text = "User: arn:aws:iam::1:role/r is not authorized to perform: tag:GetResources because no policy allows it"
    error = sdk.ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": text}, "ResponseMetadata": {"HTTPStatusCode": 400}},
        "GetResources",
    )
    found = translate(error, CallContext("resourcegroupstaggingapi:GetResources"))
    assert found.hint == "allow tag:GetResources to this role"


def test_credentials_refused_in_a_region_may_mean_that_it_is_not_enabled() -> None:
    assert "is us-east-1 enabled in the account" in translate(answered("AuthFailure", 401), READ).hint
    assert "enabled" not in translate(answered("ExpiredToken", 400), READ).hint


@pytest.mark.parametrize("service", [*THROTTLED, "monitoring"])
def test_what_each_service_says_of_too_many_reads_is_throttling(service: str) -> None:
    said = throttled(service)
    assert type(translate(answered(said.code, said.status), READ)) is AwsThrottled
    later = translate(answered(in_words_of("json", said).code, said.status), READ)
    assert type(later) is AwsThrottled


def test_a_limit_is_throttling_to_a_read_and_a_used_up_quota_to_a_change() -> None:
    assert type(translate(answered("LimitExceededException", 400), READ)) is AwsThrottled
    assert type(translate(answered("LimitExceededException", 400), CHANGE)) is AwsRejected
