"""A scan is broken off between two shards once the process stops, and goes on as long as it does not."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from finops.domain.resource import Shard
from finops_operator.policies.run import StopWhen
from finops_operator.policies.scan_runs import ScanStopped
from finops_operator.scan.progress import FinishedShard

SHARD = Shard("111111111111", "us-east-1", "ec2-instance")
DONE = FinishedShard(SHARD, 3, Decimal(10), unpriced=0, gaps=0, recommendations=1)


def test_a_scan_is_broken_off_at_the_end_of_a_shard_once_the_process_stops() -> None:
    stop = threading.Event()
    watching = StopWhen(stop)
    watching.planned([SHARD])
    watching.finished(DONE)
    stop.set()
    # What runs in other threads is left to end by itself.
    watching.listed(SHARD, 3)
    watching.judged(SHARD, 3)
    watching.waits("ec2", 1.0)
    with pytest.raises(ScanStopped):
        watching.finished(DONE)
