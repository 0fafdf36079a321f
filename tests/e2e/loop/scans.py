"""Scans of policies that a story makes for itself."""

from __future__ import annotations

from typing import Any

from tests.e2e.cluster import Object, wait_until
from tests.e2e.cluster_api import unique_name
from tests.e2e.documents import policy
from tests.e2e.loop.world import Loop

KINDS = ["ec2-instance", "ebs-volume"]
IN_PODS = {"execution": {"mode": "Job", "parallelism": 6}}


def scanned(loop: Loop, account_name: str, **spec: Any) -> Object:
    """Make a policy and return it when it was scanned."""
    name = unique_name("parts")
    loop.cluster.apply(policy(name, loop.team, account_name, resources=KINDS, **spec))

    def ended() -> Object | None:
        found = loop.cluster.get("scanpolicies", name, loop.team)
        return found if found.get("status", {}).get("lastScan", {}).get("completionTime") else None

    return wait_until(f"a scan of {name}", ended, seconds=240)
