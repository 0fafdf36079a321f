"""Volumes and instances on the double: a scan reads what their checks need, down to 5 minutes, and judges them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
ESTATE: dict[str, Any] = {
    "accounts": {"111111111111": {"name": "production", "regions": ["us-east-1"]}},
    "resources": [
        {
            "account": "production",
            "region": "us-east-1",
            "instances": [
                {
                    "name": "works",
                    "type": "t2.large",
                    "age": "60d",
                    "volumes": [
                        {"size": 20},
                        {"size": 100, "iops": 10000, "throughput": 500},
                        {"size": 50, "ops": "ops_idle"},
                        {"size": 60},
                    ],
                },
                {"name": "stopped", "type": "m5.large", "age": "120d", "state": "stopped", "volumes": [{"size": 80}]},
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE) as double:
        yield double


def test_each_check_finds_its_volume_and_leaves_the_others(scanned: Scan) -> None:
    outcome = scanned("ebs-volume")
    assert outcome.summary.gaps == ()
    report = report_of(outcome)
    sizes = {one["id"]: one["attributes"]["size_gb"] for one in report["resources"]}
    found = {(one["check"], sizes[one["resource"]["id"]]): one for one in report["recommendations"]}
    assert set(found) == {
        ("ebs_volume_overprovisioned", 100),
        ("ebs_volume_idle", 50),
        ("ebs_volume_instance_stopped", 80),
    }
    assert found["ebs_volume_overprovisioned", 100]["evidence"]["targetIops"] == 3000
    assert found["ebs_volume_overprovisioned", 100]["monthlySavings"] == "50.00"  # 7,000 × 0.005 and 375 × 0.04
    # Of a stopped instance's volume there is an act, which this policy does not allow.
    assert {check: one["status"] for (check, _), one in found.items()} == {
        "ebs_volume_overprovisioned": "Advice",
        "ebs_volume_idle": "Advice",
        "ebs_volume_instance_stopped": "Blocked",
    }


def test_an_instance_of_a_previous_generation_is_found_and_a_stop_is_counted_from_its_time(scanned: Scan) -> None:
    report = report_of(scanned("ec2-instance"), why=True)
    names = {one["id"]: one["name"] for one in report["resources"]}
    found = {(one["check"], names[one["resource"]["id"]]): one for one in report["recommendations"]}
    assert found["ec2_instance_previous_generation", "works"]["evidence"]["targetType"] == "t3.large"
    reasons = {(one["check"], names[one["resource"]]): one["reason"] for one in report["notRecommended"]}
    assert reasons["ec2_instance_stopped", "works"] == "it is running, not stopped"
    # Of an instance that is stopped and 120 days old the double says that it stopped half of that ago.
    assert found["ec2_instance_stopped", "stopped"]["evidence"]["stoppedDays"] == 60
