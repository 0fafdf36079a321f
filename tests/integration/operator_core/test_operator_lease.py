"""The executor's lease and the ledger agree on who may write: one fencing token, one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from kubernetes import client
from tests.support.ledger_keys import KEYS, PRIVATE_KEY
from tests.support.operator_parts import Parts
from tests.support.operator_rig import eventually
from tests.support.witness import MemoryWitness

from finops.audit_verify import verify
from finops.domain.audit import Entry, RecordKind
from finops.domain.backoff import Backoff
from finops.errors import FenceLost, FinopsError, InvalidInput, LedgerDiverged, Unavailable
from finops.k8s.lease import Lease
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.file_sink import FileSink
from finops.ledger.signing import Keyring, public_key_of
from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops_operator.cluster import lease, take_over
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.lease import LeaseKeeper
from finops_operator.telemetry import Telemetry

NAME = "r-executor"


class Process:
    """What one operator process has of the lease and the ledger."""

    def __init__(
        self,
        parts: Parts,
        store: Store,
        path: Path,
        process: str,
        shown: Callable[[], int] = lambda: 0,
        *,
        seconds: int = 30,
        on_held: Callable[[], None] = lambda: None,
    ) -> None:
        self.lease = Lease(
            parts.connection,
            namespace="default",
            name=NAME,
            holder="operator-0",
            process=process,
            seconds=seconds,
            clock=SystemClock(),
        )
        self.keeper = LeaseKeeper(
            self.lease, Freeze(parts.maps, "r-freeze"), Telemetry(), SystemClock(), on_held, shown
        )
        self.ledger: DurableLedger = open_ledger(
            store, path, keys=KEYS, clock=SystemClock(), fence=lambda: self.keeper.fence
        )
        self.keeper.ledger = self.ledger

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold the lease in a thread, as the operator does."""
        stop = threading.Event()
        thread = threading.Thread(target=self.keeper.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def wait_ready(self) -> int:
        for _ in range(500):
            if self.keeper.may_write():
                return self.keeper.fence
            threading.Event().wait(0.02)
        raise AssertionError("the lease was not acquired")


@pytest.fixture
def make(parts: Parts, store: Store, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    def process(name: str, **more: Any) -> Process:
        # Two pods have a volume each; both files follow the one stream.
        return Process(parts, store, tmp_path / f"{name}.jsonl", name, **more)

    yield process
    leases = client.CoordinationV1Api(parts.connection.api)
    if any(one.metadata and one.metadata.name == NAME for one in leases.list_namespaced_lease("default").items):
        leases.delete_namespaced_lease(NAME, "default")


def test_acquiring_the_lease_is_the_first_record_under_its_fence(parts: Parts, make: Callable[..., Process]) -> None:
    """A holding without any act leaves its mark too."""
    first = make("first")
    with first.running():
        fence = first.wait_ready()
    second = make("second")
    with second.running():
        later = second.wait_ready()

    claims = [one for one in parts.ledger.read() if one.entry.kind is RecordKind.ACQUIRED]
    assert [(one.fence, one.entry.detail["holder"]) for one in claims] == [
        (fence, "operator-0_first"),
        (later, "operator-0_second"),
    ]
    assert later > fence


def test_a_lease_that_is_deleted_again_and_again_never_gives_two_processes_one_fence(
    parts: Parts, make: Callable[..., Process]
) -> None:
    """Twelve deletions, every token used once."""
    leases, fences = client.CoordinationV1Api(parts.connection.api), []
    for number in range(12):
        one = make(f"p{number}")
        held = one.lease.try_acquire(one.ledger.head().fence + 1)
        assert held is not None
        assert one.keeper._claim(one.ledger)
        fences.append(held.fence)
        leases.delete_namespaced_lease(NAME, "default")

    assert len(set(fences)) == len(fences)


def test_of_two_processes_that_got_one_fence_only_the_first_to_record_it_holds(
    parts: Parts, make: Callable[..., Process]
) -> None:
    """The ledger decides, before anything else is written."""
    ours, theirs = make("ours"), make("theirs")
    floor = ours.ledger.head().fence + 1
    first = ours.lease.try_acquire(floor)
    client.CoordinationV1Api(parts.connection.api).delete_namespaced_lease(NAME, "default")
    second = theirs.lease.try_acquire(floor)
    assert first is not None
    assert second is not None
    assert first.fence == second.fence

    assert theirs.keeper._claim(theirs.ledger)
    with pytest.raises(FenceLost, match="operator-0_theirs"):
        ours.keeper._claim(ours.ledger)

    with pytest.raises(FenceLost):
        ours.lease.guard()
    assert theirs.lease.guard().fence == second.fence


def test_a_lease_starts_above_the_highest_fence_in_any_status(make: Callable[..., Process]) -> None:
    """No status is written with a lower fence than it shows."""
    one = make("one", shown=lambda: 41)
    with one.running():
        assert one.wait_ready() == 42


def test_the_lease_is_renewed_while_a_long_ledger_is_read(make: Callable[..., Process]) -> None:
    """Whoever reads longer than the lease lasts must not lose it to a process that does the same."""
    reading, read = threading.Event(), threading.Event()

    def take_long() -> None:
        reading.set()
        assert read.wait(20)

    first, second = make("first", seconds=2, on_held=take_long), make("second", seconds=2)
    with first.running():
        assert reading.wait(10)
        try:
            for _ in range(30):
                assert second.lease.try_acquire(1) is None
                threading.Event().wait(0.2)
        finally:
            read.set()
        first.wait_ready()


def test_a_take_over_that_hangs_is_said_and_does_not_keep_the_lease_for_ever(
    make: Callable[..., Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_over, "SAID_SECONDS", 0.5)
    monkeypatch.setattr(take_over, "GIVEN_UP_SECONDS", 2.0)
    answers, first, second = threading.Event(), make("first", seconds=1), make("second", seconds=1)
    really_open = FileSink.open

    def hang(sink: FileSink, *arguments: Any) -> None:
        if sink.path.stem == "first":
            assert answers.wait(60)
        really_open(sink, *arguments)

    monkeypatch.setattr(FileSink, "open", hang)
    with first.running():
        eventually(first.keeper.held_back, what="it is said while the lease is held")
        assert "stands still" in first.keeper.held_back()
        with second.running():
            fence = second.wait_ready()
            assert "stands still" in first.keeper.unusable
            answers.set()
            eventually(lambda: not first.keeper.unusable, what="it goes on")
            assert not first.keeper.may_write()
            assert second.wait_ready() == fence


def test_a_take_over_that_goes_on_after_another_wrote_on_freezes_nobody(
    make: Callable[..., Process],
    monkeypatch: pytest.MonkeyPatch,
    store: Store,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It opened the file they share before its successor wrote: its end seems to be another one than it remembers."""
    monkeypatch.setattr(take_over, "SAID_SECONDS", 0.5)
    monkeypatch.setattr(take_over, "GIVEN_UP_SECONDS", 1.0)
    hung, answers, witness = threading.Event(), threading.Event(), MemoryWitness()
    first, second = make("first", seconds=1), make("second", seconds=1)
    for one in (first, second):
        one.ledger = one.keeper.ledger = open_ledger(
            store,
            tmp_path / "shared.jsonl",
            keys=KEYS,
            clock=SystemClock(),
            fence=partial(_fence, one),
            witness=witness,
        )
    really_open, opened = FileSink.open, []

    def hang(sink: FileSink, *arguments: Any) -> None:
        really_open(sink, *arguments)
        opened.append(sink)
        if sink is opened[0] and not hung.is_set():
            hung.set()
            assert answers.wait(60)

    monkeypatch.setattr(FileSink, "open", hang)
    with first.running():
        assert hung.wait(20)
        with second.running():
            fence = second.wait_ready()
            for number in range(3):
                second.ledger.append(Entry(f"policy:{number}", "operator", RecordKind.POLICY_CHANGED, result="seen"))
            second.ledger.keep_anchor(at_once=True)
            answers.set()
            eventually(lambda: "lease was lost while the ledger was read" in caplog.text, what="it goes on")
            assert not first.keeper.may_write()
            assert first.keeper.freeze.reason() == first.ledger.problem == first.keeper.freeze.local == ""
            assert second.wait_ready() == fence


def test_a_take_over_that_reads_on_stands_still_no_longer(make: Callable[..., Process]) -> None:
    """Also while it is not at its end: what an earlier try came to holds again."""
    keeper = make("first", seconds=1).keeper
    for before, after in (("", ""), ("no room", "no room"), (take_over.STANDS_STILL, "")):
        keeper.unusable = before
        with keeper._renewing() as moved:
            moved()
            assert keeper.unusable == after
            keeper.unusable = take_over.STANDS_STILL
            moved()
            assert keeper.unusable == after


def test_a_fence_that_was_claimed_verifies(store: Store, make: Callable[..., Process], tmp_path: Path) -> None:
    one = make("one")
    with one.running():
        one.wait_ready()
        one.ledger.append(Entry("policy:1", "operator", RecordKind.POLICY_CHANGED, result="seen"))

    report = verify((tmp_path / "one.jsonl").read_text(encoding="utf-8").splitlines())

    assert (report.ok, report.records) == (True, 2)


def test_a_claim_by_a_process_with_a_new_key_follows_a_record_that_says_so(
    store: Store, make: Callable[..., Process], tmp_path: Path
) -> None:
    """Every record names the key that signed it, also the first one under a new fence."""
    first = make("first")
    with first.running():
        first.wait_ready()
    second = make("first")
    second.ledger = second.keeper.ledger = open_ledger(
        store, tmp_path / "first.jsonl", keys=_another_key(), clock=SystemClock(), fence=lambda: second.keeper.fence
    )
    with second.running():
        second.wait_ready()

    kinds = [record.entry.kind for record in second.ledger.read()]
    assert kinds == [RecordKind.ACQUIRED, RecordKind.KEY_CHANGED, RecordKind.ACQUIRED]


@pytest.mark.parametrize(
    ("error", "frozen"),
    [
        (LedgerDiverged("the store hides record 3 of request u1"), True),
        (InvalidInput("it does not parse"), False),
        (Unavailable("no answer"), False),
    ],
)
def test_a_take_over_that_fails_is_said_and_tried_again_under_the_one_claim(
    parts: Parts, make: Callable[..., Process], monkeypatch: pytest.MonkeyPatch, error: FinopsError, *, frozen: bool
) -> None:
    """No claim for each try, and nobody reads that all is well."""
    monkeypatch.setattr(lease, "_RETRIES", Backoff(0.05, 0.2))
    tries, fails = [], threading.Event()
    fails.set()

    def take_over() -> None:
        tries.append(1)
        if fails.is_set():
            raise error

    one = make("one", on_held=take_over)
    one.keeper.freeze.name = "r-freeze-of-takeover"
    with one.running():
        _wait_for(lambda: len(tries) >= 4)
        assert not one.keeper.may_write()
        assert one.keeper.unusable == one.keeper.held_back() == str(error)
        assert (one.keeper.freeze.local == str(error)) is frozen
        claims = [record for record in one.ledger.read() if record.entry.kind is RecordKind.ACQUIRED]
        assert len(claims) == 1
        fails.clear()
        one.wait_ready()
        assert one.keeper.unusable == one.keeper.held_back() == ""
    one.keeper.unusable = "of a holding that is over"
    assert one.keeper.held_back() == ""


def test_tries_to_take_over_grow_rarer(make: Callable[..., Process], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them may read a long ledger; the lease is renewed all the while."""
    monkeypatch.setattr(lease, "_RETRIES", Backoff(0.3, 600.0))
    tries: list[float] = []

    def take_over() -> None:
        tries.append(time.monotonic())
        raise Unavailable("no answer")

    one = make("one", on_held=take_over, seconds=2)
    with one.running():
        _wait_for(lambda: len(tries) >= 4)
        fence = one.keeper.fence
    pauses = [after - before for before, after in pairwise(tries)]
    assert pauses[1] > 1.5 * pauses[0]
    assert pauses[2] > 1.5 * pauses[1]
    assert fence == 1


def _fence(process: Process) -> int:
    return process.keeper.fence


def _wait_for(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it never came")


def _another_key() -> Keyring:
    private = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Keyring.of(private.decode("ascii"), public_key_of(PRIVATE_KEY))
