"""Days first for what is idle or sized by its operations: no decision differs from the one on full 5-minute points."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.facts import volume as real_volume
from tests.support.judging import Bench
from tests.unit.scan.aggregating import DAY, Aggregating
from tests.unit.scan.measuring import LONG_AGO, NOW, instance, measure

from finops.domain.canonical import Json
from finops.domain.recommendation import Finding
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.store.connection import Store
from finops_operator.plugins.check import Facts, Pictures, Settled
from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.loaded import load_checks
from finops_operator.scan.check import enabled_checks, evaluate, settled_by_days, wants_fine
from finops_operator.scan.metrics.first_days import DaysPicture
from finops_operator.services.ec2 import nat_gateway, volume, vpc_endpoint

ENABLED = enabled_checks(load_checks(), [])
OFF: tuple[Callable[[int], bool], ...] = (
    lambda _slot: False,
    lambda slot: slot % 288 < 100,
    lambda slot: slot // 288 % 7 > 4,
    lambda slot: slot * 300 > (NOW - timedelta(hours=5)).timestamp(),
    lambda slot: slot * 300 > (NOW - timedelta(days=20)).timestamp(),
    lambda slot: slot * 300 > (NOW - timedelta(days=35)).timestamp(),
)
"""Always there; gone at night; gone at weekends; gone since hours, since days, since weeks."""
NEVER_OFF = OFF[0]
MOSTLY_THERE = (*[NEVER_OFF] * 6, *OFF)


@dataclass(frozen=True)
class Judging:
    """What the scan asks the checks of one kind about its pictures."""

    kind: ResourceKind[Any]

    def facts(self, resource: Resource, seen: Utilization) -> Facts[Any]:
        return replace(Bench(self.kind).facts(resource, seen), now=NOW)

    def settled(self, resource: Resource, picture: DaysPicture) -> Settled:
        pictures = Pictures(*(self.facts(resource, one) for one in (picture.days, picture.least, picture.most)))
        return settled_by_days(ENABLED, pictures)

    def fine(self, resource: Resource, seen: Utilization) -> bool:
        return wants_fine(ENABLED, self.facts(resource, seen))

    def decisions(self, resource: Resource, seen: Utilization) -> set[tuple[str, str, str, str]]:
        """Return check, target, parameters and the cost that remains, of each finding."""
        found = (one for one in evaluate(ENABLED, self.facts(resource, seen)) if isinstance(one, Finding))
        return {(one.check, one.target, str(one.parameters), str(one.new_monthly_cost)) for one in found}


VOLUMES, GATEWAYS, ENDPOINTS = (Judging(one.KIND) for one in (volume, nat_gateway, vpc_endpoint))


@dataclass(frozen=True)
class MadeUp:
    """A resource, what it did, and over how many days that is read."""

    judging: Judging
    resource: Resource
    cloud: Aggregating
    days: int

    def coarse(self, store: Store) -> Utilization:
        """Return what is known of it when days are asked for first."""
        judging = self.judging
        found, _ = measure(
            store,
            self.cloud,
            self.resource,
            settled=judging.settled,
            fine=judging.fine,
            days=self.days,
            kind=judging.kind,
        )
        return found[self.resource.id]

    def full(self, store: Store) -> tuple[Resource, Utilization]:
        """Return a twin with what its hours and its 5 minutes say."""
        twin = replace(self.resource, id=f"{self.resource.id}-full")
        found, _ = measure(store, self.cloud, twin, fine=True, days=self.days, kind=self.judging.kind)
        return twin, found[twin.id]


def an_age(chance: random.Random) -> timedelta:
    return chance.choice([NOW - LONG_AGO, NOW - LONG_AGO, timedelta(days=chance.uniform(5, 60)), timedelta(days=32)])


def attached(volume_type: str = "gp2", size_gb: int = 500, **attributes: Json) -> Resource:
    made = real_volume(
        volume_type=volume_type,
        size_gb=size_gb,
        attached_instance_id="i-1",
        attached_device="/dev/sdf",
        multi_attach=False,
    )
    return replace(made, id="vol-1", created=LONG_AGO, attributes={**made.attributes, **attributes})


def a_volume(chance: random.Random, seed: int) -> MadeUp:
    kind = chance.choice(["gp2", "gp2", "gp2", "gp3", "io1", "io2", "standard"])
    given: dict[str, Json] = {"iops": chance.choice([3000, 8000]), "throughput": chance.choice([125, 500])}
    device = chance.choice(["/dev/sdf", "/dev/sdf", "/dev/xvda"])
    made = attached(kind, chance.choice([100, 500, 3000]), attached_device=device, **given)
    # A sample is of a minute; around what is in the price of gp3 when a whole day, or a whole hour, came in 5 minutes.
    usual, share, high = chance.choice([0.0, 0.0, 1.0, 40.0, 900.0, 2e4, 1e5]), chance.choice([0.0, 0.0001, 0.02]), 1e5
    points = {
        "VolumeReadOps": (usual, share, chance.choice([1.0, high])),
        "VolumeWriteOps": (chance.choice([0.0, usual]), 0.0, 0.0),
        "VolumeIdleTime": (59.0, 0.0, 0.0),
        "VolumeReadBytes": (usual * 4096, share, high * 16384),
        "VolumeWriteBytes": (usual * 4096, 0.0, 0.0),
    }
    cloud = Aggregating(points=points, seed=seed, off=chance.choice(MOSTLY_THERE))
    made = replace(made, id=f"vol-{seed}", created=NOW - an_age(chance))
    return MadeUp(VOLUMES, made, cloud, chance.choice([7, 14, 14]))


def a_gateway(chance: random.Random, seed: int) -> MadeUp:
    share = chance.choice([0.0, 0.0, 0.0001, 0.001])
    points = {
        name: (chance.choice([0.0, 0.0, 0.0, 10.0]), share, 5.0)
        for name in ("PacketsInFromSource", "PacketsInFromDestination", "ActiveConnectionCount")
    }
    gaps = chance.choice([0.0, 0.0, 0.01, 0.1])
    cloud = Aggregating(points=points, seed=seed, gaps=gaps, off=chance.choice(MOSTLY_THERE))
    return MadeUp(GATEWAYS, gateway(id=f"nat-{seed}", created=NOW - an_age(chance)), cloud, chance.choice([7, 14]))


def an_endpoint(chance: random.Random, seed: int) -> MadeUp:
    points = {"BytesProcessed": (0.0, chance.choice([0.0, 0.0, 0.0001, 0.001]), 900.0)}
    cloud = Aggregating(points=points, seed=seed, only_traffic=True)
    return MadeUp(ENDPOINTS, endpoint(id=f"vpce-{seed}", created=NOW - an_age(chance)), cloud, chance.choice([7, 14]))


def gateway(**changes: Any) -> Resource:
    facts: dict[str, Json] = {"availability": "zonal", "route_tables": 1}
    return replace(instance(), kind="nat-gateway", state="available", attributes=facts, **changes)


def endpoint(**changes: Any) -> Resource:
    facts: dict[str, Json] = {
        "service_name": "com.amazonaws.us-east-1.sqs",
        "vpc_id": "vpc-1",
        "subnets": 2,
        "requester_managed": False,
    }
    return replace(instance(), kind="vpc-endpoint", state="available", attributes=facts, **changes)


@pytest.mark.parametrize("make", [a_volume, a_gateway, an_endpoint])
@pytest.mark.parametrize("start", range(0, 24, 8))
def test_no_decision_differs_from_the_one_on_full_five_minute_points(
    store: Store, make: Callable[[random.Random, int], MadeUp], start: int
) -> None:
    by_days = 0
    for number in range(start, start + 8):
        one = make(random.Random(number), number)
        seen = one.coarse(store)
        by_days += set(one.cloud.periods) == {DAY}
        twin, full = one.full(store)
        judging = one.judging
        assert judging.decisions(one.resource, seen) == judging.decisions(twin, full), number
    assert by_days >= 1


def read(store: Store, judging: Judging, resource: Resource, cloud: Aggregating) -> list[int]:
    MadeUp(judging, resource, cloud, 14).coarse(store)
    return sorted(set(cloud.periods))


def test_an_idle_gateway_and_an_idle_endpoint_are_found_by_their_days(store: Store) -> None:
    for judging, one, check in (
        (GATEWAYS, gateway(), "nat_gateway_idle"),
        (ENDPOINTS, endpoint(), "vpc_endpoint_idle"),
    ):
        quiet = dict.fromkeys(
            ("PacketsInFromSource", "PacketsInFromDestination", "ActiveConnectionCount", "BytesProcessed"),
            (0.0, 0.0, 0.0),
        )
        idle = MadeUp(judging, one, Aggregating(points=quiet, only_traffic=judging is ENDPOINTS), 14)
        seen = idle.coarse(store)
        assert set(idle.cloud.periods) == {DAY}
        assert {name for name, *_ in judging.decisions(one, seen)} == {check}


def test_an_idle_volume_is_found_by_its_days(store: Store) -> None:
    quiet = {"VolumeReadOps": (0.0, 0.0, 0.0), "VolumeWriteOps": (0.0, 0.0, 0.0)}
    idle = MadeUp(VOLUMES, attached("gp3", iops=3000, throughput=125), Aggregating(points=quiet), 14)
    seen = idle.coarse(store)
    assert set(idle.cloud.periods) == {DAY}
    assert {name for name, *_ in VOLUMES.decisions(idle.resource, seen)} == {"ebs_volume_idle"}


def test_an_idle_volume_whose_instance_is_off_at_night_is_left_to_its_hours_and_not_judged(store: Store) -> None:
    quiet = {"VolumeReadOps": (0.0, 0.0, 0.0), "VolumeWriteOps": (0.0, 0.0, 0.0)}
    cloud = Aggregating(points=quiet, off=lambda slot: slot % 288 < 100)
    off = MadeUp(VOLUMES, attached("gp3", iops=3000, throughput=125), cloud, 14)
    seen = off.coarse(store)
    assert sorted(set(cloud.periods)) == [3600, DAY]
    assert VOLUMES.decisions(off.resource, seen) == set()


@pytest.mark.parametrize(
    ("operations", "periods"),
    [
        # All of a day in 5 minutes: 83,000 operations are 277 a second of 64 KiB and more, which gp3 has in its price.
        (58.0, [DAY]),
        # A day's would be too many, an hour's are not.
        (900.0, [3600, DAY]),
        # An hour's would be too many: only 5 minutes say what it needs.
        (9e4, [300, 3600, DAY]),
    ],
)
def test_a_large_gp2_volume_is_read_by_the_coarsest_points_that_decide(
    store: Store, operations: float, periods: list[int]
) -> None:
    steady = {"VolumeReadOps": (operations, 0.0, 0.0), "VolumeWriteOps": (0.0, 0.0, 0.0)}
    assert read(store, VOLUMES, attached("gp2", 500), Aggregating(points=steady)) == periods


def test_a_small_gp2_volume_and_a_magnetic_one_need_no_hours_whatever_they_do(store: Store) -> None:
    busy = {"VolumeReadOps": (9e4, 0.0, 0.0), "VolumeWriteOps": (9e4, 0.0, 0.0)}
    for one in (attached("gp2", 100), attached("standard", 100)):
        assert read(store, VOLUMES, replace(one, id=one.text("volume_type")), Aggregating(points=busy)) == [DAY]


def test_a_volume_that_pays_for_more_than_gp3_includes_is_sized_by_five_minutes(store: Store) -> None:
    busy = {"VolumeReadOps": (100.0, 0.0, 0.0)}
    assert read(store, VOLUMES, attached("gp3", 500, iops=8000, throughput=500), Aggregating(points=busy)) == [
        300,
        3600,
        DAY,
    ]
