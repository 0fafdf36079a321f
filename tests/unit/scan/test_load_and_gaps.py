"""What verdicts on instances and volumes keep to, whatever they did: a lost day is no idleness, more load no waste."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import cost
from tests.unit.scan.aggregating import Aggregating
from tests.unit.scan.deciding import DEFAULT, ENABLED
from tests.unit.scan.measuring import NOW, measure
from tests.unit.scan.test_measure_days_of_volumes_and_networks import VOLUMES, attached
from tests.unit.scan.test_measure_stops import machine

from finops.domain.recommendation import Finding
from finops.domain.resource import Resource
from finops.store.connection import Store
from finops_operator.scan.check import evaluate

GIVES_MORE = frozenset({"ec2_instance_underprovisioned", "ec2_instance_surplus_credits"})
"""Checks that find what has too little: more load is what they wait for."""
UNUSED = frozenset({"ec2_instance_idle", "ebs_volume_idle"})
TYPES = ("m5.2xlarge", "m5.large", "c5.4xlarge", "r5.xlarge", "t3.large", "m4.xlarge")


@dataclass(frozen=True)
class Case:
    """A resource and what it did: metric → (usual level, share of busy 5 minutes, level when busy)."""

    resource: Resource
    points: Mapping[str, tuple[float, float, float]]
    seed: int

    def times(self, factor: float) -> Case:
        more = {name: (usual * factor, share, high * factor) for name, (usual, share, high) in self.points.items()}
        return replace(self, points=more)

    def found(self, store: Store, name: str, lost: range = range(0)) -> dict[str, Finding]:
        """Return check → finding; `lost` are 5 minutes since the epoch of which nothing is known."""
        cloud = Aggregating(points=self.points, seed=self.seed, off=lambda slot: slot in lost)
        one = replace(self.resource, id=f"{self.resource.id}-{name}")
        if one.kind == "ebs-volume":
            seen, _ = measure(store, cloud, one, settled=VOLUMES.settled, fine=VOLUMES.fine, kind=VOLUMES.kind)
            verdicts = [*evaluate(ENABLED, VOLUMES.facts(one, seen[one.id]))]
        else:
            seen, _ = measure(store, cloud, one, settled=DEFAULT.settled, fine=True)
            verdicts = DEFAULT.verdicts(one, seen[one.id])
        return {made.check: made for made in verdicts if isinstance(made, Finding)}

    def saving(self, made: Finding) -> Decimal:
        """Return what a finding saves a month, nothing where that is not known."""
        now = cost(self.resource).unrounded_monthly
        return Decimal(0) if now is None or made.new_monthly_cost is None else now - made.new_monthly_cost


def an_instance(seed: int) -> Case:
    chance = random.Random(seed)
    usual, share, high = chance.choice([0.5, 2.0, 8.0, 20.0]), chance.choice([0.0, 0.0, 0.01, 0.1]), 30.0
    traffic, disk = chance.choice([1.0, 1e3, 1e6]), chance.choice([0.0, 300.0, 3e4])
    points = {
        "CPUUtilization": (usual, share, high),
        "NetworkIn": (traffic, share, traffic * 10),
        "NetworkOut": (traffic, share, traffic * 10),
        "NetworkPacketsIn": (traffic / 1000, share, traffic / 100),
        "NetworkPacketsOut": (traffic / 1000, share, traffic / 100),
        "EBSReadOps": (disk, share, disk * 5),
        "EBSWriteOps": (disk, share, disk * 5),
        "EBSReadBytes": (disk * 4096, share, disk * 16384),
        "EBSWriteBytes": (disk * 4096, share, disk * 16384),
        "mem_used_percent": (chance.choice([10.0, 25.0, 40.0]), 0.0, 0.0),
    }
    one = machine(launched=NOW - timedelta(days=90), instance_type=chance.choice(TYPES))
    return Case(replace(one, id=f"i-{seed}"), points, seed)


def a_volume(seed: int) -> Case:
    chance = random.Random(seed)
    usual, share = chance.choice([0.0, 0.0, 40.0, 900.0, 2e4]), chance.choice([0.0, 0.0, 0.01])
    points = {
        "VolumeReadOps": (usual, share, usual * 20),
        "VolumeWriteOps": (usual, 0.0, 0.0),
        "VolumeReadBytes": (usual * 4096, share, usual * 16384 * 20),
        "VolumeWriteBytes": (usual * 4096, 0.0, 0.0),
        "VolumeIdleTime": (20.0, 0.0, 0.0),
    }
    kind = chance.choice(["gp2", "gp3", "io1", "io2", "standard"])
    given = {"iops": chance.choice([3000, 8000]), "throughput": chance.choice([125, 500])} if kind != "gp2" else {}
    one = attached(kind, chance.choice([100, 500, 3000]), **given)
    return Case(replace(one, id=f"vol-{seed}"), points, seed)


def quiet_instance() -> Case:
    return replace(
        an_instance(0),
        points={"CPUUtilization": (1.0, 0.0, 0.0), "NetworkIn": (9.0, 0.0, 0.0), "NetworkOut": (9.0, 0.0, 0.0)},
    )


def quiet_volume() -> Case:
    one = attached("gp3", iops=3000, throughput=125)
    return Case(one, {"VolumeReadOps": (0.0, 0.0, 0.0), "VolumeWriteOps": (0.0, 0.0, 0.0)}, 0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("make", [an_instance, a_volume])
def test_twice_the_load_removes_advice_or_lessens_it_and_never_adds_any(
    store: Store, make: Callable[[int], Case], seed: int
) -> None:
    case = make(seed)
    once, twice = case.found(store, "once"), case.times(2).found(store, "twice")
    for check in twice.keys() & once.keys() - GIVES_MORE:
        assert case.saving(twice[check]) <= case.saving(once[check]), check
    best = max((case.saving(one) for one in once.values()), default=Decimal(0))
    for check in twice.keys() - once.keys() - GIVES_MORE:
        # What is no longer idle may be too large: less than what stopping it saved.
        assert UNUSED & once.keys(), check
        assert case.saving(twice[check]) <= best, check


@pytest.mark.parametrize(
    ("make", "ago"),
    [(quiet_instance, 1), (quiet_instance, 8), (quiet_volume, 1), (quiet_volume, 8), (quiet_volume, 25)],
)
def test_what_has_a_day_without_data_is_never_idle(store: Store, make: Callable[[], Case], ago: int) -> None:
    case = make()
    assert UNUSED & case.found(store, "whole").keys()
    day = int((NOW - timedelta(days=ago)).timestamp()) // 86_400 * 288
    assert not UNUSED & case.found(store, "lost", range(day, day + 288)).keys()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("make", [an_instance, a_volume])
def test_a_day_without_data_never_adds_an_idle_resource(store: Store, make: Callable[[int], Case], seed: int) -> None:
    case, day = make(seed), random.Random(seed).randrange(1, 40)
    first = int((NOW - timedelta(days=day)).timestamp()) // 86_400 * 288
    lost = case.found(store, "lost", range(first, first + 288))
    assert UNUSED & lost.keys() <= UNUSED & case.found(store, "whole").keys()
