"""An append that leans on what was read happens while that is still all there is about the request, or not at all."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.ledger_keys import KEYS

from finops.audit_verify import verify
from finops.domain.audit import Entry, Record, RecordKind
from finops.errors import Conflict, FenceLost, LedgerDiverged, LedgerUnavailable
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.file_sink import FileSink
from finops.ports.clock import SystemClock
from finops.store.connection import Store, open_ledger_connection
from finops.store.ledger import AppendAnswer, LedgerStream


def entry(name: str, *, kind: RecordKind = RecordKind.OUTCOME, uid: str = "u1") -> Entry:
    return Entry(operation_id=f"{uid}:{name}", actor="operator", kind=kind, request=f"team-a/r/{uid}")


@pytest.fixture
def store(valkey_url: str) -> Iterator[Store]:
    store = open_ledger_connection(valkey_url, prefix=f"led-{uuid.uuid4().hex}:")
    yield store
    store.client.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def ledger(store: Store, path: Path) -> DurableLedger:
    return started(open_ledger(store, path, keys=KEYS, clock=SystemClock(), fence=lambda: 1))


def started(ledger: DurableLedger) -> DurableLedger:
    ledger.start()
    return ledger


def operations(path: Path) -> list[str]:
    return [record.entry.operation_id for record in FileSink(path).read()]


def test_it_is_appended_while_the_record_that_was_seen_is_the_last_of_its_request(
    ledger: DurableLedger, path: Path
) -> None:
    first = ledger.append(entry("first"), after=0)
    ledger.append(entry("first", uid="u2"))
    second = ledger.append(entry("second"), after=first.sequence)
    assert ledger.of_request("u1") == (first, second)
    assert operations(path) == ["u1:first", "u2:first", "u1:second"]


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_when_more_was_recorded_about_the_request_nothing_is_appended_to_either_sink(
    seen: int, ledger: DurableLedger, path: Path
) -> None:
    ledger.append(entry("first"))
    ledger.append(entry("vote", kind=RecordKind.VOTED))
    ledger.append(entry("first", uid="u2"))
    with pytest.raises(Conflict) as refused:
        ledger.append(entry("intent"), after=seen)
    assert refused.value.code == "RecordsChanged"
    assert ledger.head().sequence == 3
    assert ledger.find("u1:intent") is None
    assert operations(path) == ["u1:first", "u1:vote", "u2:first"]
    assert ledger.append(entry("intent"), after=2).sequence == 4
    assert verify(path.read_bytes().splitlines(), expected_records=4).ok


def test_what_is_there_already_is_returned_whatever_followed_it(ledger: DurableLedger) -> None:
    first = ledger.append(entry("first"), after=0)
    ledger.append(entry("vote", kind=RecordKind.VOTED))
    assert ledger.append(entry("first"), after=0) == first


def test_an_older_fence_is_refused_whatever_was_seen(store: Store, path: Path, ledger: DurableLedger) -> None:
    started(open_ledger(store, path, keys=KEYS, clock=SystemClock(), fence=lambda: 2)).append(entry("first"))
    for seen in (0, 1):
        with pytest.raises(FenceLost):
            ledger.append(entry("second"), after=seen)


@pytest.mark.parametrize("index", ["its last entry", "all of it"])
def test_what_the_stores_owner_takes_out_of_a_requests_index_is_not_appended_over(
    index: str, store: Store, ledger: DurableLedger, path: Path
) -> None:
    seen = ledger.append(entry("approval", kind=RecordKind.VOTED)).sequence
    ledger.append(entry("withdrawal", kind=RecordKind.VOTED))
    if index == "all of it":
        store.client.delete(store.keys.ledger_request("u1"))
        seen = 0
    else:
        store.client.rpop(store.keys.ledger_request("u1"))
    with pytest.raises(Conflict) as refused:
        ledger.append(entry("intent", kind=RecordKind.INTENT), after=seen)
    assert refused.value.code == "RecordsChanged"
    assert operations(path) == ["u1:approval", "u1:withdrawal"]
    with pytest.raises(LedgerDiverged, match="hides record 2"):
        ledger.of_request("u1")


def test_a_word_instead_of_a_number_in_a_requests_index_is_a_divergence(
    store: Store, ledger: DurableLedger, path: Path
) -> None:
    seen = ledger.append(entry("approval", kind=RecordKind.VOTED)).sequence
    store.client.rpush(store.keys.ledger_request("u1"), "soon")
    with pytest.raises(LedgerDiverged):
        ledger.append(entry("intent", kind=RecordKind.INTENT), after=seen)
    assert operations(path) == ["u1:approval"]


def test_so_it_is_when_another_writer_recorded_what_is_hidden(store: Store, path: Path, ledger: DurableLedger) -> None:
    seen = ledger.append(entry("approval", kind=RecordKind.VOTED)).sequence
    other = open_ledger(store, None, keys=KEYS, clock=SystemClock(), fence=lambda: 1)
    other.append(entry("withdrawal", kind=RecordKind.VOTED))
    store.client.rpop(store.keys.ledger_request("u1"))
    with pytest.raises(Conflict):
        ledger.append(entry("intent", kind=RecordKind.INTENT), after=seen)
    assert [one.entry.operation_id for one in ledger.read()] == ["u1:approval", "u1:withdrawal"]


def test_what_another_writer_recorded_and_the_caller_has_seen_is_leaned_on(
    store: Store, path: Path, ledger: DurableLedger
) -> None:
    ledger.append(entry("first"))
    other = open_ledger(store, None, keys=KEYS, clock=SystemClock(), fence=lambda: 1)
    other.append(entry("second", kind=RecordKind.VOTED))
    assert ledger.append(entry("third"), after=ledger.of_request("u1")[-1].sequence).sequence == 3


def test_a_former_holder_whose_view_is_old_learns_that_its_lease_is_lost(
    store: Store, path: Path, ledger: DurableLedger
) -> None:
    started(open_ledger(store, path, keys=KEYS, clock=SystemClock(), fence=lambda: 2)).append(entry("first"))
    for seen in (1, 0):
        with pytest.raises(FenceLost):
            ledger.append(entry("second"), after=seen)


class LosesAnswers(LedgerStream):
    """A stream whose first answer to an append never comes back; something else is recorded meanwhile."""

    lost = False
    stores = True

    def append(
        self, record: Record, *, after: int | None = None, unless: Sequence[str] = (), recorded: bool = False
    ) -> AppendAnswer:
        if self.lost:
            return super().append(record, after=after, unless=unless, recorded=recorded)
        self.lost = True
        stored = super().append(record, after=after, unless=unless, recorded=recorded) if self.stores else None
        head = self.head()
        vote = entry("vote", kind=RecordKind.VOTED)
        other = Record(head.sequence + 1, head.hash, record.time, 1, vote, request_previous=head.sequence)
        super().append(KEYS.sign(other))
        raise LedgerUnavailable(f"the answer was lost: {stored}")


@pytest.mark.parametrize("stores", [True, False])
def test_after_a_lost_answer_it_is_known_whether_the_condition_had_held(stores: bool, store: Store, path: Path) -> None:
    stream = LosesAnswers(store, KEYS.check)
    stream.stores = stores
    ledger = started(
        DurableLedger(stream, [FileSink(path)], keys=KEYS, clock=SystemClock(), fence=lambda: 1, passage=lambda _: None)
    )
    if stores:
        assert ledger.append(entry("intent"), after=0).sequence == 1
    else:
        with pytest.raises(Conflict):
            ledger.append(entry("intent"), after=0)
    assert [one.entry.operation_id for one in ledger.read()] == (["u1:intent"] if stores else []) + ["u1:vote"]
    ledger.append(entry("next"))
    assert verify(path.read_bytes().splitlines(), expected_records=3 if stores else 2).ok


def test_of_two_writers_who_have_seen_the_same_exactly_one_appends(store: Store, path: Path) -> None:
    ledgers = [
        started(open_ledger(store, path, keys=KEYS, clock=SystemClock(), fence=lambda: 1)),
        open_ledger(store, None, keys=KEYS, clock=SystemClock(), fence=lambda: 1),
    ]
    barrier = threading.Barrier(2)

    def race(number: int) -> int:
        barrier.wait(10)
        try:
            return ledgers[number].append(entry(f"vote:{number}", kind=RecordKind.VOTED), after=0).sequence
        except Conflict:
            return 0

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(race, range(2))) == [0, 1]


def test_unless_an_operation_is_recorded_it_is_appended(ledger: DurableLedger, path: Path) -> None:
    first = ledger.append(entry("first"), unless=("acts paused:a/p/stop:1",))
    assert ledger.append(entry("second"), after=first.sequence, unless=("acts paused:a/p/stop:2",)).sequence == 2
    assert operations(path) == ["u1:first", "u1:second"]


@pytest.mark.parametrize("index", ["kept", "emptied by the store's owner"])
def test_once_the_operation_that_must_not_be_there_is_recorded_nothing_is_appended(
    index: str, store: Store, ledger: DurableLedger, path: Path
) -> None:
    ledger.append(entry("other", uid="u2"))
    if index != "kept":
        store.client.delete(store.keys.ledger_operations)
    with pytest.raises(Conflict) as refused:
        ledger.append(entry("intent"), after=0, unless=("u3:never", "u2:other"))
    assert refused.value.code == "RecordsChanged"
    assert operations(path) == ["u2:other"]


def test_it_is_refused_too_when_another_writer_recorded_the_operation(
    store: Store, path: Path, ledger: DurableLedger
) -> None:
    other = open_ledger(store, None, keys=KEYS, clock=SystemClock(), fence=lambda: 1)
    other.append(entry("vote", kind=RecordKind.VOTED, uid="u2"))
    with pytest.raises(Conflict):
        ledger.append(entry("intent"), after=0, unless=("u2:vote",))
    assert ledger.find("u1:intent") is None


def test_what_is_there_already_is_returned_although_the_other_operation_followed(ledger: DurableLedger) -> None:
    first = ledger.append(entry("first"), unless=("u2:other",))
    ledger.append(entry("other", uid="u2"))
    assert ledger.append(entry("first"), unless=("u2:other",)) == first
