"""One account on a double per module, and a scan of it with the test's own store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.support.scanning import account, dependencies, policy

from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops_operator.scan.scan import ScanOutcome, scan
from finops_sandbox.aws.double import AwsDouble

ALL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
MAKER = "arn:aws:iam::111111111111:role/finops-maker"
"""May create what a scan is to find."""
ESTATE = {
    "accounts": {
        "111111111111": {
            "name": "production",
            "regions": ["us-east-1"],
            "roles": {"finops-maker": {"policies": [ALL]}},
        }
    },
    "resources": [],
}
ACCOUNTS = {"production": account("production", "111111111111")}


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE) as double:
        yield double


@pytest.fixture
def aws(running_double: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> AwsDouble:
    running_double.control.reset()
    for name, value in running_double.environment().items():
        monkeypatch.setenv(name, value)
    return running_double


@pytest.fixture
def scanned(aws: AwsDouble, store: Store) -> Iterator[Callable[..., ScanOutcome]]:
    """Return a function that scans the kinds named."""
    with ThreadPoolExecutor(4) as pool:

        def run(*kinds: str, **spec: Any) -> ScanOutcome:
            wanted = policy("production", resources=list(kinds), **spec)
            return scan(wanted, ACCOUNTS, dependencies(store, pool), SystemClock())

        yield run
