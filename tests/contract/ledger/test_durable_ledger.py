"""The ledger's behaviour on a real Valkey and a real file: order, idempotence, fences, silence, divergence, repair."""

from __future__ import annotations

import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.ledger_keys import KEYS
from tests.support.valkey import running_valkey

from finops.audit_verify import verify
from finops.domain.audit import Entry, Record, RecordKind
from finops.errors import FenceLost, InvalidInput, LedgerDiverged, LedgerUnavailable, StoreUnsafe
from finops.ledger.durable import LARGEST_RECORD, DurableLedger, open_ledger
from finops.ledger.file_sink import FileSink
from finops.ports.clock import SystemClock
from finops.ports.ledger import Ledger
from finops.store.connection import Store, open_ledger_connection
from finops.store.ledger import AppendAnswer, LedgerStream


@dataclass(slots=True)
class Sinks:
    """Both sinks of one ledger, and the fence of its writer."""

    store: Store
    path: Path
    fence: int = 1

    def open(self, *, start: bool = True, file: FileSink | None = None) -> DurableLedger:
        if file is None:
            ledger = open_ledger(self.store, self.path, keys=KEYS, clock=SystemClock(), fence=lambda: self.fence)
        else:
            ledger = DurableLedger(
                LedgerStream(self.store, KEYS.check),
                [file],
                keys=KEYS,
                clock=SystemClock(),
                fence=lambda: self.fence,
                passage=lambda _: None,
            )
        if start:
            ledger.start()
        return ledger

    def lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines(keepends=True)


@pytest.fixture
def sinks(valkey_url: str, tmp_path: Path) -> Iterator[Sinks]:
    store = open_ledger_connection(valkey_url, prefix=f"led-{uuid.uuid4().hex}:")
    yield Sinks(store, tmp_path / "ledger.jsonl")
    store.client.close()


def entry(name: str, *, kind: RecordKind = RecordKind.VOTED, uid: str = "u1") -> Entry:
    return Entry(
        operation_id=f"{uid}:{name}", actor="k8s.alice", kind=kind, request=f"team-a/r/{uid}", result="refused"
    )


def fill(ledger: Ledger, count: int = 3) -> list[Record]:
    return [ledger.append(entry(f"vote:{number}")) for number in range(count)]


def test_records_are_chained_in_both_sinks_and_verify_offline(sinks: Sinks) -> None:
    ledger = sinks.open()
    written = fill(ledger, 3)
    assert [record.sequence for record in written] == [1, 2, 3]
    assert list(ledger.read()) == written
    report = verify(sinks.lines(), expected_head=written[-1].hash, expected_records=3)
    assert report.ok
    assert ledger.head().sequence == 3


def test_the_same_operation_appends_once_and_returns_the_first_record(sinks: Sinks) -> None:
    ledger = sinks.open()
    first = ledger.append(entry("vote"))
    second = ledger.append(entry("other"))
    assert ledger.append(entry("vote")) == first
    assert list(ledger.read()) == [first, second]
    assert len(sinks.lines()) == 2


def test_records_are_found_by_operation_and_by_request(sinks: Sinks) -> None:
    ledger = sinks.open()
    ours = ledger.append(entry("vote", uid="u1"))
    theirs = ledger.append(entry("vote", uid="u2"))
    general = ledger.append(Entry(operation_id="freeze:1", actor="k8s.alice", kind=RecordKind.FROZEN, result="on"))
    assert ledger.find("u2:vote") == theirs
    assert ledger.find("u3:vote") is None
    assert ledger.of_request("u1") == (ours,)
    assert ledger.of_request("u9") == ()
    assert list(ledger.read(3)) == [general]


def test_an_older_fence_is_refused_even_for_an_operation_that_is_already_there(sinks: Sinks) -> None:
    old = sinks.open()
    sinks.fence = 2
    sinks.open().append(entry("vote"))
    sinks.fence = 1
    with pytest.raises(FenceLost):
        old.append(entry("another"))
    with pytest.raises(FenceLost):
        old.append(entry("vote"))
    assert old.head().fence == 2


def test_two_writers_of_the_stream_never_break_the_chain(sinks: Sinks) -> None:
    first, second = (
        sinks.open(),
        DurableLedger(
            LedgerStream(sinks.store, KEYS.check),
            [],
            keys=KEYS,
            clock=SystemClock(),
            fence=lambda: 1,
            passage=lambda _: None,
        ),
    )
    first.append(entry("a"))
    second.append(entry("b"))
    first.append(entry("c"))
    second.append(entry("d"))
    first.append(entry("e"))
    assert [line.count(b"sequence") for line in sinks.lines()] == [1] * 5
    assert verify(sinks.lines()).ok


def test_many_threads_append_in_one_order(sinks: Sinks) -> None:
    ledger = sinks.open()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: ledger.append(entry(f"vote:{number}")), range(40)))
    assert verify(sinks.lines(), expected_records=40).ok


def test_without_a_second_sink_decisions_are_recorded_and_acts_are_refused(sinks: Sinks) -> None:
    ledger = open_ledger(sinks.store, None, keys=KEYS, clock=SystemClock(), fence=lambda: 1)
    assert ledger.start() == 0
    assert not ledger.has_second_sink
    ledger.append(entry("vote"))
    with pytest.raises(LedgerUnavailable, match="one sink"):
        ledger.append(entry("intent", kind=RecordKind.INTENT))
    assert ledger.head().sequence == 1


def test_what_the_file_missed_is_copied_at_the_start(sinks: Sinks) -> None:
    fill(open_ledger(sinks.store, None, keys=KEYS, clock=SystemClock(), fence=lambda: 1), 4)
    assert sinks.open(start=False).start() == 4
    assert verify(sinks.lines(), expected_records=4).ok
    assert sinks.open(start=False).start() == 0


def test_what_the_file_missed_is_copied_before_the_next_record(sinks: Sinks) -> None:
    ledger = sinks.open()
    fill(open_ledger(sinks.store, None, keys=KEYS, clock=SystemClock(), fence=lambda: 1), 3)
    ledger.append(entry("next"))
    assert verify(sinks.lines(), expected_records=4).ok


@pytest.mark.parametrize("kept", [1, 40, -2, -1])
def test_a_last_line_torn_by_a_power_cut_is_written_again(sinks: Sinks, kept: int) -> None:
    fill(sinks.open(), 3)
    whole = sinks.lines()
    sinks.path.write_bytes(b"".join(whole[:2]) + whole[2][:kept])
    assert sinks.open(start=False).start() == 1
    assert sinks.lines() == whole


def test_a_torn_line_that_the_stream_does_not_know_freezes_the_ledger(sinks: Sinks) -> None:
    fill(sinks.open(), 2)
    with sinks.path.open("ab") as file:
        file.write(b'{"hash":"ffff')
    with pytest.raises(LedgerDiverged):
        sinks.open()


def test_a_file_ahead_of_the_stream_freezes_the_ledger_and_every_append_says_so(sinks: Sinks) -> None:
    fill(sinks.open(), 3)
    for key in sinks.store.client.scan_iter(f"{sinks.store.keys.prefix}*"):
        sinks.store.client.delete(key)
    ledger = sinks.open(start=False)
    with pytest.raises(LedgerDiverged, match="older backup"):
        ledger.start()
    with pytest.raises(LedgerDiverged):
        ledger.append(entry("vote"))
    assert ledger.head().sequence == 0


def test_a_stream_that_comes_back_behind_the_file_in_the_middle_of_a_lease_freezes_the_ledger(tmp_path: Path) -> None:
    with running_valkey() as server:
        sinks = Sinks(open_ledger_connection(server.url), tmp_path / "ledger.jsonl")
        ledger = sinks.open()
        fill(ledger, 2)
        backup = server.directory / "backup"
        shutil.copytree(server.directory / "appendonlydir", backup)
        ledger.append(entry("after the backup"))
        server.kill()
        shutil.rmtree(server.directory / "appendonlydir")
        shutil.move(backup, server.directory / "appendonlydir")
        with pytest.raises(LedgerUnavailable):
            ledger.append(entry("while it is down"))
        server.start()
        with pytest.raises(LedgerDiverged, match="older backup"):
            ledger.append(entry("next", kind=RecordKind.INTENT))
        with pytest.raises(LedgerDiverged):
            ledger.append(entry("again"))
        assert ledger.head().sequence == 2
        assert len(sinks.lines()) == 3
        sinks.store.client.close()


def test_a_divergence_that_a_person_cleared_up_is_over_at_the_next_start(sinks: Sinks) -> None:
    fill(sinks.open(), 3)
    good = sinks.path.read_bytes()
    sinks.path.write_bytes(good.replace(b"k8s.alice", b"k8s.mallo", 1))
    ledger = sinks.open(start=False)
    with pytest.raises(LedgerDiverged):
        ledger.start()
    sinks.path.write_bytes(good)
    assert ledger.start() == 0
    assert ledger.append(entry("next")).sequence == 4


def test_another_story_in_the_file_freezes_the_ledger(sinks: Sinks, valkey_url: str, tmp_path: Path) -> None:
    fill(sinks.open(), 3)
    other = Sinks(open_ledger_connection(valkey_url, prefix=f"led-{uuid.uuid4().hex}:"), tmp_path / "other.jsonl")
    fill(other.open(), 3)
    sinks.path.write_bytes(other.path.read_bytes())
    with pytest.raises(LedgerDiverged, match="differs"):
        sinks.open()
    other.store.client.close()


def test_an_edited_line_freezes_the_ledger(sinks: Sinks) -> None:
    fill(sinks.open(), 3)
    sinks.path.write_bytes(sinks.path.read_bytes().replace(b"k8s.alice", b"k8s.mallo", 1))
    with pytest.raises(LedgerDiverged):
        sinks.open()


def test_a_file_changed_behind_our_back_freezes_the_ledger(sinks: Sinks) -> None:
    ledger = sinks.open()
    fill(ledger, 3)
    sinks.path.write_bytes(b"")
    with pytest.raises(LedgerDiverged, match="somebody else"):
        ledger.append(entry("next"))
    with pytest.raises(LedgerDiverged):
        ledger.append(entry("again"))


@pytest.mark.parametrize("answer", ["raises", "another fence"])
def test_a_former_holder_that_finds_its_successors_file_has_lost_the_lease_and_freezes_nobody(
    answer: str, sinks: Sinks
) -> None:
    """It stood still between the stream and the file; meanwhile another process took over and wrote on."""

    def fence() -> int:
        if sinks.fence == 1:
            return 1
        if answer == "raises":
            raise FenceLost("the lease is held by somebody else")
        return 3

    def take_over(_name: str) -> None:
        if sinks.fence == 1:
            sinks.fence = 2
            fill(sinks.open())

    former = open_ledger(sinks.store, sinks.path, keys=KEYS, clock=SystemClock(), fence=fence, passage=take_over)
    former.start()
    with pytest.raises(FenceLost):
        former.append(entry("vote", uid="u9"))
    assert former.problem == ""
    assert verify(sinks.lines()).ok
    assert len(sinks.lines()) == 4


def test_a_tampered_stream_is_noticed_when_it_is_read(sinks: Sinks) -> None:
    ledger = sinks.open()
    fill(ledger, 2)
    client, key = sinks.store.client, sinks.store.keys.ledger
    client.delete(key)
    client.xadd(key, {"hash": "0" * 64, "record": "{}"}, id="1-0")
    with pytest.raises(LedgerDiverged):
        list(ledger.read())


def test_a_missing_folder_is_said_with_the_setting_to_change(sinks: Sinks) -> None:
    sinks.path = sinks.path.parent / "absent" / "ledger.jsonl"
    with pytest.raises(LedgerUnavailable, match="FINOPS_LEDGER_PATH"):
        sinks.open()


def test_a_hanging_volume_times_out_and_the_record_counts_only_once_it_is_synced(sinks: Sinks) -> None:
    release = threading.Event()
    hang = threading.Event()

    def sync(descriptor: int) -> None:
        if hang.is_set():
            release.wait(10)
        os.fsync(descriptor)

    ledger = sinks.open(file=FileSink(sinks.path, timeout_seconds=0.2, sync=sync))
    fill(ledger, 1)
    hang.set()
    begun = time.monotonic()
    with pytest.raises(LedgerUnavailable, match="longer than"):
        ledger.append(entry("slow"))
    with pytest.raises(LedgerUnavailable, match="still hangs"):
        ledger.append(entry("slow"))
    assert time.monotonic() - begun < 2
    hang.clear()
    release.set()
    deadline = time.monotonic() + 5
    while True:
        try:
            record = ledger.append(entry("slow"))
        except LedgerUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            break
    assert record.sequence == 2
    assert verify(sinks.lines(), expected_records=2).ok
    assert len(sinks.lines()) == 2


def test_a_tree_head_covers_only_what_every_sink_holds(sinks: Sinks) -> None:
    """The thread of an act shows it: a record that only the store has could be lost, and the ledger look cut."""
    failing = threading.Event()

    def sync(descriptor: int) -> None:
        if failing.is_set():
            raise OSError(28, "No space left on device")
        os.fsync(descriptor)

    ledger = sinks.open(file=FileSink(sinks.path, sync=sync))
    with pytest.raises(LedgerUnavailable):
        sinks.open(start=False).tree_head()
    fill(ledger, 3)
    before = ledger.tree_head()
    failing.set()
    with pytest.raises(LedgerUnavailable):
        ledger.append(entry("late"))
    with pytest.raises(LedgerUnavailable):
        ledger.tree_head()
    failing.clear()
    head = ledger.tree_head()
    assert (before.size, head.size, len(sinks.lines())) == (3, 4, 4)
    kept = [f"Ledger checkpoint {one.size} · sha256:{one.root}" for one in (before, head)]
    assert verify(sinks.lines(), kept=kept).ok


def test_a_failing_sync_is_no_durable_record(sinks: Sinks) -> None:
    failing = threading.Event()

    def sync(descriptor: int) -> None:
        if failing.is_set():
            raise OSError(28, "No space left on device")
        os.fsync(descriptor)

    ledger = sinks.open(file=FileSink(sinks.path, sync=sync))
    failing.set()
    with pytest.raises(LedgerUnavailable, match="No space left"):
        ledger.append(entry("vote"))
    failing.clear()
    assert ledger.append(entry("vote")).sequence == 1
    assert len(sinks.lines()) == 1


class LosesAnswers(LedgerStream):
    """A stream whose first answer to an append never comes back."""

    lost = False

    def append(
        self, record: Record, *, after: int | None = None, unless: Sequence[str] = (), recorded: bool = False
    ) -> AppendAnswer:
        answer = super().append(record, after=after, unless=unless, recorded=recorded)
        if not self.lost:
            self.lost = True
            raise LedgerUnavailable("the answer was lost")
        return answer


def test_a_lost_answer_is_resolved_by_the_operation_id_and_nothing_is_doubled(sinks: Sinks) -> None:
    ledger = DurableLedger(
        LosesAnswers(sinks.store, KEYS.check),
        [FileSink(sinks.path)],
        keys=KEYS,
        clock=SystemClock(),
        fence=lambda: 1,
        passage=lambda _: None,
    )
    ledger.start()
    record = ledger.append(entry("vote"))
    assert list(ledger.read()) == [record]
    assert len(sinks.lines()) == 1


def test_a_dead_store_is_unavailable_and_everything_acknowledged_is_there_when_it_is_back(tmp_path: Path) -> None:
    with running_valkey() as server:
        store = open_ledger_connection(server.url)
        here = Sinks(store, tmp_path / "ledger.jsonl")
        ledger = here.open()
        written = fill(ledger, 20)
        server.kill()
        with pytest.raises(LedgerUnavailable):
            ledger.append(entry("while down"))
        server.start()
        assert list(ledger.read()) == written
        last = ledger.append(entry("while down"))
        assert last.sequence == 21
        assert verify(here.lines(), expected_head=last.hash).ok
        store.client.close()


def test_a_full_store_is_unavailable(tmp_path: Path) -> None:
    with running_valkey("--maxmemory", "1mb") as server:
        store = open_ledger_connection(server.url)
        with pytest.raises(LedgerUnavailable):
            fill(open_ledger(store, None, keys=KEYS, clock=SystemClock(), fence=lambda: 1), 5000)
        store.client.close()


def test_a_wrong_password_is_not_mistaken_for_an_outage(tmp_path: Path) -> None:
    with running_valkey() as server:
        opened = open_ledger_connection(server.url)
        opened.client.config_set("requirepass", "right")
        opened.client.close()
        store = open_ledger_connection(server.url.replace("unix://", "unix://:wrong@"))
        with pytest.raises(StoreUnsafe):
            open_ledger(store, None, keys=KEYS, clock=SystemClock(), fence=lambda: 1).append(entry("vote"))
        store.client.close()


def test_times_are_stored_in_utc(sinks: Sinks) -> None:
    record = sinks.open().append(entry("vote"))
    assert record.time.tzinfo is UTC
    assert abs((datetime.now(UTC) - record.time).total_seconds()) < 60


def test_a_record_larger_than_any_of_ours_is_refused_and_the_ledger_goes_on(sinks: Sinks) -> None:
    """Bullet "Growth", bounds on every string."""
    ledger = sinks.open()
    with pytest.raises(InvalidInput, match="the ledger takes 262144"):
        ledger.append(Entry("large", "operator", RecordKind.FROZEN, detail={"reason": "x" * LARGEST_RECORD}))

    assert ledger.append(Entry("small", "operator", RecordKind.FROZEN)).entry.operation_id == "small"
    assert ledger.find("large") is None
