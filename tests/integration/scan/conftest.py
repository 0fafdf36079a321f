"""Two accounts in two regions on one double per module, and a scan of them with the test's own store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.support.scanning import account, dependencies, policy

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops.store.keys import Keys
from finops_operator.scan.scan import ScanOutcome, scan
from finops_sandbox.aws.double import AwsDouble, Delays

PRODUCTION, STAGING = "111111111111", "222222222222"
ACCOUNTS = {"production": account("production", PRODUCTION), "staging": account("staging", STAGING)}
STRICT = ["ec2-instance", "ebs-volume"]
"""The kinds that the double answers strictly; others may come and go without a word here."""
BOTH = policy("production", "staging", resources=STRICT)


def _region(name: str, region: str) -> dict[str, Any]:
    return {
        "account": name,
        "region": region,
        "instances": [
            {"name": "idle", "type": "t3.large", "cpu": "idle", "network": "quiet", "age": "90d", "publicIp": True},
            {"name": "low", "type": "m5.2xlarge", "cpu": "low", "memory": "memory_low", "age": "90d"},
            {"name": "busy", "type": "c5.xlarge", "cpu": "busy", "age": "90d"},
            {"name": "stopped", "type": "m5.large", "state": "stopped", "age": "90d"},
            {"name": "ignored", "type": "t3.large", "cpu": "idle", "tags": {"finops.dev/ignore": "true"}, "age": "90d"},
        ],
        "volumes": [{"name": "loose", "size": 100, "type": "gp3", "age": "90d", "detached": "45d"}],
    }


ESTATE = {
    "accounts": {
        PRODUCTION: {"name": "production", "regions": ["us-east-1", "eu-central-1"]},
        STAGING: {"name": "staging", "regions": ["us-east-1", "eu-central-1"]},
    },
    "resources": [
        _region(name, region) for name in ("production", "staging") for region in ("us-east-1", "eu-central-1")
    ],
}


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE, delays=Delays(60, 60, 60, 60)) as double:
        yield double


@pytest.fixture
def aws(running_double: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> AwsDouble:
    running_double.control.reset()
    for name, value in running_double.environment().items():
        monkeypatch.setenv(name, value)
    return running_double


Scan = Callable[..., ScanOutcome]


@pytest.fixture
def scanned(aws: AwsDouble, store: Store) -> Iterator[Scan]:
    """Return a function that scans `wanted` (both accounts by default) with new sessions into the test's store.

    `apart` names keys of its own: nothing that was measured before is known there.
    """
    with ThreadPoolExecutor(4) as pool:

        def run(
            wanted: ScanPolicy = BOTH, accounts: dict[str, AwsAccount] | None = None, *, apart: str = ""
        ) -> ScanOutcome:
            mine = Store(store.client, Keys(f"{store.keys.prefix}{apart}:")) if apart else store
            return scan(wanted, ACCOUNTS if accounts is None else accounts, dependencies(mine, pool), SystemClock())

        yield run
