"""A scan that dies at any boundary leaves what was visible before it, and the next one is whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from finops.domain.resource import Shard
from finops.store.connection import Store
from finops.store.inventory import InventoryStore
from finops.store.recommendations import RecommendationStore
from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
KEY = ("default", "all")
SHARD = Shard("111111111111", "us-east-1", "ec2-instance")


def scan_process(store: Store, url: str, kill_point: str = "") -> subprocess.CompletedProcess[str]:
    orders = {
        "redis": url,
        "prefix": store.keys.prefix,
        "accounts": {"production": "111111111111"},
        "spec": {"regions": ["us-east-1"], "resources": ["ec2-instance", "ebs-volume"]},
        "killPoint": kill_point,
    }
    command = [sys.executable, "-m", "tests.support.scanning", json.dumps(orders)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def visible(store: Store) -> tuple[Any, Any, list[str], list[str]]:
    inventory, recommendations = InventoryStore(store), RecommendationStore(store)
    head = inventory.head(SHARD)
    ids = sorted(one.id for page in inventory.pages(SHARD, head.generation if head else "") for one in page)
    return recommendations.head(KEY), head, ids, [one.id for one in recommendations.stream(KEY)]


@pytest.mark.parametrize("kill_point", ["scan.page:2", "scan.swap", "scan.judged", "scan.publish"])
def test_a_scan_killed_halfway_shows_nothing_of_itself(
    aws: AwsDouble, store: Store, valkey_url: str, kill_point: str
) -> None:
    whole = scan_process(store, valkey_url)
    assert whole.returncode == 0, whole.stderr
    policy_head, shard_head, ids, recommended = visible(store)
    aws.control.change("111111111111", "us-east-1", ids[0], {"tags": {"Name": "changed"}})
    killed = scan_process(store, valkey_url, kill_point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    after = visible(store)
    assert after[0] == policy_head
    assert after[2] == ids
    assert after[3] == recommended
    assert after[1].completed >= shard_head.completed
    again = scan_process(store, valkey_url)
    assert again.returncode == 0, again.stderr
    assert visible(store)[0].generation != policy_head.generation
    assert visible(store)[3] == recommended


def test_what_killed_scans_leave_behind_goes_by_itself(aws: AwsDouble, store: Store, valkey_url: str) -> None:
    assert scan_process(store, valkey_url, "scan.swap").returncode == -signal.SIGKILL
    left = [key for key in store.client.scan_iter(f"{store.keys.prefix}*") if ":2026" in key or "T" in key]
    generations = [key for key in left if ":inv:" in key]
    assert generations
    assert all(0 < int(str(store.client.ttl(key))) <= 86_400 for key in generations)
