"""A shard is abandoned only when no policy that exists could be the one that scans it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.scan_samples import ACCOUNT, NOW, account, gap, policy, summary

from finops.crds.scan_policy import ScanPolicy
from finops.domain.resource import Shard
from finops.store.inventory import ShardHead
from finops.store.recommendations import PolicyHead
from finops_operator.upkeep.cleanup import is_abandoned, may_scan

SHARD = Shard(ACCOUNT, "eu-west-1", "ec2-instance")
TRIED = NOW - timedelta(hours=1)
ACCOUNTS = {"production": account()}


def failed(attempted: datetime = TRIED) -> ShardHead:
    """A shard that was tried once and never seen."""
    return ShardHead(SHARD, "", 0, 0, 0, (gap("UnauthorizedOperation"),), attempted, attempted, attempted, {})


def scanned(start: datetime, *gaps: Any) -> PolicyHead:
    """What a scan left that began at `start` and did not see the shard."""
    return PolicyHead("g", summary(*gaps, start_time=start), ())


def abandoned(head: ShardHead, *policies: tuple[ScanPolicy, PolicyHead | None]) -> bool:
    return is_abandoned(head, policies, ACCOUNTS, NOW)


def test_a_shard_that_no_policy_asks_for_is_abandoned() -> None:
    assert abandoned(failed())
    assert abandoned(failed(), (policy(regions=["us-east-1"]), None))


@pytest.mark.parametrize(
    ("spec", "asked"),
    [
        ({}, True),
        ({"regions": ["eu-west-1"]}, True),
        ({"regions": ["us-east-1"]}, False),
        ({"resources": ["ec2-instance", "ebs-volume"]}, True),
        ({"resources": ["ebs-volume"]}, False),
        ({"accounts": [{"name": "staging"}]}, False),
        ({"accounts": [{"name": "staging"}, {"name": "production"}]}, True),
    ],
)
def test_a_policy_asks_for_the_accounts_regions_and_kinds_it_names(spec: dict[str, Any], asked: bool) -> None:
    assert may_scan(policy(**spec), ACCOUNTS, SHARD) is asked


def test_an_account_confines_who_may_scan_what() -> None:
    confined, closed = account(regions=["us-east-1"]), account(allow=[{"namespaces": ["team-b"]}])
    assert not may_scan(policy(), {"production": confined}, SHARD)
    assert not may_scan(policy(), {"production": closed}, SHARD)
    assert not may_scan(policy(), {}, SHARD)


def test_a_shard_that_a_policy_asks_for_stays_however_long_it_fails() -> None:
    old = failed(NOW - timedelta(days=300))
    assert not abandoned(old, (policy(), None))
    assert not abandoned(old, (policy(), scanned(NOW - timedelta(days=301))))
    assert not abandoned(old, (policy(regions=["us-east-1"]), None), (policy(name="q"), None))


def test_what_a_later_scan_left_out_although_it_is_asked_for_is_abandoned() -> None:
    assert abandoned(failed(), (policy(), scanned(TRIED + timedelta(seconds=1))))
    assert not abandoned(failed(), (policy(), scanned(TRIED)))


def test_a_scan_that_could_not_enter_the_account_has_left_out_nothing() -> None:
    later = TRIED + timedelta(seconds=1)
    assert not abandoned(failed(), (policy(), scanned(later, gap("AssumeRoleFailed", region=""))))
    assert abandoned(failed(), (policy(), scanned(later, gap("AssumeRoleFailed", region="", account="999999999999"))))
    assert abandoned(failed(), (policy(), scanned(later, gap("UnauthorizedOperation"))))


def test_resources_are_kept_a_day_for_a_policy_that_takes_over() -> None:
    seen = replace(failed(), generation="g1", count=1)
    assert not abandoned(seen)
    assert not abandoned(replace(seen, attempted=NOW - timedelta(hours=23)))
    assert abandoned(replace(seen, attempted=NOW - timedelta(hours=25)))
