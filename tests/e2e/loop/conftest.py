"""One installation for all stories of this folder: making it takes half a minute, so they share it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.cluster import RealCluster
from tests.e2e.loop.installation import installed
from tests.e2e.loop.world import POLICY, Loop

ESTATE = Path(__file__).with_name("estate.yaml")


@pytest.fixture(scope="session")
def loop(real_cluster: RealCluster) -> Iterator[Loop]:
    """Return the installation, with a policy that was scanned once."""
    with installed(real_cluster, ESTATE) as made:
        real_cluster.kubectl(
            *("wait", f"scanpolicies/{POLICY}", "-n", made.team, "--for=condition=Ready", "--timeout=60s"), seconds=70
        )
        yield made
