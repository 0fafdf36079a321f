"""The cluster named by FINOPS_TEST_KUBECONFIG, with our kinds installed and a namespace of this run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.e2e.cluster_api import Cluster, unique_name
from tests.support.cluster_kinds import install_kinds


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return the cluster; the kinds stay, because other tests share them, everything else goes with each file of tests.

    The hundreds of policies that are made here would be scanned by every operator that other folders install.
    """
    kubeconfig = os.environ.get("FINOPS_TEST_KUBECONFIG", "")
    if not kubeconfig:
        pytest.fail("these tests need FINOPS_TEST_KUBECONFIG: a kubeconfig of a throw-away cluster")
    cluster = Cluster(kubeconfig, unique_name("kinds"))
    install_kinds(kubeconfig)
    cluster.create_namespace(cluster.namespace)
    yield cluster
    for cleanup in reversed(cluster.cleanups):
        cleanup()
    cluster.delete_namespace(cluster.namespace)
