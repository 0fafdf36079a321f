"""What every sink does that follows the ledger's stream, and what the log holds after starts, kills and torn lines."""

from __future__ import annotations

import io
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.ledger_lines import records
from tests.support.witness import MemoryWitness

from finops.audit_verify import verify
from finops.domain.audit import Entry, RecordKind
from finops.errors import LedgerDiverged, LedgerUnavailable
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.file_sink import FileSink
from finops.ledger.lines import line_of, record_of
from finops.ledger.log_sink import LogSink
from finops.ports.sink import Sink
from finops.store.connection import Store, open_ledger_connection

RECORDS = records()
Opened = tuple[Sink, Callable[[], bytes]]


def _file(request: pytest.FixtureRequest) -> Opened:
    path = request.getfixturevalue("tmp_path") / "ledger.jsonl"
    sink = FileSink(path)
    sink.open(lambda _sequence: None, lambda _record: None)
    return sink, path.read_bytes


def _log(_request: pytest.FixtureRequest) -> Opened:
    stream = io.BytesIO()
    return LogSink(stream), stream.getvalue


def _bucket(request: pytest.FixtureRequest) -> Opened:
    buckets = request.getfixturevalue("buckets")
    name = buckets.make()
    return buckets.sink(name), lambda: buckets.content(name)


@pytest.fixture(params=[_file, _log, _bucket])
def opened(request: pytest.FixtureRequest) -> Opened:
    make: Callable[[pytest.FixtureRequest], Opened] = request.param
    return make(request)


def test_a_sink_holds_records_in_order_as_lines_of_an_export(opened: Opened) -> None:
    sink, content = opened
    for number, record in enumerate(RECORDS, start=1):
        sink.append(record)
        assert sink.sequence == number
    assert content() == b"".join(map(line_of, RECORDS))


def test_a_record_that_a_sink_has_is_not_written_twice(opened: Opened) -> None:
    sink, content = opened
    for record in (RECORDS[0], RECORDS[1], RECORDS[0], RECORDS[1]):
        sink.append(record)
    assert content() == b"".join(map(line_of, RECORDS[:2]))


def test_a_sink_refuses_a_record_behind_a_gap(opened: Opened) -> None:
    sink, content = opened
    sink.append(RECORDS[0])
    with pytest.raises(LedgerDiverged):
        sink.append(RECORDS[2])
    assert (sink.sequence, content()) == (1, line_of(RECORDS[0]))


def test_a_sink_takes_many_records_at_once_and_skips_those_it_has(opened: Opened) -> None:
    sink, content = opened
    sink.append(RECORDS[0])
    sink.append(*RECORDS)
    sink.append(*RECORDS)
    assert (sink.sequence, content()) == (len(RECORDS), b"".join(map(line_of, RECORDS)))


def test_a_sink_refuses_records_of_which_one_is_missing(opened: Opened) -> None:
    sink, _ = opened
    with pytest.raises(LedgerDiverged):
        sink.append(RECORDS[0], RECORDS[2])


class Pipe(io.BytesIO):
    """What reads stdout: it can stop reading, and take only a part of a line before it fails."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = threading.Event()
        self.reading.set()
        self.fails = False

    def write(self, content: bytes, /) -> int:  # type: ignore[override]
        if self.fails:
            super().write(content[:20])
            raise BrokenPipeError(32, "Broken pipe")
        self.reading.wait(10)
        return super().write(content)


@dataclass
class Operators:
    """One ledger with a file and a log, and operators that come and go."""

    store: Store
    path: Path
    pipe: Pipe = field(default_factory=Pipe)
    witness: MemoryWitness = field(default_factory=MemoryWitness)
    passage: Callable[[str], None] = lambda _name: None

    def start(self) -> DurableLedger:
        log = LogSink(self.pipe, timeout_seconds=0.2)
        ledger = open_ledger(
            self.store,
            self.path,
            keys=KEYS,
            clock=FakeClock(),
            fence=lambda: 1,
            witness=self.witness,
            passage=self.passage,
            log=log,
        )
        ledger.start()
        return ledger

    def kept(self) -> list[bytes]:
        """Return the lines of the log as an export: each once, without torn ones."""
        lines = dict.fromkeys(self.pipe.getvalue().splitlines(keepends=True))
        return [line for line in lines if line.startswith(b'{"hash":') and line.endswith(b"}\n")]

    def agree(self) -> bool:
        report = verify(self.kept(), keys=PUBLIC_KEYS)
        return report.ok and self.kept() == self.path.read_bytes().splitlines(keepends=True)


@pytest.fixture
def operators(valkey_url: str, tmp_path: Path) -> Iterator[Operators]:
    store = open_ledger_connection(valkey_url, prefix=f"log-{uuid.uuid4().hex}:")
    yield Operators(store, tmp_path / "ledger.jsonl")
    store.client.close()


def _vote(name: str) -> Entry:
    return Entry(f"u1:{name}", "k8s.alice", RecordKind.VOTED, request="team-a/r/u1", result="refused")


def test_the_log_is_an_export_across_restarts(operators: Operators) -> None:
    for start in range(3):
        ledger = operators.start()
        for number in range(4):
            ledger.append(_vote(f"{start}-{number}"))
        ledger.keep_anchor(at_once=True)
        assert operators.agree()
    lines = Counter(operators.pipe.getvalue().splitlines())
    again = [record_of(line + b"\n").entry.kind for line, times in lines.items() if times > 1]
    assert again == [RecordKind.CHECKPOINT], "only what was recorded after the last checkpoint is written again"


class Killed(BaseException):
    """The process ends here."""


def test_a_kill_between_stream_and_log_leaves_no_gap(operators: Operators) -> None:
    ledger = operators.start()
    ledger.append(_vote("before"))
    ledger.keep_anchor(at_once=True)

    def kill(_name: str) -> None:
        raise Killed

    operators.passage = kill
    with pytest.raises(Killed):
        operators.start().append(_vote("killed"))
    assert b"u1:killed" not in operators.pipe.getvalue()
    operators.passage = lambda _name: None
    operators.start().append(_vote("after"))
    assert b"u1:killed" in operators.pipe.getvalue()
    assert operators.agree()


def test_a_log_that_nobody_reads_stops_the_append_and_catches_up(operators: Operators) -> None:
    ledger = operators.start()
    operators.pipe.reading.clear()
    with pytest.raises(LedgerUnavailable, match="took longer"):
        ledger.append(_vote("slow"))
    with pytest.raises(LedgerUnavailable, match="still hangs"):
        ledger.tree_head()
    operators.pipe.reading.set()
    ledger = operators.start()
    ledger.append(_vote("next"))
    assert operators.agree()


def test_half_a_line_is_followed_by_a_whole_one_on_its_own_line(operators: Operators) -> None:
    ledger = operators.start()
    operators.pipe.fails = True
    with pytest.raises(LedgerUnavailable, match="Broken pipe"):
        ledger.append(_vote("torn"))
    operators.pipe.fails = False
    ledger.append(_vote("torn"))
    assert operators.agree()
