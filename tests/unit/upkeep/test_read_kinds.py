"""Whatever leans on an object not being there asks whether a kind was read whole: somebody reads each kind whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client
from tests.support.budgets import policy_object
from tests.support.fake_clock import FakeClock
from tests.support.web_estate import NOW

from finops.errors import Refused
from finops.k8s.connection import Connection
from finops.settings import Settings
from finops_operator.cluster.cache import ClusterCache, KindCache
from finops_operator.parts.cluster import ClusterParts, make_cluster
from finops_operator.upkeep.watch_upkeep import WatchUpkeep

KINDS = sorted(name for name, one in vars(ClusterCache()).items() if isinstance(one, KindCache))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ClusterParts:
    """The parts of a process in front of an API server that holds nothing."""
    made = make_cluster(Settings(), Connection(client.ApiClient(), "a test", "default"), FakeClock(NOW), "operator-0")
    for objects in made.kinds:
        monkeypatch.setattr(objects.api, "list", lambda _where=None: iter(()))
    return made


def kept(cluster: ClusterParts, kind: str) -> KindCache[Any]:
    found: KindCache[Any] = getattr(cluster.cache, kind)
    return found


def keep_house(cluster: ClusterParts) -> None:
    """Do what housekeeping does for the watches, as a process without the lease does it too."""
    for duty in WatchUpkeep(cluster.kinds, cluster.canary, cluster.telemetry, FakeClock(NOW), 30.0).duties():
        assert not duty.writes
        duty.work()


def unread(cluster: ClusterParts, kind: str) -> float:
    labels = {"kind": kept(cluster, kind).kind.crd.kind}
    return cluster.telemetry.registry.get_sample_value("finops_unread_namespaces", labels) or 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read_whole_after_the_start_also_without_a_policy(cluster: ClusterParts, kind: str) -> None:
    assert not kept(cluster, kind).is_complete

    keep_house(cluster)

    assert kept(cluster, kind).is_complete
    assert unread(cluster, kind) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read_again_once_its_watch_lists_again(cluster: ClusterParts, kind: str) -> None:
    keep_house(cluster)
    # What only a watch knows: that it lists says that something may be missing, whatever it shows.
    kept(cluster, kind).saw(policy_object("p"), listed=True)
    assert not kept(cluster, kind).is_complete

    keep_house(cluster)

    assert kept(cluster, kind).is_complete


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "accounts"])
def test_a_namespace_that_cannot_be_read_leaves_the_others_read_and_is_counted(
    cluster: ClusterParts, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.cache.watches(["team-a", "team-b"])

    def refused(where: str | None) -> Iterator[Any]:
        if where == "team-b":
            raise Refused("it is forbidden", code="Forbidden")
        return iter(())

    (objects,) = [one for one in cluster.kinds if one.cache is kept(cluster, kind)]
    monkeypatch.setattr(objects.api, "list", refused)

    keep_house(cluster)

    assert [kept(cluster, kind).is_complete_in(one) for one in ("team-a", "team-b")] == [True, False]
    assert unread(cluster, kind) == 1
    monkeypatch.setattr(objects.api, "list", lambda _where: iter(()))
    keep_house(cluster)
    assert kept(cluster, kind).is_complete
