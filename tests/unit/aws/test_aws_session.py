"""Sessions: loopback only in demo mode, names STS accepts, points parsed as botocore would parse them."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from finops.errors import AwsCredentialsInvalid, AwsRejected, InvalidInput, Refused
from finops.ports.aws_access import AccountAccess, Tenant
from finops_operator.aws.assume import session_word
from finops_operator.aws.counting import CallCounter, counted_by, counting_handler
from finops_operator.aws.executor import StsExecutorSessions, until
from finops_operator.aws.parsing import take_metric_points
from finops_operator.aws.session import BoundedCache, SdkSessions, is_loopback, read_config


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://localhost:4566", True),
        ("http://[::1]:4566", True),
        ("https://ec2.us-east-1.amazonaws.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://10.0.0.1", False),
    ],
)
def test_loopback_is_recognised_by_the_literal_address(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


def test_demo_mode_makes_no_client_for_the_real_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    sdk = SdkSessions(CallCounter(), demo=True)
    with pytest.raises(Refused, match="only to this machine"):
        sdk.client(sdk.base, "sts", "us-east-1", read_config())


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with keys and without anything else of AWS."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIA0000000000000000",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(
    "endpoint",
    ["foo", "http://", "https://:443", "ftp://host", "http://host:99999", "http://host:0", "http://[::1", "http://h h"],
)
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"])
def test_an_endpoint_that_is_none_is_named_at_start_and_in_every_call(
    bare: pytest.MonkeyPatch, variable: str, endpoint: str
) -> None:
    bare.setenv(variable, endpoint)
    sdk = SdkSessions(CallCounter())
    with pytest.raises(InvalidInput) as caught:
        sdk.check()
    assert caught.value.field == variable
    assert "http://HOST:PORT" in caught.value.hint
    with pytest.raises(AwsRejected) as refused:
        sdk.client(sdk.base, "sts", "us-east-1", read_config())
    assert refused.value.code == "InvalidEndpoint"
    assert "aws.endpointUrl" in refused.value.hint


def test_a_password_in_an_endpoint_is_refused_and_not_shown(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_ENDPOINT_URL", "http://u:s3cret@127.0.0.1:1")
    sdk = SdkSessions(CallCounter())
    for ask in (sdk.check, lambda: sdk.client(sdk.base, "sts", "us-east-1", read_config())):
        with pytest.raises((InvalidInput, AwsRejected)) as caught:
            ask()
        assert "s3cret" not in str(caught.value)


def test_an_endpoint_that_the_sdk_ignores_is_ignored(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_ENDPOINT_URL", "foo")
    bare.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    sdk = SdkSessions(CallCounter())
    sdk.check()
    assert sdk.client(sdk.base, "sts", "us-east-1", read_config()).meta.endpoint_url.startswith("https://sts.")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "me-south-1"])
def test_tokens_are_asked_for_in_the_region_that_is_meant_whatever_a_shell_says(
    bare: pytest.MonkeyPatch, region: str
) -> None:
    """The global endpoint stands in us-east-1, which an organization may have closed."""
    bare.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    sdk = SdkSessions(CallCounter())
    for session in (sdk.base, sdk.with_keys("AKIAEXAMPLE", "none", "none")):
        made = sdk.client(session, "sts", region, read_config())
        assert made.meta.endpoint_url == f"https://sts.{region}.amazonaws.com"


@pytest.mark.parametrize(
    ("variables", "config", "words"),
    [
        ({"AWS_PROFILE": "nope"}, "", "nope"),
        ({}, "[default\n", "Unable to parse"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/"}, "", "evil.example"),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/x",
            },
            "",
            "cannot read /x",
        ),
        ({}, "[default]\ncredential_process = /nope/helper\n", "cannot read /nope/helper"),
        ({}, "[default]\ncredential_process = echo hello\n", "no JSON"),
        ({}, "[default]\ncredential_process = false\n", "custom-process"),
        ({}, "[default]\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = zz\n", "zz"),
    ],
    ids=["profile", "config", "pod-identity", "pod-token", "helper", "helper-text", "helper-fails", "source-profile"],
)
def test_credentials_that_cannot_be_made_are_reported_as_such(
    bare: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], config: str, words: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        bare.delenv(name)
    (tmp_path / "config").write_text(config, encoding="utf-8")
    bare.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in variables.items():
        bare.setenv(name, value)
    sdk = SdkSessions(CallCounter())
    with pytest.raises(AwsCredentialsInvalid, match=words) as caught:
        sdk.client(sdk.base, "sts", "us-east-1", read_config())
    assert caught.value.hint


def test_a_profile_that_is_corrected_is_used_without_a_restart(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.setenv("AWS_PROFILE", "later")
    bare.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    sdk = SdkSessions(CallCounter())
    with pytest.raises(AwsCredentialsInvalid):
        sdk.check()
    (tmp_path / "config").write_text("[profile later]\nregion = us-east-1\n", encoding="utf-8")
    sdk.check()


def test_a_program_that_serves_on_says_once_in_one_line_what_is_wrong(
    bare: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bare.setenv("AWS_PROFILE", "nope")
    SdkSessions(CallCounter()).log_problem()
    (record,) = caplog.records
    assert record.exc_info is None
    assert "nope" in record.getMessage()


def test_a_figure_that_is_none_is_named(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_METADATA_SERVICE_TIMEOUT", "soon")
    with pytest.raises(InvalidInput) as caught:
        SdkSessions(CallCounter()).check()
    assert caught.value.field == "AWS_METADATA_SERVICE_TIMEOUT"


@pytest.mark.parametrize("text", ["slack.U0123", "k8s.alice", "ar-stop-i-0123.x", "a@b,c=d+e_f-g"])
def test_names_that_sts_takes_stay_readable(text: str) -> None:
    assert session_word(text, "h") == text


@pytest.mark.parametrize("text", ["a", "k8s.system:serviceaccount:x:y", "ümlaut", "x" * 65, "", "a\n"])
def test_other_names_become_a_hash_that_sts_takes(text: str) -> None:
    word = session_word(text, "h")
    assert word.startswith("h-")
    assert word == session_word(word, "h")
    assert word != session_word(text + "x", "h")


ACCOUNT = AccountAccess(
    name="production",
    account_id="111111111111",
    executor_role_arn="arn:aws:iam::111111111111:role/finops-executor",
    external_id="secret-word",
)
TENANT = Tenant(namespace="team-a", policy="all")


def test_a_step_session_names_request_approver_and_tenant_and_carries_exactly_the_statements() -> None:
    statement = {"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "arn:aws:ec2:r:1:instance/i-1"}
    request = StsExecutorSessions._request(ACCOUNT, TENANT, "stop-i-1", "slack.U0123", [statement])
    assert json.loads(request.pop("Policy")) == {"Version": "2012-10-17", "Statement": [statement]}
    assert request == {
        "RoleArn": ACCOUNT.executor_role_arn,
        "RoleSessionName": "stop-i-1",
        "DurationSeconds": 900,
        "SourceIdentity": "slack.U0123",
        "Tags": [{"Key": "namespace", "Value": "team-a"}, {"Key": "policy", "Value": "all"}],
        "ExternalId": "secret-word",
    }


def test_a_session_policy_too_long_for_sts_is_refused_before_anything_is_sent() -> None:
    statements = [{"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": f"arn:{'x' * 300}"}] * 8
    with pytest.raises(InvalidInput, match="2048"):
        StsExecutorSessions._request(ACCOUNT, TENANT, "stop-i-1", "slack.U0123", statements)


def test_a_deadline_is_one_condition_more_and_takes_the_place_of_none() -> None:
    tagging = {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*"}
    condition = {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}}
    assert until({**tagging, "Condition": condition}, 1_795_892_400) == {
        **tagging,
        "Condition": {**condition, "DateLessThan": {"aws:CurrentTime": "2026-11-28T19:00:00Z"}},
    }
    assert until(tagging, None) == tagging


def test_every_request_is_counted_for_the_process_and_for_the_scan_that_sent_it() -> None:
    process, scan = CallCounter(), CallCounter()
    count = counting_handler(process, {"elastic-load-balancing-v2": "elbv2"})
    count(event_name="before-send.ec2.DescribeInstances")
    with counted_by(scan):
        count(event_name="before-send.cloudwatch.GetMetricData")
        count(event_name="before-send.elastic-load-balancing-v2.DescribeTags")
    assert process.calls == {"cloudwatch:GetMetricData": 1, "ec2:DescribeInstances": 1, "elbv2:DescribeTags": 1}
    assert scan.calls == {"cloudwatch:GetMetricData": 1, "elbv2:DescribeTags": 1}


def response(body: object, status: int = 200, kind: str = "application/x-amz-json-1.0") -> dict[str, Any]:
    return {"status_code": status, "headers": {"content-type": kind}, "body": json.dumps(body).encode()}


def test_metric_points_skip_the_shape_walker_and_the_rest_is_left_to_it() -> None:
    answer = response(
        {"MetricDataResults": [{"Id": "q0_0", "Timestamps": [3600, 7200], "Values": [1.5, 2]}], "NextToken": "t"}
    )
    custom: dict[str, Any] = {}
    take_metric_points(answer, custom)
    assert list(custom["MetricDataResults"][0]["Timestamps"]) == [3600.0, 7200.0]
    assert list(custom["MetricDataResults"][0]["Values"]) == [1.5, 2.0]
    assert json.loads(answer["body"]) == {"NextToken": "t"}


@pytest.mark.parametrize(
    "answer",
    [
        response({"__type": "Throttling"}, status=400),
        response({"MetricDataResults": []}, kind="application/cbor"),
        {"status_code": 200, "headers": {"content-type": "application/json"}, "body": b"not json"},
    ],
)
def test_errors_and_other_protocols_are_left_to_the_sdk(answer: dict[str, Any]) -> None:
    before = dict(answer)
    custom: dict[str, Any] = {}
    take_metric_points(answer, custom)
    assert custom == {}
    assert answer == before


def test_a_value_is_made_once_for_many_threads_and_a_failure_leaves_nothing() -> None:
    table, made, gate = BoundedCache(2), [], threading.Barrier(4)

    def make() -> str:
        made.append(1)
        return "value"

    def ask() -> None:
        gate.wait(5)
        assert table.get("key", make) == "value"

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(made) == 1
    with pytest.raises(ZeroDivisionError):
        table.get("bad", lambda: 1 / 0)
    assert table.get("bad", lambda: "good") == "good"


def test_the_least_recently_used_value_goes_first() -> None:
    table = BoundedCache(2)
    table.get("a", lambda: "a")
    table.get("b", lambda: "b")
    table.get("a", lambda: "again")
    table.get("c", lambda: "c")
    assert table.get("a", lambda: "new") == "a"
    assert table.get("b", lambda: "new") == "new"
