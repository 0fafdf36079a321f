"""The AWS double as a process of its own, with the handles the command line's tests need."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ACCOUNTS = {"production": "111111111111", "staging": "222222222222"}
ESTATE: Mapping[str, Any] = {
    "accounts": {number: {"name": name, "regions": ["us-east-1", "eu-central-1"]} for name, number in ACCOUNTS.items()},
    "externalId": "finops-sandbox",
    "resources": [
        {
            "account": "production",
            "region": "us-east-1",
            "instances": [
                {"name": "idle", "type": "t2.large", "cpu": "idle", "network": "quiet", "age": "90d"},
                {
                    "name": "hostile",
                    "type": "t3.large",
                    "cpu": "idle",
                    "network": "quiet",
                    "age": "90d",
                    "tags": {"Name": "=cmd()\x9b2J\n[bold]<!channel>\u202e"},
                },
                {"name": "unpriced", "type": "m5.large", "tenancy": "dedicated", "cpu": "idle", "network": "quiet"},
            ],
            "commitmentCoverage": {"reservedHours": 6, "onDemandHours": 18, "plansSpend": 3, "onDemandSpend": 1},
            "volumes": [{"name": "forgotten", "size": 100, "type": "gp2", "age": "90d", "detached": "60d"}],
        },
        {
            "account": "production",
            "region": "eu-central-1",
            "instances": [{"name": "busy", "type": "m5.large", "cpu": "busy", "age": "90d", "tags": {"team": "web"}}],
        },
        {
            "account": "staging",
            "region": "us-east-1",
            "volumes": [{"name": "left", "size": 50, "type": "gp3", "age": "90d", "detached": "60d"}],
        },
    ],
}


@dataclass(frozen=True, slots=True)
class AwsProcess:
    """A running double."""

    url: str

    def environment(self) -> dict[str, str]:
        """What a person would have in the shell."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIASANDBOXOPERATOR1",
            "AWS_SECRET_ACCESS_KEY": "sandbox-operator-secret",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def inject(self, **fault: Any) -> None:
        self._send("POST", "faults", fault)

    def clear_faults(self) -> None:
        self._send("DELETE", "faults")

    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._send("GET", "calls")["calls"]
        return found

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextmanager
def running_aws(folder: Path, estate: Mapping[str, Any] = ESTATE) -> Iterator[AwsProcess]:
    """Run the double with the estate above, or another."""
    file = folder / "estate.yaml"
    file.write_text(yaml.safe_dump(json.loads(json.dumps(estate))), encoding="utf-8")
    command = [sys.executable, "-m", "finops_sandbox.aws", "--estate", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.search(r"listening on (\S+)", line)
            assert found is not None, line
            yield AwsProcess(found[1])
        finally:
            process.terminate()


def account(name: str, *, namespaces: tuple[str, ...] = ("default",), **spec: Any) -> dict[str, Any]:
    """An AwsAccount document for one of the estate's accounts."""
    number = ACCOUNTS.get(name, "333333333333")
    whole = {
        "accountId": number,
        "scannerRoleArn": f"arn:aws:iam::{number}:role/finops-scanner",
        "externalId": "finops-sandbox",
        "allow": [{"namespaces": list(namespaces)}] if namespaces else [],
        **spec,
    }
    return {"apiVersion": "finops.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": name}, "spec": whole}


def policy(*accounts: str, name: str = "all", **spec: Any) -> dict[str, Any]:
    """A ScanPolicy document over accounts."""
    whole = {"accounts": [{"name": one} for one in accounts], **spec}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "finops.dev/v1alpha1", "kind": "ScanPolicy", "metadata": metadata, "spec": whole}
