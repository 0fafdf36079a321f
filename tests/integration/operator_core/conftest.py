"""A cluster of the module, and the operator's parts around a ledger of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS
from tests.support.operator_parts import NAMESPACE, Parts

from finops.audit_verify import verify
from finops.k8s.kinds import KindApi, action_requests, approvals, scan_policies
from finops.ledger.durable import open_ledger
from finops.store.connection import Store
from finops_sandbox.kubernetes import KubernetesDouble

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesDouble]:
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}
        for name in ("r-freeze", "r-identities", "r-ledger-anchor")
    ]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    manifests: list[Any] = [space, *maps]
    with KubernetesDouble(tmp_path_factory.mktemp("upkeep"), crds=[ROOT / "crds"], manifests=manifests) as double:
        yield double


@pytest.fixture
def parts(double: KubernetesDouble, store: Store, tmp_path: Path) -> Iterator[Parts]:
    clock = FakeClock(datetime.now(UTC))
    path = tmp_path / "ledger.jsonl"
    ledger = open_ledger(store, path, keys=KEYS, clock=clock, fence=lambda: 1)
    ledger.start()
    parts = Parts(double, store, ledger, path, clock)
    yield parts
    api: KindApi[Any]
    for api in (action_requests(parts.connection), approvals(parts.connection), scan_policies(parts.connection)):
        for one in api.list(NAMESPACE):
            api.delete(NAMESPACE, one.metadata.name)
    parts.maps.write("r-freeze", {"frozen": "", "reason": ""})
    parts.maps.write("r-identities", dict.fromkeys(parts.maps.read("r-identities") or {}, ""))
    assert verify(path.read_text(encoding="utf-8").splitlines()).problems == ()
