"""The cluster named by FINOPS_TEST_KUBECONFIG, with the four kinds installed and a namespace of this run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, watch
from tests.e2e.kinds.cluster_api import Cluster, unique_name

from finops.kinds.generate import KINDS

CRDS = Path(__file__).parents[3] / "crds"
ESTABLISHED_SECONDS = 30


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Return the cluster; the kinds stay, because other tests share them, everything else goes."""
    kubeconfig = os.environ.get("FINOPS_TEST_KUBECONFIG", "")
    if not kubeconfig:
        pytest.fail("these tests need FINOPS_TEST_KUBECONFIG: a kubeconfig of a throw-away cluster")
    cluster = Cluster(kubeconfig, unique_name("kinds"))
    _install_kinds(cluster)
    cluster.create_namespace(cluster.namespace)
    yield cluster
    for cleanup in reversed(cluster.cleanups):
        cleanup()
    cluster.delete_namespace(cluster.namespace)


def _install_kinds(cluster: Cluster) -> None:
    """Apply crds/ server-side, which several test runs may do at once."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=finops-tests", "-f", str(CRDS))
    extensions = client.ApiextensionsV1Api(cluster.api())
    for kind in KINDS:
        _wait_until_served(extensions, kind.crd.name)


def _wait_until_served(extensions: client.ApiextensionsV1Api, name: str) -> None:
    """Wait for the watch event that says the API server serves a kind; it starts with the state there is."""
    events = watch.Watch().stream(
        extensions.list_custom_resource_definition,
        field_selector=f"metadata.name={name}",
        timeout_seconds=ESTABLISHED_SECONDS,
    )
    for event in events:
        conditions = event["object"].status.conditions or []
        if any(condition.type == "Established" and condition.status == "True" for condition in conditions):
            return
    pytest.fail(f"the API server does not serve {name} after {ESTABLISHED_SECONDS} s")
