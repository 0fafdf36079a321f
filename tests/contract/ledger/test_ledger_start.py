"""A start reads what was recorded since the last checkpoint, and believes no picture of the ledger but its own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS, PRIVATE_KEY
from tests.support.witness import MemoryWitness

from finops.domain.audit import Entry, Record, RecordKind
from finops.errors import LedgerDiverged
from finops.ledger import durable
from finops.ledger.anchor import Anchor
from finops.ledger.durable import DurableLedger
from finops.ledger.file_sink import FileSink
from finops.ledger.signing import Keyring, new_private_key, public_key_of
from finops.ledger.state import BesideFile
from finops.store.connection import Store, open_ledger_connection
from finops.store.ledger import LedgerStream

RECORDS = 700


class CountedFile(FileSink):
    """Counts the lines that are read, apart from the one that shows where the picture was made."""

    lines = 0

    def _lines(self, begin: int = 0) -> Iterator[bytes]:
        for line in super()._lines(begin):
            self.lines += 1
            yield line


@dataclass
class Estate:
    """Both sinks, and how often a start read them."""

    store: Store
    path: Path
    witness: MemoryWitness = field(default_factory=MemoryWitness)
    clock: FakeClock = field(default_factory=FakeClock)
    fence: int = 0
    checked: list[int] = field(default_factory=list)
    lines: int = 0

    @property
    def state(self) -> Path:
        return self.path.with_name("ledger.jsonl.state")

    def open(self, keys: Keyring = KEYS) -> tuple[DurableLedger, CountedFile]:
        def check(record: Record) -> None:
            self.checked.append(record.sequence)
            keys.check(record)

        file = CountedFile(self.path)
        ledger = DurableLedger(
            LedgerStream(self.store, check),
            [file],
            keys=keys,
            clock=self.clock,
            fence=lambda: self.fence,
            passage=lambda _: None,
            anchor=Anchor(self.witness, keys, self.clock),
            shelf=BesideFile(file),
        )
        return ledger, file

    def start(self, keys: Keyring = KEYS) -> DurableLedger:
        """Become leader and take over, as the operator does."""
        self.checked, self.fence = [], self.fence + 1
        ledger, file = self.open(keys)
        ledger.claim(Entry(f"acquired:{self.fence}", "operator", RecordKind.ACQUIRED, result="acquired"))
        ledger.start()
        list(ledger.unfinished())
        self.lines = file.lines
        return ledger


@pytest.fixture
def estate(valkey_url: str, tmp_path: Path) -> Iterator[Estate]:
    store = open_ledger_connection(valkey_url, prefix=f"start-{uuid.uuid4().hex}:")
    yield Estate(store, tmp_path / "ledger.jsonl")
    store.client.close()


def verify_in_the_background(ledger: DurableLedger) -> None:
    for _ in range(10):
        ledger.keep_anchor()


def vote(name: str) -> Entry:
    return Entry(f"vote:{name}", "k8s.alice", RecordKind.VOTED, request=f"a/r/u{name[-1]}", result="refused")


def fill(estate: Estate, count: int = RECORDS) -> DurableLedger:
    ledger = estate.start()
    for number in range(count):
        ledger.append(vote(str(number)))
        if number % 50 == 0:
            ledger.keep_anchor()
    return ledger


def test_a_start_after_a_clean_end_reads_a_handful_of_records_however_long_the_ledger_is(estate: Estate) -> None:
    """The defect: claim, comparison and take-over each read and checked the whole ledger."""
    fill(estate).keep_anchor(at_once=True)
    estate.start()
    assert estate.lines <= 2
    assert len(estate.checked) < 15


def test_a_long_reading_gives_a_sign_of_life_with_each_record(estate: Estate) -> None:
    signs: list[str] = []
    fill(estate)
    for picture in estate.path.parent.glob(f"{estate.path.name}.*"):
        picture.unlink()
    ledger, _ = estate.open()
    ledger.claim(Entry("acquired:9", "operator", RecordKind.ACQUIRED), moved=lambda: signs.append("read"))
    assert len(signs) >= RECORDS
    ledger.start(moved=lambda: signs.append("compared"))
    assert signs.count("compared") >= RECORDS


def test_so_does_a_take_over_that_reads_all_records_because_many_requests_are_unfinished(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs: list[str] = []
    fill(estate).keep_anchor(at_once=True)
    ledger, _ = estate.open()
    ledger.start(moved=lambda: signs.append("read"))
    monkeypatch.setattr(durable, "_FEW_REQUESTS", -1)
    signs.clear()
    records = list(ledger.unfinished())
    assert len(records) >= RECORDS
    assert len(signs) == len(records)


def test_a_start_after_a_crash_reads_what_came_since_the_last_picture(estate: Estate) -> None:
    fill(estate)
    estate.start()
    assert estate.lines < 200
    assert len(estate.checked) < 400


def test_what_was_read_and_what_was_pictured_are_the_same(estate: Estate) -> None:
    fill(estate).keep_anchor(at_once=True)
    quick = estate.start()
    estate.state.unlink()
    slow = estate.start()
    assert estate.lines > RECORDS
    quick.append(vote("later"))
    slow.append(vote("latest"))
    assert len(quick.of_request("u1")) == len(slow.of_request("u1"))
    assert quick.append(vote("3")) == slow.append(vote("3")), "an operation from before the picture is known"
    one, other = (ledger._sinks.followed() for ledger in (quick, slow))
    assert one.growth.tree.root() == other.growth.tree.root()
    assert (one.head, one.key, one.last, one.replaced) == (other.head, other.key, other.last, other.replaced)
    assert (one.unfinished.acts, one.unfinished.notes) == (other.unfinished.acts, other.unfinished.notes)
    assert len(one.operations) == len(other.operations)


def test_an_operation_from_before_the_picture_cannot_be_hidden(estate: Estate) -> None:
    fill(estate, 150).keep_anchor(at_once=True)
    estate.store.client.hdel(estate.store.keys.ledger_operations, "vote:3")
    ledger = estate.start()
    with pytest.raises(LedgerDiverged, match="hides operation vote:3"):
        ledger.find("vote:3")
    with pytest.raises(LedgerDiverged, match="hides operation vote:3"):
        ledger.append(vote("3"))


def _edit(content: bytes) -> bytes:
    return content.replace(b'"urgent"', b'"urgenT"', 1)


def _last_byte(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _signed_by_another(content: bytes) -> bytes:
    claims, _, operations = content.partition(b"\n")
    stranger = Keyring.of(new_private_key())
    forged = json.dumps({**json.loads(claims), "signer": stranger.key}, sort_keys=True, separators=(",", ":")).encode()
    signature = stranger.sign_text(b"finops.dev ledger state v1\n" + forged).encode()
    return forged + b"\n" + signature + b"\n" + operations.partition(b"\n")[2]


@pytest.mark.parametrize(
    "change",
    [_edit, _last_byte, _signed_by_another, lambda _: b"", lambda _: b"\xff\n\xff\n", lambda content: content[:-8]],
)
def test_a_picture_that_is_not_our_own_counts_for_nothing(change: Callable[[bytes], bytes], estate: Estate) -> None:
    fill(estate, 150).keep_anchor(at_once=True)
    estate.state.write_bytes(change(estate.state.read_bytes()))
    ledger = estate.start()
    assert estate.lines > 150
    assert len(ledger.of_request("u1")) == 15


def test_an_older_picture_costs_time_and_nothing_else(estate: Estate) -> None:
    ledger = fill(estate, 150)
    ledger.keep_anchor(at_once=True)
    older = estate.state.read_bytes()
    for number in range(200, 400):
        ledger.append(vote(str(number)))
    ledger.keep_anchor(at_once=True)
    estate.state.write_bytes(older)
    assert len(estate.start().of_request("u1")) == 35


def test_the_picture_of_another_ledger_counts_for_nothing(estate: Estate, valkey_url: str, tmp_path: Path) -> None:
    fill(estate, 150).keep_anchor(at_once=True)
    (tmp_path / "other").mkdir()
    store = open_ledger_connection(valkey_url, prefix=f"start-{uuid.uuid4().hex}:")
    other = Estate(store, tmp_path / "other" / "ledger.jsonl")
    other.clock.sleep(1)
    fill(other, 120).keep_anchor(at_once=True)
    estate.state.write_bytes(other.state.read_bytes())
    assert len(estate.start().of_request("u1")) == 15
    assert estate.lines > 150
    store.client.close()


def test_a_new_key_reads_everything_once(estate: Estate) -> None:
    fill(estate, 150).keep_anchor(at_once=True)
    rotated = Keyring.of(new_private_key(), public_key_of(PRIVATE_KEY))
    estate.start(rotated)
    assert estate.lines > 150
    estate.start(rotated)
    assert estate.lines <= 5


def test_a_file_that_was_cut_behind_the_picture_is_found_all_the_same(estate: Estate) -> None:
    fill(estate, 150).keep_anchor(at_once=True)
    lines = estate.path.read_bytes().splitlines(keepends=True)
    estate.path.write_bytes(b"".join(lines[:100]))
    with pytest.raises(LedgerDiverged, match="cut, deleted or replaced"):
        estate.start()


def test_who_takes_over_reads_the_acts_that_have_not_ended_and_the_last_notes(estate: Estate) -> None:
    ledger = fill(estate, 120)
    for uid, ended in (("begun", False), ("over", True)):
        request = f"a/r/{uid}"
        ledger.append(Entry(f"{uid}:started", "operator", RecordKind.OUTCOME, request=request, result="started"))
        if ended:
            ledger.append(Entry(f"{uid}:ended", "operator", RecordKind.OUTCOME, request=request, result="RolledBack"))
    for number in range(3):
        ledger.append(
            Entry(f"p:{number}", "operator", RecordKind.POLICY_CHANGED, detail={"uid": "p1", "generation": number})
        )
        ledger.append(Entry(f"f:{number}", "operator", RecordKind.FROZEN, result="on", detail={"reason": "x"}))
    ledger.keep_anchor(at_once=True)
    found = [one.entry.operation_id for one in estate.start().unfinished()]
    assert found == ["begun:started", "p:2", "f:2"]


def test_an_edit_of_what_a_start_did_not_read_is_found_a_little_later(estate: Estate) -> None:
    fill(estate, 650).keep_anchor(at_once=True)
    estate.path.write_bytes(estate.path.read_bytes().replace(b'"vote:600"', b'"vote:60x"', 1))
    ledger = estate.start()
    with pytest.raises(LedgerDiverged, match="does not have the hash"):
        verify_in_the_background(ledger)
    with pytest.raises(LedgerDiverged):
        ledger.append(vote("more"))
    assert ledger.problem


def test_a_signature_that_was_exchanged_in_the_file_is_found_too(estate: Estate) -> None:
    fill(estate, 150).keep_anchor(at_once=True)
    lines = estate.path.read_bytes().splitlines(keepends=True)
    signature = json.loads(lines[20])["signature"].encode()
    estate.path.write_bytes(b"".join([*lines[:10], _signature(lines[10], signature), *lines[11:]]))
    ledger = estate.start()
    with pytest.raises(LedgerDiverged, match="does not have the signature"):
        ledger.keep_anchor()


def _signature(line: bytes, signature: bytes) -> bytes:
    return line.replace(json.loads(line)["signature"].encode(), signature)


def test_an_honest_file_is_verified_to_the_end_and_then_left_alone(estate: Estate) -> None:
    fill(estate, 650).keep_anchor(at_once=True)
    ledger = estate.start()
    verify_in_the_background(ledger)
    assert ledger._sinks.pictures.verified
    assert ledger.problem == ""
