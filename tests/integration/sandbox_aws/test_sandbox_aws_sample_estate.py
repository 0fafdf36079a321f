"""The sample estate, in process and as the command the demo's supervisor starts."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from finops_sandbox.aws.double import AwsDouble, Delays
from finops_sandbox.aws.estate import SAMPLE_ESTATE, resource_id

PRODUCTION, STAGING = "111111111111", "222222222222"
REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2")
OPERATOR_ROOT = Path(__file__).parents[3] / "operator"


@pytest.fixture(scope="module")
def running_sample() -> Iterator[AwsDouble]:
    with AwsDouble(SAMPLE_ESTATE, delays=Delays(60, 60, 60, 60)) as double:
        yield double


@pytest.fixture
def sample(running_sample: AwsDouble) -> AwsDouble:
    running_sample.control.reset()
    return running_sample


def client(sample: AwsDouble, service: str, account: str, region: str, role: str = "scanner") -> Any:
    return sample.client(service, region=region, role=f"arn:aws:iam::{account}:role/finops-{role}")


def test_the_scanner_of_each_account_sees_its_resources_in_all_regions(sample: AwsDouble) -> None:
    total = 0
    for account in (PRODUCTION, STAGING):
        for region in REGIONS:
            ec2 = client(sample, "ec2", account, region)
            total += len(ec2.describe_instances()["Reservations"]) + len(ec2.describe_volumes()["Volumes"])
    assert 110 <= total <= 140


def test_the_idle_instance_is_idle_and_the_oversized_one_is_low(sample: AwsDouble) -> None:
    cloudwatch = client(sample, "cloudwatch", PRODUCTION, "us-east-1")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    def peak(name: str, metric: str, stat: str) -> list[float]:
        one = resource_id("instance", PRODUCTION, "us-east-1", name)
        dimensions = [{"Name": "InstanceId", "Value": one}]
        stat_of = {
            "Metric": {"Namespace": "AWS/EC2", "MetricName": metric, "Dimensions": dimensions},
            "Period": 3600,
            "Stat": stat,
        }
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=[{"Id": "a", "MetricStat": stat_of}], StartTime=now - timedelta(days=14), EndTime=now
        )
        return list(answer["MetricDataResults"][0]["Values"])

    assert max(peak("old-intranet", "CPUUtilization", "Maximum")) < 5.0
    daily = (sum(peak("old-intranet", "NetworkIn", "Sum")) + sum(peak("old-intranet", "NetworkOut", "Sum"))) / 14
    assert daily < 5e6
    assert 5.0 < max(peak("api-oversized", "CPUUtilization", "Maximum")) < 20.0
    assert max(peak("batch-nightly", "CPUUtilization", "Maximum")) > 60.0
    assert len(peak("new-canary", "CPUUtilization", "Maximum")) <= 6


def test_the_instance_without_capacity_starts_at_its_old_type_alone(sample: AwsDouble) -> None:
    ec2 = client(sample, "ec2", PRODUCTION, "us-east-1", "executor")
    one = resource_id("instance", PRODUCTION, "us-east-1", "checkout-no-capacity")
    ec2.stop_instances(InstanceIds=[one])
    sample.control.advance(61)
    for kind in ("m5.xlarge", "m5.large"):
        ec2.modify_instance_attribute(InstanceId=one, InstanceType={"Value": kind})
        with pytest.raises(ec2.exceptions.ClientError, match="InsufficientInstanceCapacity"):
            ec2.start_instances(InstanceIds=[one])
    ec2.modify_instance_attribute(InstanceId=one, InstanceType={"Value": "m5.2xlarge"})
    ec2.start_instances(InstanceIds=[one])
    sample.control.advance(61)
    assert sample.control.resource(PRODUCTION, "us-east-1", one)["state"] == "running"


def test_the_oversized_instance_can_be_resized(sample: AwsDouble) -> None:
    ec2 = client(sample, "ec2", PRODUCTION, "us-east-1", "executor")
    one = resource_id("instance", PRODUCTION, "us-east-1", "api-oversized")
    ec2.stop_instances(InstanceIds=[one])
    sample.control.advance(61)
    ec2.modify_instance_attribute(InstanceId=one, InstanceType={"Value": "m5.xlarge"})
    ec2.start_instances(InstanceIds=[one])
    sample.control.advance(61)
    after = sample.control.resource(PRODUCTION, "us-east-1", one)
    assert (after["state"], after["type"]) == ("running", "m5.xlarge")


def test_the_command_is_ready_soon_and_leaves_on_sigterm() -> None:
    command = [sys.executable, "-m", "finops_sandbox.aws", "--port", "0", "--estate", "sample"]
    begin = time.monotonic()
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(OPERATOR_ROOT)}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("aws: listening on http://127.0.0.1:")
        assert time.monotonic() - begin < 20
        connection = http.client.HTTPConnection(urlsplit(line.split()[-1]).netloc, timeout=5)
        connection.request("GET", "/_sandbox/health")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"status": "ok"}')
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_bad_estate_ends_the_command_with_its_reason(tmp_path: Path) -> None:
    estate = tmp_path / "bad.yaml"
    estate.write_text("accounts: {'1': {colour: red}}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "finops_sandbox.aws", "--estate", str(estate)],
        env=os.environ | {"PYTHONPATH": str(OPERATOR_ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown field colour" in done.stderr
