"""The cluster the chart and loop tests may use, and the order in which folders of tests share it.

Two installations at once would refuse each other's writes (each one's admission policy trusts its own operator alone),
so the folders run one after the other, whatever the random order inside them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.cluster import RealCluster

HERE = Path(__file__).parent
ORDER = ("kinds", "chart", "loop")
AUDIT_LOG = "/var/lib/testcluster/log/audit.jsonl"


def _turn(item: pytest.Item) -> int:
    if not item.path.is_relative_to(HERE):
        return -1
    return ORDER.index(item.path.relative_to(HERE).parts[0])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests by folder; the order inside a folder stays as it was shuffled."""
    items.sort(key=_turn)


@contextlib.contextmanager
def named_cluster() -> Iterator[RealCluster]:
    """The cluster named by FINOPS_TEST_KUBECONFIG, never another; what was made in it goes at the end."""
    kubeconfig = os.environ.get("FINOPS_TEST_KUBECONFIG", "")
    if not kubeconfig:
        pytest.fail("these tests need FINOPS_TEST_KUBECONFIG: a kubeconfig of a throw-away cluster")
    host = os.environ.get("TESTCLUSTER_HOST", "")
    if not host:
        pytest.fail("these tests need TESTCLUSTER_HOST: this machine's address as the cluster's pods reach it")
    cluster = RealCluster(
        kubeconfig,
        host=host,
        audit_log=Path(os.environ.get("FINOPS_TEST_AUDIT_LOG", AUDIT_LOG)),
    )
    yield cluster
    for namespace in list(cluster.namespaces):
        cluster.delete_namespace(namespace)


@pytest.fixture(scope="session")
def real_cluster() -> Iterator[RealCluster]:
    """Return the cluster that all tests share."""
    with named_cluster() as cluster:
        yield cluster
