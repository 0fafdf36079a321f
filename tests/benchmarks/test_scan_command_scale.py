"""`finops scan` as a person types it, over ten thousand instances and all default checks: memory, calls, nothing lost.

The command keeps to half of AWS's published quotas, so of its ten minutes nine are waiting for CloudWatch's budget of
datapoints. Here it believes that they were raised; it does the same work in less time. Promised are memory and calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests.support.fleet_scan import ACCOUNT, REGION, running_fleet_double

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SIZE = 10_000
FLEET_KINDS = ["ec2-instance", "ebs-volume"]


@dataclass(slots=True)
class Ended:
    """How the command ended and the largest resident size it had."""

    printed: str
    peak_megabytes: float
    seconds: float


def _peak_megabytes(pid: int) -> float:
    """Return the largest resident size so far; 0 when the program is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = status.partition("VmHWM:")[2].split()
    return int(found[0]) / 1024 if found else 0.0


def _scan(policy_file: Path, redis: str, environment: dict[str, str], *options: str) -> Ended:
    program = [sys.executable, "-m", "finops_operator.cli.main"]
    command = [*program, "scan", "-f", str(policy_file), "--redis", redis, *options]
    report, errors = policy_file.with_name("report.json"), policy_file.with_name("errors.txt")
    peak, began = 0.0, time.monotonic()
    with report.open("wb") as out, errors.open("wb") as complaints:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=complaints)
        while process.poll() is None:
            peak = max(peak, _peak_megabytes(process.pid))
            time.sleep(0.1)
    assert process.returncode == 0, errors.read_text()
    ended = Ended(report.read_text(encoding="utf-8"), peak, time.monotonic() - began)
    print(f"\nfinops scan {' '.join(options)}, {SIZE} + {SIZE}: {ended.peak_megabytes:.0f} MB, {ended.seconds:.0f} s")
    return ended


def test_ten_thousand_instances_through_finops_scan_with_the_default_checks(valkey_url: str, tmp_path: Path) -> None:
    role = {"scannerRoleArn": f"arn:aws:iam::{ACCOUNT}:role/finops-scanner", "externalId": "finops-sandbox"}
    documents = [
        {
            "apiVersion": "finops.dev/v1alpha1",
            "kind": "AwsAccount",
            "metadata": {"name": "production"},
            "spec": {"accountId": ACCOUNT, **role, "allow": [{"namespaces": ["default"]}]},
        },
        {
            "apiVersion": "finops.dev/v1alpha1",
            "kind": "ScanPolicy",
            "metadata": {"name": "fleet", "namespace": "default"},
            # The kinds that the fleet has: what the SDK loads to ask for others says nothing of ten thousand instances.
            "spec": {"accounts": [{"name": "production"}], "regions": [REGION], "resources": FLEET_KINDS},
        },
    ]
    policy_file = tmp_path / "fleet.yaml"
    policy_file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FINOPS_", "AWS_", "KUBE"))}
    with running_fleet_double() as double:
        double.fleet(SIZE)
        environment = {**kept, **double.environment(), "FINOPS_DEMO": "true", "FINOPS_AWS_QUOTA_PERCENT": "500"}
        ended = _scan(policy_file, valkey_url, environment, "-o", "json")
        # What the first scan measured is there now: these judge and print the fleet once more.
        explained = _scan(policy_file, valkey_url, environment, "--why")
        document = _scan(policy_file, valkey_url, environment, "-o", "yaml")
    report = json.loads(ended.printed)
    summary = report["summary"]
    print(json.dumps(summary))
    assert summary["resources"] == 2 * SIZE == len(report["resources"])
    assert summary["gaps"] == 0
    resized = [one for one in report["recommendations"] if one["check"] == "ec2_instance_overprovisioned"]
    assert resized
    # The five-minute picture was taken, and only of those that the hours had not ruled out.
    assert all(one["evidence"]["periodSeconds"] == 300 for one in resized)
    assert len(resized) < SIZE / 2
    # Reasons are grouped and the best recommendations listed: a report of any fleet can be read.
    assert "Nothing recommended, and why" in explained.printed
    assert explained.printed.count("\n") < 500
    assert document.printed.count("\n- kind: ") >= 2 * SIZE
    assert max(one.peak_megabytes for one in (ended, explained, document)) <= 200
