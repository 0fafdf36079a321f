"""Discovery: which regions, page by page into a generation, and what happens when pages are lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finops.domain.resource import Resource, Shard
from finops.errors import AwsDenied, AwsUnreachable
from finops.ports.aws_access import AccountAccess
from finops.store.connection import Store
from finops.store.inventory import InventoryStore
from finops_operator.plugins.kind import Memory, ResourceKind
from finops_operator.scan.discover import ShardResult, ShardTask, choose_regions, discover_shard, shard_tasks
from finops_operator.services.ec2.volume import KIND

ACCESS = AccountAccess(name="production", account_id="111111111111")
SHARD = Shard("111111111111", "us-east-1", "ebs-volume")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class FixedClock:
    time: datetime = NOW

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("discovery does not sleep")


class Volumes:
    """A reader of pages of volumes; an exception among them is raised."""

    account, region = "111111111111", "us-east-1"

    def __init__(self, *pages: list[dict[str, Any]] | Exception) -> None:
        self._pages = pages

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        raise AssertionError("not asked here")

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for page in self._pages:
            if isinstance(page, Exception):
                raise page
            yield {"Volumes": page}


def volume(number: int, state: str = "in-use") -> dict[str, Any]:
    return {"VolumeId": f"vol-{number}", "State": state, "Size": 8, "VolumeType": "gp3", "CreateTime": NOW.isoformat()}


def discover(
    store: Store,
    generation: str,
    *pages: list[dict[str, Any]] | Exception,
    at: datetime = NOW,
    kind: ResourceKind[Any] = KIND,
) -> ShardResult:
    return discover_shard(
        ShardTask(ACCESS, "us-east-1", kind),
        Volumes(*pages),
        InventoryStore(store),
        generation,
        clock=FixedClock(at),
        api_calls=lambda: {"ec2:DescribeVolumes": len(pages)},
    )


def listed(store: Store) -> dict[str, Resource]:
    inventory = InventoryStore(store)
    head = inventory.head(SHARD)
    assert head is not None
    return {one.id: one for page in inventory.pages(SHARD, head.generation) for one in page}


def test_pages_stream_into_one_generation_that_then_becomes_visible(store: Store) -> None:
    found = discover(store, "g1", [volume(1), volume(2)], [], [volume(3)])
    assert (found.generation, found.count, found.gaps) == ("g1", 3, ())
    assert set(listed(store)) == {"vol-1", "vol-2", "vol-3"}
    head = InventoryStore(store).head(SHARD)
    assert head is not None
    assert (head.count, head.pages, head.expected_pages) == (3, 3, 3)
    assert head.api_calls == {"ec2:DescribeVolumes": 3}


@pytest.mark.parametrize("reads_back", [True, False])
def test_the_last_scan_is_read_back_only_where_a_kind_keeps_something_of_it(store: Store, reads_back: bool) -> None:
    seen: list[str] = []

    def remember(now: Resource, before: Resource | None, _: datetime) -> Resource:
        seen.append(before.id if before is not None else "nothing")
        return now

    memory = Memory(lambda _: True, remember, lambda _: "", reads_back)
    for generation in ("g1", "g2"):
        discover(store, generation, [volume(1)], kind=replace(KIND, memory=memory))
    assert seen == ["nothing", "vol-1" if reads_back else "nothing"]


def test_more_than_one_write_loses_and_doubles_nothing(store: Store) -> None:
    found = discover(
        store, "g1", [volume(number) for number in range(1000)], [volume(number) for number in range(900, 1201)]
    )
    assert found.count == 1201
    assert len(listed(store)) == 1201


def test_an_account_without_volumes_is_known_to_be_empty(store: Store) -> None:
    found = discover(store, "g1", [])
    assert (found.generation, found.count, found.gaps) == ("g1", 0, ())


def test_a_lost_page_shows_what_was_read_and_that_a_page_is_missing(store: Store) -> None:
    lost = AwsUnreachable("gone", operation="ec2:DescribeVolumes", code="InternalError")
    found = discover(store, "g1", [volume(1)], lost)
    assert [gap.code for gap in found.gaps] == ["InternalError"]
    head = InventoryStore(store).head(SHARD)
    assert head is not None
    assert (head.count, head.pages, head.expected_pages) == (1, 1, 2)
    assert head.gaps == found.gaps


def test_a_denied_region_keeps_the_inventory_of_the_last_scan(store: Store) -> None:
    discover(store, "g1", [volume(1)])
    denied = AwsDenied("no", operation="ec2:DescribeVolumes", code="UnauthorizedOperation")
    found = discover(store, "g2", denied, at=NOW + timedelta(hours=1))
    assert found.generation == ""
    assert set(listed(store)) == {"vol-1"}
    head = InventoryStore(store).head(SHARD)
    assert head is not None
    assert [gap.code for gap in head.gaps] == ["UnauthorizedOperation"]


def test_the_first_sight_of_a_detached_volume_is_kept_until_it_is_attached_again(store: Store) -> None:
    def since(generation: str, state: str, hours: int) -> str:
        discover(store, generation, [volume(1, state)], at=NOW + timedelta(hours=hours))
        return listed(store)["vol-1"].text("unattached_since")

    assert since("g0", "in-use", 0) == ""
    assert since("g1", "available", 1) == (NOW + timedelta(hours=1)).isoformat()
    assert since("g2", "available", 2) == (NOW + timedelta(hours=1)).isoformat()
    assert since("g3", "in-use", 3) == ""
    assert since("g4", "available", 4) == (NOW + timedelta(hours=4)).isoformat()


ENABLED = frozenset({"us-east-1", "eu-central-1"})


@pytest.mark.parametrize(
    ("wanted", "allowed", "enabled", "chosen", "codes"),
    [
        ((), (), ENABLED, ("eu-central-1", "us-east-1"), []),
        (("us-east-1",), (), ENABLED, ("us-east-1",), []),
        ((), ("us-east-1",), ENABLED, ("us-east-1",), []),
        (("us-east-1", "eu-central-1"), ("us-east-1",), ENABLED, ("us-east-1",), ["RegionNotAllowed"]),
        (("us-east-1", "me-south-1"), (), ENABLED, ("us-east-1",), ["RegionNotEnabled"]),
        (("us-east-1", "me-south-1"), (), None, ("me-south-1", "us-east-1"), []),
        (("us-east-1", "us-east-1"), (), ENABLED, ("us-east-1",), []),
    ],
)
def test_regions_are_the_wanted_ones_that_exist_and_are_allowed(
    wanted: tuple[str, ...],
    allowed: tuple[str, ...],
    enabled: frozenset[str] | None,
    chosen: tuple[str, ...],
    codes: list[str],
) -> None:
    regions, gaps = choose_regions(wanted, allowed, enabled, ACCESS)
    assert regions == chosen
    assert [gap.code for gap in gaps] == codes


@pytest.mark.parametrize(
    ("wanted", "allowed", "words"),
    [
        (("eu-central-1",), ("us-east-1",), ("AwsAccount production", "eu-central-1", "the policy's spec.regions")),
        (("us-east-9",), (), ("us-east-9 does not exist", "account 111111111111", "spec.regions of the policy")),
        ((), ("us-east-9",), ("us-east-9", "spec.regions of AwsAccount production", "enable it")),
    ],
)
def test_a_region_that_cannot_be_scanned_names_the_object_and_field_to_change(
    wanted: tuple[str, ...], allowed: tuple[str, ...], words: tuple[str, ...]
) -> None:
    _, (gap,) = choose_regions(wanted, allowed, ENABLED, ACCESS)
    assert all(word in gap.message for word in words), gap.message


def test_a_kind_is_listed_in_every_region_and_a_global_one_once_in_the_home_region() -> None:
    china = replace(ACCESS, partition="aws-cn", home_region="cn-north-1")
    everywhere = replace(KIND, id="fax-line", listing=replace(KIND.listing, is_global=True))
    tasks = shard_tasks(china, ("cn-north-1", "cn-northwest-1"), (KIND, everywhere))
    assert [(task.kind.id, task.region) for task in tasks] == [
        ("ebs-volume", "cn-north-1"),
        ("ebs-volume", "cn-northwest-1"),
        ("fax-line", "cn-north-1"),
    ]


def test_a_global_kind_is_listed_whichever_regions_were_chosen() -> None:
    everywhere = replace(KIND, listing=replace(KIND.listing, is_global=True))
    assert [task.region for task in shard_tasks(ACCESS, ("eu-central-1",), (everywhere,))] == ["us-east-1"]
