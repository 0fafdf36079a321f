"""The operator anchors its ledger in its Lease and in a ConfigMap, and freezes when the ledger does not fit them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from tests.support.ledger_keys import KEYS
from tests.support.operator_parts import Parts

from finops.domain.audit import Entry, RecordKind
from finops.errors import FenceLost
from finops.k8s.events import Events
from finops.k8s.lease import Lease
from finops.k8s.witness import ANNOTATION, ClusterWitness
from finops.ledger.checkpoint import parse_checkpoint
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops_operator.cluster.anchoring import Anchoring
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.lease import LeaseKeeper
from finops_operator.telemetry import Telemetry

LEASE, MAP = "r-executor", "r-ledger-anchor"


@dataclass
class Process:
    """What one operator process has of Lease, ledger and anchor."""

    parts: Parts
    store: Store
    path: Path
    name: str
    held: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        connection = self.parts.connection
        clock = SystemClock()
        self.lease = Lease(
            connection, namespace="default", name=LEASE, holder="operator-0", process=self.name, seconds=30, clock=clock
        )
        self.telemetry = Telemetry()
        self.freeze = Freeze(self.parts.maps, "r-freeze")
        self.keeper = LeaseKeeper(self.lease, self.freeze, self.telemetry, clock, lambda: self.held.append("held"))
        self.witness = ClusterWitness(
            connection,
            namespace="default",
            lease_name=LEASE,
            config_map=MAP,
            lease=self.lease,
            events=Events(connection, component="operator", instance=self.name),
        )
        self.ledger: DurableLedger = open_ledger(
            self.store, self.path, keys=KEYS, clock=clock, fence=lambda: self.keeper.fence, witness=self.witness
        )
        self.keeper.ledger = self.ledger
        self.anchoring = Anchoring(self.ledger, self.keeper.may_write, self.telemetry, self.freeze.freeze)

    def start(self) -> Callable[[], None]:
        """Hold the lease and anchor, in threads as the operator does; returns what stops both in its order."""
        ends = [threading.Event(), threading.Event()]
        threads = [
            threading.Thread(target=run, args=(end,))
            for run, end in zip((self.anchoring.run, self.keeper.run), ends, strict=True)
        ]
        for thread in threads:
            thread.start()

        def stop() -> None:
            for end, thread in zip(ends, threads, strict=True):
                end.set()
                thread.join()

        return stop


def until(test: Callable[[], Any]) -> None:
    for _ in range(500):
        if test():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen in ten seconds")


def vote(number: int) -> Entry:
    return Entry(f"vote:{number}", "k8s.alice", RecordKind.VOTED, request="team-a/r/u1", result="refused")


@pytest.fixture
def make(parts: Parts, store: Store, tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    yield lambda name: Process(parts, store, tmp_path / "anchored.jsonl", name)
    leases = client.CoordinationV1Api(parts.connection.api)
    if any(one.metadata and one.metadata.name == LEASE for one in leases.list_namespaced_lease("default").items):
        leases.delete_namespaced_lease(LEASE, "default")
    parts.maps.write(MAP, {"checkpoint": "", "accept": ""})


@pytest.fixture
def empty(parts: Parts, store: Store) -> None:
    """The ledger of these tests begins with nothing."""
    keys = store.keys
    for key in list(store.client.scan_iter(f"{keys.prefix}*")):
        store.client.delete(key)


def kept(parts: Parts) -> list[str]:
    lease = client.CoordinationV1Api(parts.connection.api).read_namespaced_lease(LEASE, "default")
    metadata: Any = lease.metadata
    return [(metadata.annotations or {}).get(ANNOTATION, ""), (parts.maps.read(MAP) or {}).get("checkpoint", "")]


def notes_about_the_anchor(parts: Parts) -> list[str]:
    events = client.EventsV1Api(parts.connection.api).list_namespaced_event("default").items
    return [str(event.note) for event in events if event.reason == "LedgerAnchor"]


@pytest.mark.usefixtures("empty")
def test_what_decides_is_anchored_in_both_places_within_seconds_and_the_rest_when_the_lease_is_given_up(
    parts: Parts, make: Callable[[str], Process]
) -> None:
    one = make("one")
    stop = one.start()
    try:
        until(one.keeper.may_write)
        record = one.ledger.append(vote(1))
        until(lambda: [json.loads(text)["size"] for text in kept(parts)] == [record.sequence] * 2)
        last = one.ledger.append(Entry("policy:1", "operator", RecordKind.POLICY_CHANGED, result="seen"))
    finally:
        stop()
    lease, config_map = kept(parts)
    assert lease == config_map
    assert parse_checkpoint(lease).head == last.hash
    assert one.telemetry.registry.get_sample_value("finops_ledger_anchored_sequence") == last.sequence


@pytest.mark.usefixtures("empty")
def test_a_cut_ledger_freezes_the_next_process_which_says_so_and_holds_nothing(
    parts: Parts, store: Store, make: Callable[[str], Process]
) -> None:
    one = make("one")
    stop = one.start()
    until(one.keeper.may_write)
    one.ledger.append(vote(1))
    stop()
    # The attacker owns store and volume; both are empty now, and in perfect order.
    for key in list(store.client.scan_iter(f"{store.keys.prefix}*")):
        store.client.delete(key)
    one.path.unlink()

    two = make("two")
    stop = two.start()
    try:
        until(lambda: (parts.maps.read("r-freeze") or {}).get("frozen") == "true")
        assert not two.keeper.may_write()
        assert two.held == []
        assert "its end was cut off" in two.ledger.problem
        reason = (parts.maps.read("r-freeze") or {})["reason"]
        assert "the ledger ends at record 0, but had 3 records" in reason
        assert f"kubectl -n default patch configmap {MAP}" in reason
        assert two.ledger.head().sequence == 0

        # An administrator who knows what happened pastes the command; nobody restarts anything.
        accept = json.loads(reason.partition("-p '")[2].partition("'")[0])
        parts.maps.write(MAP, accept["data"])
        until(two.keeper.may_write)
    finally:
        stop()
    kinds = [(one.entry.kind, one.entry.result) for one in two.ledger.read()]
    assert kinds[:2] == [(RecordKind.ACQUIRED, "acquired"), (RecordKind.CHECKPOINT, "accepted")]
    assert (parts.maps.read(MAP) or {})["accept"] == ""
    assert two.freeze.reason(), "the freeze stays until a person lifts it"
    assert any("A loss of the ledger was accepted" in note for note in notes_about_the_anchor(parts))


@pytest.mark.usefixtures("empty")
def test_the_config_map_keeps_the_checkpoint_when_the_lease_is_deleted(
    parts: Parts, store: Store, make: Callable[[str], Process]
) -> None:
    one = make("one")
    stop = one.start()
    until(one.keeper.may_write)
    stop()
    client.CoordinationV1Api(parts.connection.api).delete_namespaced_lease(LEASE, "default")
    for key in list(store.client.scan_iter(f"{store.keys.prefix}*")):
        store.client.delete(key)
    one.path.unlink()
    two = make("two")
    stop = two.start()
    try:
        until(lambda: "its end was cut off" in two.ledger.problem)
        assert f"ConfigMap {MAP}" in two.ledger.problem
    finally:
        stop()


@pytest.mark.usefixtures("empty")
def test_a_process_that_lost_the_lease_anchors_nothing(parts: Parts, make: Callable[[str], Process]) -> None:
    one = make("one")
    assert one.lease.try_acquire(1)
    one.witness.write("first")
    leases = client.CoordinationV1Api(parts.connection.api)
    taken: Any = leases.read_namespaced_lease(LEASE, "default")
    taken.spec.holder_identity = "operator-1_other"
    leases.replace_namespaced_lease(LEASE, "default", taken)

    with pytest.raises(FenceLost):
        one.witness.write("second")

    assert kept(parts) == ["first", "first"]


@pytest.mark.usefixtures("empty")
def test_renewing_the_lease_keeps_the_checkpoint_and_anchoring_keeps_the_lease(
    parts: Parts, make: Callable[[str], Process]
) -> None:
    one = make("one")
    held = one.lease.try_acquire(1)
    assert held is not None
    for number in range(5):
        one.witness.write(f"text {number}")
        assert one.lease.renew()
    assert kept(parts)[0] == "text 4"
    assert one.lease.guard().fence == held.fence


@pytest.mark.usefixtures("empty")
def test_administrators_see_the_first_anchor_of_an_older_ledger_as_an_event(
    parts: Parts, store: Store, make: Callable[[str], Process]
) -> None:
    one = make("one")
    older = open_ledger(store, one.path, keys=KEYS, clock=SystemClock(), fence=lambda: 0)
    older.start()
    for number in range(4):
        older.append(vote(number))
    stop = one.start()
    until(one.keeper.may_write)
    stop()
    assert sum("covers the 5 records" in note for note in notes_about_the_anchor(parts)) == 1
