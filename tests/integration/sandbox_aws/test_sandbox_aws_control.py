"""Faults, record, clock, changes by hand and the control API, as seen by the real SDK."""

import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id

Refusal = Callable[[Callable[[], object]], str]
ACCOUNT = "111111111111"
OPEN = f"arn:aws:iam::{ACCOUNT}:role/finops-open"
WEB = resource_id("instance", ACCOUNT, "us-east-1", "web")
LOOSE = resource_id("volume", ACCOUNT, "us-east-1", "loose")


@pytest.fixture
def ec2(aws: AwsDouble) -> Any:
    return aws.client("ec2", role=OPEN)


def control(aws: AwsDouble, method: str, path: str, body: object | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(aws.url).netloc, timeout=5)
    try:
        connection.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", "describe_instances", "RequestLimitExceeded"),
        ("cloudwatch", "list_metrics", "Throttling"),
        ("sts", "get_caller_identity", "Throttling"),
        ("s3", "list_buckets", "SlowDown"),
        ("lambda", "list_functions", "TooManyRequestsException"),
        ("dynamodb", "list_tables", "ThrottlingException"),
        ("rds", "describe_db_instances", "Throttling"),
        ("kinesis", "list_streams", "LimitExceededException"),
        ("resourcegroupstaggingapi", "get_resources", "ThrottledException"),
    ],
)
def test_throttling_speaks_each_services_words(
    aws: AwsDouble, refusal: Refusal, service: str, call: str, code: str
) -> None:
    client = aws.client(service, role=OPEN)
    aws.control.inject({"kind": "throttle", "count": 1})
    assert refusal(getattr(client, call)) == code


def test_the_sdks_retries_ride_out_a_counted_throttle(aws: AwsDouble) -> None:
    ec2 = aws.client("ec2", role=OPEN, attempts=3)
    aws.control.inject({"kind": "throttle", "action": "DescribeInstances", "count": 1})
    assert ec2.describe_instances()["Reservations"]
    assert aws.counts["ec2:DescribeInstances"] == 2


def test_a_rate_of_throttling_hits_that_share(aws: AwsDouble, ec2: Any) -> None:
    aws.control.inject({"kind": "throttle", "service": "ec2", "rate": 0.4})
    refused = 0
    for _ in range(60):
        try:
            ec2.describe_regions()
        except ec2.exceptions.ClientError:
            refused += 1
    assert 12 <= refused <= 36


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "deny", "region": "us-east-1"}, "UnauthorizedOperation"),
        ({"kind": "deny", "account": ACCOUNT}, "UnauthorizedOperation"),
        ({"kind": "region_disabled", "region": "us-east-1"}, "OptInRequired"),
        ({"kind": "http_error", "status": 500}, "InternalError"),
        ({"kind": "http_error", "status": 503}, "Unavailable"),
        ({"kind": "error", "code": "Blocked", "message": "no"}, "Blocked"),
    ],
)
def test_a_region_or_account_can_be_refused(
    aws: AwsDouble, ec2: Any, refusal: Refusal, fault: dict[str, Any], code: str
) -> None:
    aws.control.inject({**fault, "service": "ec2"})
    assert refusal(ec2.describe_instances) == code
    aws.control.clear_faults()
    assert ec2.describe_instances()["Reservations"]


def test_a_denied_region_leaves_the_others_alone(aws: AwsDouble, ec2: Any, refusal: Refusal) -> None:
    aws.control.inject({"kind": "deny", "service": "ec2", "region": "us-east-1"})
    assert refusal(ec2.describe_volumes) == "UnauthorizedOperation"
    assert aws.client("ec2", role=OPEN, region="eu-central-1").describe_volumes()["Volumes"] == []


def test_a_lost_page_fails_after_the_first(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role="arn:aws:iam::222222222222:role/finops-scanner")
    aws.control.inject({"kind": "lost_page", "action": "DescribeInstances"})
    first = ec2.describe_instances(MaxResults=5)
    assert len(first["Reservations"]) == 5
    assert refusal(lambda: ec2.describe_instances(MaxResults=5, NextToken=first["NextToken"])) == "InternalError"


def test_latency_delays_the_answer(aws: AwsDouble, ec2: Any) -> None:
    aws.control.inject({"kind": "latency", "seconds": 0.3, "action": "DescribeRegions"})
    begin = time.monotonic()
    ec2.describe_regions()
    assert time.monotonic() - begin >= 0.3


def test_a_dropped_reply_hides_a_change_that_happened(aws: AwsDouble, ec2: Any) -> None:
    aws.control.inject({"kind": "drop_after", "action": "StopInstances", "count": 1})
    with pytest.raises(ConnectionClosedError):
        ec2.stop_instances(InstanceIds=[WEB])
    assert aws.control.resource(ACCOUNT, "us-east-1", WEB)["state"] == "stopping"
    assert [(call.result, call.applied) for call in aws.calls] == [("applied-reply-dropped", True)]


def test_a_dropped_request_changes_nothing(aws: AwsDouble, ec2: Any) -> None:
    aws.control.inject({"kind": "drop_before", "action": "StopInstances", "count": 1})
    with pytest.raises(ConnectionClosedError):
        ec2.stop_instances(InstanceIds=[WEB])
    assert aws.control.resource(ACCOUNT, "us-east-1", WEB)["state"] == "running"
    assert [(call.result, call.applied) for call in aws.calls] == [("dropped-before", False)]


def test_a_hanging_call_ends_without_an_answer(aws: AwsDouble, ec2: Any) -> None:
    aws.control.inject({"kind": "hang", "seconds": 0.2, "action": "DeleteVolume"})
    with pytest.raises((ConnectionClosedError, ReadTimeoutError)):
        ec2.delete_volume(VolumeId=LOOSE)
    assert aws.control.resource(ACCOUNT, "us-east-1", LOOSE)["state"] == "available"


def test_a_dropped_reply_of_a_refusal_is_recorded_as_the_refusal(aws: AwsDouble) -> None:
    scanner = aws.client("ec2", role=f"arn:aws:iam::{ACCOUNT}:role/finops-scanner")
    aws.control.inject({"kind": "drop_after", "action": "StopInstances"})
    with pytest.raises(ConnectionClosedError):
        scanner.stop_instances(InstanceIds=[WEB])
    assert [(call.result, call.applied) for call in aws.calls] == [("UnauthorizedOperation", False)]


def test_the_record_holds_every_change_in_order_and_no_read(aws: AwsDouble, ec2: Any, refusal: Refusal) -> None:
    ec2.describe_instances()
    ec2.create_tags(Resources=[LOOSE], Tags=[{"Key": "a", "Value": "b"}])
    refusal(lambda: ec2.modify_volume(VolumeId=LOOSE, Size=1))
    ec2.delete_volume(VolumeId=LOOSE)
    status, document = control(aws, "GET", "calls")
    assert status == 200
    calls = document["calls"]
    assert [(one["action"], one["result"]) for one in calls] == [
        ("CreateTags", "ok"),
        ("ModifyVolume", "InvalidParameterValue"),
        ("DeleteVolume", "ok"),
    ]
    assert calls[1]["parameters"] == {"VolumeId": LOOSE, "Size": 1}
    assert calls[0]["targets"] == [LOOSE]
    later = control(aws, "GET", f"calls?since={calls[1]['sequence']}")[1]["calls"]
    assert [one["action"] for one in later] == ["DeleteVolume"]
    assert control(aws, "GET", "counts")[1]["ec2:DescribeInstances"] == 1
    assert control(aws, "DELETE", "calls")[0] == 200
    assert aws.calls == []


def test_a_change_by_hand_is_seen_and_not_recorded(aws: AwsDouble, ec2: Any) -> None:
    path = f"resources/{ACCOUNT}/us-east-1/{WEB}"
    change = {"type": "m5.4xlarge", "state": "stopped", "tags": {"team": "other"}, "removeTags": ["text"]}
    status, after = control(aws, "POST", path, change)
    assert (status, after["type"], after["state"]) == (200, "m5.4xlarge", "stopped")
    seen = ec2.describe_instances(InstanceIds=[WEB])["Reservations"][0]["Instances"][0]
    assert (seen["InstanceType"], seen["State"]["Name"]) == ("m5.4xlarge", "stopped")
    tags = {one["Key"]: one["Value"] for one in seen["Tags"]}
    assert tags["team"] == "other"
    assert "text" not in tags
    assert aws.calls == []


def test_a_volume_can_be_detached_and_deleted_by_hand(aws: AwsDouble, ec2: Any) -> None:
    data = resource_id("volume", ACCOUNT, "us-east-1", "web/1")
    path = f"resources/{ACCOUNT}/us-east-1/{data}"
    assert control(aws, "POST", path, {"detach": True, "size": 600})[1]["state"] == "available"
    assert control(aws, "POST", path, {"delete": True})[1]["deleted"]
    assert data not in {one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]}


def test_faults_are_injected_listed_and_removed_over_http(aws: AwsDouble, ec2: Any, refusal: Refusal) -> None:
    status, made = control(aws, "POST", "faults", {"kind": "throttle", "service": "ec2"})
    assert status == 201
    assert refusal(ec2.describe_regions) == "RequestLimitExceeded"
    (listed,) = control(aws, "GET", "faults")[1]["faults"]
    assert (listed["id"], listed["hits"]) == (made["id"], 1)
    assert control(aws, "DELETE", f"faults/{made['id']}")[0] == 200
    assert ec2.describe_regions()["Regions"]
    assert control(aws, "DELETE", "faults/none")[0] == 404


def test_reset_brings_everything_back(aws: AwsDouble, ec2: Any) -> None:
    ec2.delete_volume(VolumeId=LOOSE)
    aws.control.inject({"kind": "deny"})
    assert control(aws, "POST", "clock", {"advanceSeconds": 5000})[0] == 200
    assert control(aws, "POST", "reset")[0] == 200
    fresh = aws.client("ec2", role=OPEN)
    assert fresh.describe_volumes(VolumeIds=[LOOSE])["Volumes"]
    assert aws.calls == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("POST", "faults", {"kind": "earthquake"}, 400),
        ("POST", "faults", [1], 400),
        ("POST", "clock", {"advanceSeconds": -1}, 400),
        ("POST", "clock", {}, 400),
        ("GET", f"resources/{ACCOUNT}/us-east-1/i-none", None, 404),
        ("POST", f"resources/{ACCOUNT}/us-east-1/{WEB}", {"colour": 1}, 400),
    ],
)
def test_a_wrong_control_call_says_so(aws: AwsDouble, method: str, path: str, body: object, status: int) -> None:
    code, document = control(aws, method, path, body)
    assert code == status
    assert document["error"]


def test_a_fleet_answers_in_pages_without_moto(aws: AwsDouble) -> None:
    assert (
        control(aws, "POST", "fleet", {"account": "222222222222", "region": "us-east-1", "instances": 1200})[0] == 200
    )
    ec2 = aws.client("ec2", role="arn:aws:iam::222222222222:role/finops-scanner")
    pages = list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 1000}))
    assert [len(page["Reservations"]) for page in pages] == [1000, 200]
    volumes = list(ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 1000}))
    assert sum(len(page["Volumes"]) for page in volumes) == 1200


def test_a_fleet_refuses_filters_that_it_does_not_have(aws: AwsDouble, refusal: Refusal) -> None:
    aws.control.fleet("222222222222", "us-east-1", instances=10)
    ec2 = aws.client("ec2", role="arn:aws:iam::222222222222:role/finops-scanner")
    running = [{"Name": "instance-state-name", "Values": ["running", "stopped"]}]
    assert len(ec2.describe_instances(Filters=running)["Reservations"]) == 10
    by_tag = [{"Name": "tag:team", "Values": ["a"]}]
    assert refusal(lambda: ec2.describe_instances(Filters=by_tag)) == "InvalidParameterValue"
    assert refusal(lambda: ec2.describe_volumes(Filters=by_tag)) == "InvalidParameterValue"


def test_sessions_are_listed_with_the_policy_they_were_given(aws: AwsDouble) -> None:
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]})
    aws.client("ec2", role=OPEN, Policy=policy, SourceIdentity="slack.U1")
    (made,) = control(aws, "GET", "sessions")[1]["sessions"]
    assert (made["parameters"]["Policy"], made["parameters"]["SourceIdentity"]) == (policy, "slack.U1")
    assert made["result"] == "ok"
    assert aws.calls == []


def test_many_clients_at_once_lose_no_change(aws: AwsDouble) -> None:
    def work(number: int) -> int:
        ec2 = aws.client("ec2", role=OPEN)
        for step in range(5):
            ec2.create_tags(Resources=[LOOSE], Tags=[{"Key": f"k{number}-{step}", "Value": "x"}])
            assert ec2.describe_instances(MaxResults=5)["Reservations"]
        return number

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(work, range(6))) == list(range(6))
    assert len(aws.calls) == 30
    assert len([key for key in aws.control.resource(ACCOUNT, "us-east-1", LOOSE)["tags"] if key.startswith("k")]) == 30


def test_a_request_without_a_signature_is_refused(aws: AwsDouble) -> None:
    connection = http.client.HTTPConnection(urlsplit(aws.url).netloc, timeout=5)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/", "Action=DescribeInstances&Version=2016-11-15", headers)
    answer = connection.getresponse()
    assert (answer.status, b"MissingAuthenticationToken" in answer.read()) == (403, True)
    connection.close()


def test_a_second_double_in_the_same_process_is_refused(aws: AwsDouble) -> None:
    second = AwsDouble()
    with pytest.raises(RuntimeError, match="already runs"):
        second.start()
    second.stop()
    assert aws.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_a_client_of_a_closed_port_cannot_connect(aws: AwsDouble) -> None:
    client = aws.client("sts")
    client.meta.events.register("before-send", lambda request, **_: setattr(request, "url", "http://127.0.0.1:9/"))
    with pytest.raises(EndpointConnectionError):
        client.get_caller_identity()
