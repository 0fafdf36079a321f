"""Faults on command, paging, clock and record, without a server."""

from datetime import UTC, datetime
from typing import Any

import pytest

from finops_sandbox.aws.clock import SandboxClock
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.faults import CallFacts, FaultBook
from finops_sandbox.aws.fleet import Fleet
from finops_sandbox.aws.paging import window

STOP = CallFacts("ec2", "StopInstances", "1", "us-east-1", ("i-1",))


def test_a_counted_fault_strikes_exactly_that_often() -> None:
    book = FaultBook()
    book.inject({"kind": "throttle", "count": 2})
    assert [book.strike("throttle", STOP) is not None for _ in range(4)] == [True, True, False, False]
    assert book.listing()[0]["hits"] == 2


def test_a_rate_is_kept_over_time_and_the_same_in_every_run() -> None:
    runs = []
    for _ in range(2):
        book = FaultBook()
        book.inject({"kind": "throttle", "rate": 0.4})
        runs.append([book.strike("throttle", STOP) is not None for _ in range(2000)])
    assert runs[0] == runs[1]
    assert 0.36 < sum(runs[0]) / 2000 < 0.44


@pytest.mark.parametrize(
    ("match", "strikes"),
    [
        ({}, True),
        ({"service": "ec2", "action": "StopInstances", "account": "1", "region": "us-east-1"}, True),
        ({"resource": "i-1"}, True),
        ({"resource": "i-2"}, False),
        ({"service": "sts"}, False),
        ({"action": "StartInstances"}, False),
        ({"account": "2"}, False),
        ({"region": "eu-central-1"}, False),
    ],
)
def test_a_fault_strikes_only_what_it_names(match: dict[str, Any], *, strikes: bool) -> None:
    book = FaultBook()
    book.inject({"kind": "deny", **match})
    assert (book.strike("deny", STOP) is not None) is strikes


def test_capacity_lacks_for_one_type_or_for_all_but_some() -> None:
    book = FaultBook()
    book.inject({"kind": "capacity", "instanceType": "m5.large"})
    assert book.strike("capacity", STOP, instance_type="m5.large")
    assert not book.strike("capacity", STOP, instance_type="m5.xlarge")
    book.clear()
    book.inject({"kind": "capacity", "notTypes": ["m5.large"]})
    assert not book.strike("capacity", STOP, instance_type="m5.large")
    assert book.strike("capacity", STOP, instance_type="m5.xlarge")


def test_a_removed_fault_strikes_no_more() -> None:
    book = FaultBook()
    fault = book.inject({"kind": "deny"})
    assert book.remove(fault)
    assert not book.remove(fault)
    assert not book.strike("deny", STOP)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "earthquake"},
        {"kind": "throttle", "rate": 2},
        {"kind": "throttle", "count": 0},
        {"kind": "throttle", "count": "3"},
        {"kind": "throttle", "colour": 1},
        {"kind": "partial_metrics", "fraction": -1},
        {"kind": "throttle", "count": True},
    ],
)
def test_a_wrong_fault_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        FaultBook().inject(document)


def test_pages_cover_the_list_once_and_in_order() -> None:
    items = list(range(23))
    seen: list[int] = []
    token = None
    while True:
        page = window("DescribeInstances", {"MaxResults": 5, "NextToken": token})
        seen += page.cut(items)
        token = page.token(len(items))
        if token is None:
            break
    assert seen == items


@pytest.mark.parametrize("size", [4, 1001, 0, -1])
def test_a_page_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(AwsError, match="maxResults"):
        window("DescribeInstances", {"MaxResults": size})


@pytest.mark.parametrize("token", ["rubbish", "AAAA", "RGVzY3JpYmVWb2x1bWVzOjU="])
def test_a_token_of_another_list_is_refused(token: str) -> None:
    with pytest.raises(AwsError, match="pagination token"):
        window("DescribeInstances", {"NextToken": token})


def test_the_clock_goes_forward_only() -> None:
    clock = SandboxClock(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(90)
    assert clock.now() == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    clock.reset()
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_fleet_makes_every_member_once_and_knows_its_own() -> None:
    fleet = Fleet("1", "us-east-1", 25, 30, datetime(2026, 1, 1, tzinfo=UTC))
    ids = [one["InstanceId"] for start in (0, 10, 20) for one in fleet.instances(start, 10, ())]
    assert len(set(ids)) == len(ids) == 25
    assert fleet.instances(0, None, [ids[7]])[0]["InstanceId"] == ids[7]
    assert fleet.member(ids[24]) is not None
    assert fleet.member("i-0f1ee700000000019") is None
    volumes = fleet.volumes(0, None, ())
    assert [one["State"] for one in volumes].count("available") == 5
    assert fleet.volume_of(volumes[29]["VolumeId"]) is None
    with pytest.raises(AwsError, match="does not exist"):
        fleet.instances(0, None, ["i-0123"])


def test_cloudwatch_is_known_by_its_own_name_and_by_the_one_it_is_signed_for() -> None:
    for name in ("cloudwatch", "monitoring"):
        book = FaultBook()
        book.inject({"kind": "throttle", "service": name})
        assert book.strike("throttle", CallFacts("monitoring", "GetMetricData", "1", "us-east-1"))
        assert not book.strike("throttle", STOP)
