"""Whoever owns both sinks of the ledger can still not shorten, rewrite or replace it: the anchor stands elsewhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS, PRIVATE_KEY, PUBLIC_KEYS
from tests.support.witness import MemoryWitness

from finops.audit_verify import verify
from finops.domain.audit import Entry, RecordKind
from finops.errors import ClusterUnavailable, LedgerDiverged
from finops.ledger.anchor import EVERY_RECORDS
from finops.ledger.checkpoint import parse_checkpoint
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.merkle import root_of
from finops.ledger.signing import Keyring, new_private_key, public_key_of
from finops.store.connection import Store, open_ledger_connection

UID = "u1"


@dataclass
class Estate:
    """Both sinks, which the attacker owns, and the witness, which only the operator and administrators write."""

    store: Store
    path: Path
    witness: MemoryWitness = field(default_factory=MemoryWitness)
    clock: FakeClock = field(default_factory=FakeClock)
    fence: int = 0

    def start(self, keys: Keyring = KEYS, path: Path | None = None) -> DurableLedger:
        """Become leader, as the operator does: claim the fence, then compare everything."""
        ledger = self.open(keys, path)
        ledger.claim(self.claim())
        ledger.start()
        return ledger

    def claim(self) -> Entry:
        self.fence += 1
        return Entry(f"acquired:{self.fence}", "operator", RecordKind.ACQUIRED, result="acquired")

    def open(self, keys: Keyring = KEYS, path: Path | None = None) -> DurableLedger:
        return open_ledger(
            self.store,
            path or self.path,
            keys=keys,
            clock=self.clock,
            fence=lambda: self.fence,
            witness=self.witness,
        )

    def lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines(keepends=True)

    def backup(self) -> tuple[dict[str, Any], bytes]:
        """Return all that both sinks hold."""
        client = self.store.client
        dumped = {key: client.dump(key) for key in client.scan_iter(f"{self.store.keys.prefix}*")}
        return dumped, self.path.read_bytes() if self.path.exists() else b""

    def restore(self, backup: tuple[dict[str, Any], bytes]) -> None:
        """Put both sinks back to where they were: what they hold agrees, and every signature is genuine."""
        client = self.store.client
        for key in list(client.scan_iter(f"{self.store.keys.prefix}*")):
            client.delete(key)
        for key, value in backup[0].items():
            client.restore(key, 0, value)
        self.path.write_bytes(backup[1])


@pytest.fixture
def estate(valkey_url: str, tmp_path: Path) -> Iterator[Estate]:
    store = open_ledger_connection(valkey_url, prefix=f"anchor-{uuid.uuid4().hex}:")
    # DUMP and RESTORE are no text.
    store.client.connection_pool.connection_kwargs["encoding_errors"] = "surrogateescape"
    yield Estate(store, tmp_path / "ledger.jsonl")
    store.client.close()


def vote(number: int) -> Entry:
    return Entry(f"vote:{number}", "k8s.alice", RecordKind.VOTED, request=f"team-a/r/{UID}", result="refused")


def note(number: int) -> Entry:
    return Entry(f"policy:{number}", "operator", RecordKind.POLICY_CHANGED, result="seen")


def filled(estate: Estate, count: int = 5) -> DurableLedger:
    ledger = estate.start()
    for number in range(count):
        ledger.append(vote(number))
    ledger.keep_anchor()
    return ledger


def assert_refused(estate: Estate, why: str, **change: Any) -> None:
    """The next leader finds it before it writes anything, and goes on finding it."""
    before = estate.backup()
    for _ in range(2):
        ledger = estate.open(**change)
        with pytest.raises(LedgerDiverged, match=why):
            ledger.claim(estate.claim())
        assert why in ledger.problem
        with pytest.raises(LedgerDiverged, match=why):
            ledger.start()
        with pytest.raises(LedgerDiverged):
            ledger.append(vote(99))
    assert estate.backup() == before, "what was found stays as it was found"


def test_both_sinks_cut_at_the_same_place_are_found(estate: Estate) -> None:
    """The hole: both sinks agree, every signature is genuine, and a vote is gone."""
    ledger = filled(estate, 4)
    earlier = estate.backup()
    ledger.append(vote(4))
    ledger.keep_anchor()

    estate.restore(earlier)

    assert_refused(estate, "its end was cut off")


def test_both_sinks_deleted_are_found(estate: Estate) -> None:
    filled(estate)
    estate.restore(({}, b""))
    assert_refused(estate, "its end was cut off")


def test_a_ledger_written_anew_from_the_beginning_is_found(estate: Estate) -> None:
    """A fork with genuine signatures, as of a second installation with the same key, longer than what was anchored."""
    empty = estate.backup()
    filled(estate, 3)
    anchored = estate.witness.kept
    estate.restore(empty)
    estate.witness, estate.fence = MemoryWitness(), 0
    estate.clock.sleep(5)
    filled(estate, 9)
    estate.witness = MemoryWitness(anchored)
    assert_refused(estate, "the ledger was rewritten, or is another one")


def test_a_fork_after_the_last_common_record_is_found(estate: Estate) -> None:
    ledger = filled(estate, 3)
    common = estate.backup()
    ledger.append(vote(3))
    ledger.keep_anchor()
    anchored = estate.witness.kept
    estate.restore(common)
    estate.witness.kept = dict.fromkeys(anchored, estate.witness.written[-2])
    fork = estate.start()
    for number in range(10, 20):
        fork.append(vote(number))
    estate.witness.kept = anchored
    assert_refused(estate, "the ledger was rewritten, or is another one")


@pytest.mark.parametrize("left", [0, 3])
def test_a_file_that_was_deleted_or_cut_is_found_though_the_store_has_all_records(left: int, estate: Estate) -> None:
    filled(estate)
    estate.path.write_bytes(b"".join(estate.lines()[:left]))
    ledger = estate.open()
    ledger.claim(estate.claim())
    for _ in range(2):
        with pytest.raises(LedgerDiverged, match=f"file ends at record {left}, but had 7 records"):
            ledger.start()
    assert len(estate.lines()) == left, "it is not filled up behind the back of who has to look at it"


def test_the_file_of_another_ledger_is_found(estate: Estate, valkey_url: str, tmp_path: Path) -> None:
    filled(estate)
    other = Estate(open_ledger_connection(valkey_url, prefix=f"anchor-{uuid.uuid4().hex}:"), tmp_path / "other.jsonl")
    other.clock.sleep(1)
    filled(other)
    ledger = estate.open(path=other.path)
    with pytest.raises(LedgerDiverged, match="differs between the ledger's file and its stream"):
        ledger.start()
    other.store.client.close()


ANCHORS: dict[str, tuple[Callable[[str], dict[str, str]], str]] = {
    "removed": (lambda _: {}, "somebody removed the anchor"),
    "no checkpoint": (lambda _: {"Lease": "{}"}, "no checkpoint of a ledger"),
    "no JSON": (lambda _: {"Lease": "{" * 5000}, "no checkpoint of a ledger"),
    "smaller": (lambda text: {"Lease": _with(text, size=2)}, "does not have the signature"),
    "of another key": (lambda text: {"Lease": _signed_by_another(text)}, "unknown key"),
    "beside a good one": (
        lambda text: {"ConfigMap": text, "Lease": _with(text, head="0" * 64)},
        "does not have the signature",
    ),
}


def _with(text: str, **changes: Any) -> str:
    return json.dumps({**json.loads(text), **changes}, sort_keys=True, separators=(",", ":"))


def _signed_by_another(text: str) -> str:
    return replace(parse_checkpoint(text), size=2).signed_by(Keyring.of(new_private_key())).text


@pytest.mark.parametrize("change", ANCHORS)
def test_an_anchor_that_was_changed_or_removed_is_found(change: str, estate: Estate) -> None:
    filled(estate)
    make, why = ANCHORS[change]
    estate.witness.kept = make(estate.witness.written[-1])
    assert_refused(estate, why)


def test_one_place_is_enough_and_the_other_is_written_again(estate: Estate) -> None:
    """Whoever deletes the Lease by mistake has removed no evidence."""
    filled(estate)
    del estate.witness.kept["Lease"]
    estate.start()
    assert set(estate.witness.kept) == {"Lease", "ConfigMap"}


def test_an_older_genuine_checkpoint_in_one_place_does_not_hide_the_newer_one(estate: Estate) -> None:
    ledger = filled(estate, 3)
    older, earlier = estate.witness.written[-1], estate.backup()
    ledger.append(vote(3))
    ledger.keep_anchor()
    estate.restore(earlier)
    estate.witness.kept["Lease"] = older
    assert_refused(estate, "its end was cut off")


def test_an_anchor_that_cannot_be_read_is_not_one_that_is_absent(estate: Estate) -> None:
    ledger = estate.open()
    estate.witness.down = True
    with pytest.raises(ClusterUnavailable):
        ledger.claim(estate.claim())
    assert ledger.head().sequence == 0
    assert ledger.problem == ""


def test_a_first_installation_begins_with_an_empty_ledger_and_an_anchor(estate: Estate) -> None:
    ledger = estate.start()
    records = list(ledger.read())
    assert [(one.entry.kind, one.entry.result) for one in records] == [
        (RecordKind.ACQUIRED, "acquired"),
        (RecordKind.CHECKPOINT, "first"),
    ]
    anchored = parse_checkpoint(estate.witness.kept["Lease"])
    assert (anchored.size, anchored.head, anchored.sinks) == (1, records[0].hash, 2)
    assert anchored.root == root_of([bytes.fromhex(records[0].hash)]).hex()
    assert records[1].entry.detail == json.loads(anchored.text)
    assert estate.witness.announced == []


def test_a_ledger_from_before_anchors_gets_its_first_one_once_and_says_so(estate: Estate) -> None:
    before = open_ledger(estate.store, estate.path, keys=KEYS, clock=estate.clock, fence=lambda: 0)
    before.start()
    for number in range(3):
        before.append(vote(number))
    ledger = estate.start()
    estate.start()
    made = [one for one in ledger.read() if one.entry.kind is RecordKind.CHECKPOINT]
    assert [(one.entry.result, one.entry.detail["size"]) for one in made] == [("first", 4)]
    assert len(estate.witness.announced) == 1
    assert "It covers the 4 records that were there" in estate.witness.announced[0]


class DiesAfterWriting(MemoryWitness):
    """The process is killed once the first anchor is written, before the ledger has a record of it."""

    def write(self, text: str) -> None:
        super().write(text)
        raise RuntimeError("killed")


def test_a_crash_between_the_first_anchor_and_its_record_is_no_attack(estate: Estate) -> None:
    estate.witness = DiesAfterWriting()
    with pytest.raises(RuntimeError, match="killed"):
        estate.start()
    estate.witness = MemoryWitness(estate.witness.kept)
    kinds = [one.entry.kind for one in estate.start().read()]
    assert kinds == [RecordKind.ACQUIRED, RecordKind.ACQUIRED, RecordKind.CHECKPOINT]


def test_every_vote_decision_and_outcome_is_anchored_at_once_and_the_rest_after_a_minute(estate: Estate) -> None:
    ledger = estate.start()
    assert ledger.keep_anchor() == 1
    ledger.append(note(1))
    assert ledger.keep_anchor() == 1
    ledger.append(vote(1))
    assert ledger.keep_anchor() == 4
    ledger.append(note(2))
    estate.clock.sleep(59)
    assert ledger.keep_anchor() == 4
    estate.clock.sleep(1)
    assert ledger.keep_anchor() == 5
    estate.clock.sleep(600)
    assert ledger.keep_anchor() == 5, "where nothing was recorded nothing is anchored"
    ledger.append(note(3))
    assert ledger.keep_anchor(at_once=True) == 6


def test_a_hundred_records_are_anchored_and_the_ledger_says_how_far_it_had_come(estate: Estate) -> None:
    ledger = estate.start()
    for number in range(EVERY_RECORDS):
        ledger.append(note(number))
    assert ledger.keep_anchor() == EVERY_RECORDS + 2
    last = list(ledger.read())[-1]
    assert (last.entry.kind, last.entry.result) == (RecordKind.CHECKPOINT, "made")
    assert last.entry.detail["size"] == EVERY_RECORDS + 2
    assert last.entry.detail["head"] == last.previous_hash


def test_what_only_one_sink_has_is_not_anchored(estate: Estate) -> None:
    ledger = estate.start()
    without = open_ledger(estate.store, None, keys=KEYS, clock=estate.clock, fence=lambda: estate.fence)
    without.append(vote(1))
    list(ledger.of_request(UID))
    assert ledger.keep_anchor(at_once=True) == 2


def test_an_anchor_that_cannot_be_written_is_written_later_and_stops_no_record(estate: Estate) -> None:
    ledger = estate.start()
    estate.witness.down = True
    ledger.append(vote(1))
    with pytest.raises(ClusterUnavailable):
        ledger.keep_anchor()
    ledger.append(vote(2))
    estate.witness.down = False
    assert ledger.keep_anchor() == 4


def cut(estate: Estate) -> None:
    ledger = filled(estate, 3)
    earlier = estate.backup()
    ledger.append(vote(3))
    ledger.keep_anchor()
    estate.restore(earlier)


def test_an_administrator_accepts_exactly_what_is_left_and_the_ledger_quotes_what_was_lost(estate: Estate) -> None:
    cut(estate)
    ledger = estate.open()
    with pytest.raises(LedgerDiverged) as refused:
        ledger.claim(estate.claim())
    lost = json.loads(estate.witness.kept["Lease"])
    estate.witness.accepted = refused.value.hint.partition("accept '")[2].rstrip("'")

    ledger = estate.start()

    said = [one.entry for one in ledger.read() if one.entry.result == "accepted"]
    assert [one.kind for one in said] == [RecordKind.CHECKPOINT]
    assert said[0].detail["anchored"] == [lost, lost]
    assert "its end was cut off" in str(said[0].detail["problem"])
    assert estate.witness.accepted == ""
    assert ["its end was cut off" in text for text in estate.witness.announced] == [True]
    assert estate.start().problem == ""
    assert verify(estate.lines(), keys=PUBLIC_KEYS).ok


@pytest.mark.parametrize("accepted", ["", "yes", "5", "4 {head}", "5 " + "0" * 64, "99 {head}", "0 " + "0" * 64])
def test_an_acceptance_of_anything_else_is_none(accepted: str, estate: Estate) -> None:
    cut(estate)
    estate.witness.accepted = accepted.format(head=estate.open().head().hash)
    assert_refused(estate, "its end was cut off")


def test_an_acceptance_holds_once(estate: Estate) -> None:
    cut(estate)
    left, head = estate.backup(), estate.open().head()
    estate.witness.accepted = f"{head.sequence} {head.hash}"
    estate.start()
    estate.restore(left)
    assert_refused(estate, "its end was cut off")


def test_a_file_on_a_new_volume_is_filled_from_the_store_once_that_is_accepted(estate: Estate) -> None:
    filled(estate)
    whole = estate.lines()
    estate.path.unlink()
    ledger = estate.open()
    ledger.claim(estate.claim())
    with pytest.raises(LedgerDiverged, match="cut, deleted or replaced"):
        ledger.start()
    head = ledger.head()
    estate.witness.accepted = f"{head.sequence} {head.hash}"
    assert ledger.start() == len(whole) + 1
    assert estate.lines()[: len(whole)] == whole
    assert verify(estate.lines(), keys=PUBLIC_KEYS).ok


def test_a_replaced_key_anchors_nothing_more(estate: Estate) -> None:
    filled(estate)
    rotated = Keyring.of(new_private_key(), public_key_of(PRIVATE_KEY))
    assert estate.start(rotated).problem == "", "what the old key anchored before stays good"
    last = parse_checkpoint(estate.witness.kept["Lease"])
    estate.witness.kept["Lease"] = replace(last, sinks=1).signed_by(KEYS).text
    assert_refused(estate, "which was replaced at record", keys=rotated)
