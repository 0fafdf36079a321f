"""Whoever owns the store can stop the ledger but never make it say something: forged, changed and hidden records."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.ledger_keys import KEYS, PRIVATE_KEY, PUBLIC_KEYS

from finops.audit_verify import Keys, NotAKey, verify
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.canonical import canonical_json
from finops.errors import InvalidInput, LedgerDiverged
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.signing import Keyring, new_private_key, public_key_of
from finops.ports.clock import SystemClock
from finops.store.connection import Store, open_ledger_connection
from finops.store.ledger import LedgerStream, unchecked

UID = "u1"
OTHER_KEY = new_private_key()


@pytest.fixture
def store(valkey_url: str) -> Iterator[Store]:
    opened = open_ledger_connection(valkey_url, prefix=f"signed-{uuid.uuid4().hex}:")
    yield opened
    opened.client.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def entry(name: str, *, uid: str = UID, kind: RecordKind = RecordKind.VOTED) -> Entry:
    return Entry(
        operation_id=f"{uid}:{name}", actor="k8s.alice", kind=kind, request=f"team-a/r/{uid}", result="refused"
    )


def opened(store: Store, path: Path | None, keys: Keyring = KEYS) -> DurableLedger:
    ledger = open_ledger(store, path, keys=keys, clock=SystemClock(), fence=lambda: 1)
    ledger.start()
    return ledger


def filled(store: Store, path: Path | None, count: int = 3) -> DurableLedger:
    ledger = opened(store, path)
    for number in range(count):
        ledger.append(entry(f"vote:{number}"))
    return ledger


def forge(store: Store, record: Record) -> None:
    """Write as the owner of the store does: plain commands, all indexes kept as the ledger keeps them."""
    text = canonical_json(record.to_json()).decode()
    keys, client = store.keys, store.client
    client.xadd(
        keys.ledger, {"hash": record.hash, "record": text, "signature": record.signature}, id=f"{record.sequence}-0"
    )
    client.hset(keys.ledger_head, mapping={"sequence": record.sequence, "hash": record.hash, "fence": record.fence})
    client.hset(keys.ledger_operations, record.entry.operation_id, record.sequence)
    client.rpush(keys.ledger_request(UID), record.sequence)


def next_of(store: Store, name: str) -> Record:
    head = LedgerStream(store, unchecked).head()
    last = store.client.lindex(store.keys.ledger_request(UID), -1)
    return Record(
        head.sequence + 1, head.hash, SystemClock().now(), 1, entry(name), request_previous=int(str(last or 0))
    )


FORGERIES: dict[str, Callable[[Record], Record]] = {
    "no signature": lambda record: replace(record, key=KEYS.key),
    "no key": lambda record: record,
    "a key of one's own": Keyring.of(OTHER_KEY).sign,
    "a key of one's own under our id": lambda record: replace(Keyring.of(OTHER_KEY).sign(record), key=KEYS.key),
    "the signature of another record": lambda record: replace(
        record, key=KEYS.key, signature=KEYS.sign(replace(record, fence=7)).signature
    ),
    "a signature that is no text of bytes": lambda record: replace(record, key=KEYS.key, signature="zz"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_record_that_the_operator_did_not_sign_is_never_believed(forgery: str, store: Store, path: Path) -> None:
    ledger = filled(store, path)
    forge(store, FORGERIES[forgery](next_of(store, "forged")))
    with pytest.raises(LedgerDiverged):
        ledger.of_request(UID)
    with pytest.raises(LedgerDiverged):
        ledger.find(f"{UID}:forged")
    with pytest.raises(LedgerDiverged):
        list(ledger.read())
    with pytest.raises(LedgerDiverged):
        ledger.append(entry("honest"))
    assert len(path.read_bytes().splitlines()) == 3, "nothing forged reaches the second sink"


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("has_file", [True, False])
def test_a_forged_record_stops_the_start(forgery: str, has_file: bool, store: Store, path: Path) -> None:
    file = path if has_file else None
    filled(store, file)
    forge(store, FORGERIES[forgery](next_of(store, "forged")))
    with pytest.raises(LedgerDiverged):
        opened(store, file)


def test_a_changed_record_is_found_though_hash_and_indexes_fit(store: Store, path: Path) -> None:
    ledger = filled(store, path)
    stream, client = store.keys.ledger, store.client
    page: Any = client.xrange(stream, min="3-0", max="3-0")
    fields = dict(page[0][1])
    document = json.loads(fields["record"]) | {"result": "counted"}
    changed = replace(ledger.of_request(UID)[-1], entry=replace(entry("vote:2"), result="counted"))
    client.xdel(stream, "3-0")
    client.xadd(stream, fields | {"record": canonical_json(document).decode(), "hash": changed.hash}, id="3-1")
    with pytest.raises(LedgerDiverged):
        ledger.of_request(UID)


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_a_record_hidden_from_the_index_of_its_request_is_missed(hidden: int, store: Store, path: Path) -> None:
    ledger = filled(store, path)
    store.client.lrem(store.keys.ledger_request(UID), 1, str(hidden))
    with pytest.raises(LedgerDiverged, match="hides record"):
        ledger.of_request(UID)
    with pytest.raises(LedgerDiverged, match="hides record"):
        opened(store, path).of_request(UID)


def test_a_request_whose_index_is_gone_is_not_one_without_records(store: Store, path: Path) -> None:
    ledger = filled(store, path)
    store.client.delete(store.keys.ledger_request(UID))
    with pytest.raises(LedgerDiverged, match="hides record 3"):
        ledger.of_request(UID)
    assert ledger.of_request("nobody") == ()


def test_records_of_another_request_shown_for_this_one_are_refused(store: Store, path: Path) -> None:
    ledger = filled(store, path)
    store.client.rpush(store.keys.ledger_request("u2"), 1)
    with pytest.raises(LedgerDiverged):
        ledger.of_request("u2")


def test_an_operation_cannot_be_given_the_record_of_another(store: Store, path: Path) -> None:
    ledger = filled(store, path)
    store.client.hset(store.keys.ledger_operations, f"{UID}:intent", 1)
    with pytest.raises(LedgerDiverged, match="for another operation"):
        ledger.find(f"{UID}:intent")
    with pytest.raises(LedgerDiverged, match="for another operation"):
        ledger.append(entry("intent"))


def test_a_store_that_comes_back_empty_or_older_stops_the_ledger(store: Store, path: Path) -> None:
    ledger = filled(store, path)
    store.client.delete(store.keys.ledger, store.keys.ledger_head, store.keys.ledger_operations)
    with pytest.raises(LedgerDiverged):
        opened(store, path)
    with pytest.raises(LedgerDiverged):
        ledger.append(entry("after"))


def test_the_file_of_another_ledger_stops_the_start(store: Store, path: Path, valkey_url: str) -> None:
    filled(store, path)
    elsewhere = open_ledger_connection(valkey_url, prefix=f"other-{uuid.uuid4().hex}:")
    filled(elsewhere, path.with_name("other.jsonl"))
    with pytest.raises(LedgerDiverged, match="differs between the ledger's file and its stream"):
        opened(store, path.with_name("other.jsonl"))
    elsewhere.client.close()


def test_starting_reads_of_the_stream_only_what_the_file_does_not_have(store: Store, path: Path) -> None:
    filled(store, path, 600)

    def reads() -> int:
        statistics: Any = store.client.info("commandstats")
        return int(statistics["cmdstat_xrange"]["calls"])

    before = reads()
    opened(store, path)
    assert reads() - before <= 3


def test_a_new_key_is_recorded_and_the_old_ones_records_stay_valid(store: Store, path: Path) -> None:
    filled(store, path)
    rotated = Keyring.of(OTHER_KEY, public_key_of(PRIVATE_KEY))
    ledger = opened(store, path, rotated)
    ledger.append(entry("vote:new"))
    kinds = [(record.entry.kind, record.key) for record in ledger.read()]
    assert kinds[-2:] == [(RecordKind.KEY_CHANGED, rotated.key), (RecordKind.VOTED, rotated.key)]
    assert len(ledger.of_request(UID)) == 4
    assert len(list(opened(store, path, rotated).read())) == len(kinds), "the change is recorded once"
    both = Keys(public_key_of(OTHER_KEY) + public_key_of(PRIVATE_KEY))
    assert verify(path.read_bytes().splitlines(), keys=both).ok


def test_a_new_key_without_the_old_one_among_the_trusted_stops_the_start(store: Store, path: Path) -> None:
    filled(store, path)
    with pytest.raises(LedgerDiverged, match="unknown key"):
        opened(store, path, Keyring.of(OTHER_KEY))


def test_the_verifier_needs_only_the_export_and_the_public_key(store: Store, path: Path) -> None:
    filled(store, path)
    lines = path.read_bytes().splitlines()
    report = verify(lines, keys=PUBLIC_KEYS)
    assert (report.ok, report.signed) == (True, True)
    assert not verify(lines).signed
    foreign = verify(lines, keys=Keys(public_key_of(OTHER_KEY)))
    assert [problem.code for problem in foreign.problems] == ["Signature"] * 3


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_edited_ledger_signed_anew_with_another_key_is_found(data: st.DataObject, store: Store, path: Path) -> None:
    if not path.exists():
        filled(store, path, 5)
    honest = list(opened(store, path).read())
    position = data.draw(st.integers(0, len(honest) - 1))
    result = data.draw(st.sampled_from(["counted", "Approved", ""]))
    forger, previous, lines = Keyring.of(OTHER_KEY), honest[0].previous_hash, []
    for number, record in enumerate(honest):
        told = replace(record.entry, result=result) if number == position else record.entry
        made = forger.sign(replace(record, previous_hash=previous, entry=told))
        previous = made.hash
        lines.append(canonical_json({"hash": made.hash, "record": made.to_json(), "signature": made.signature}))
    assert verify(lines).signed is False
    assert not verify(lines, keys=PUBLIC_KEYS).ok


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_a_text_without_a_key_is_refused_by_its_setting(text: str) -> None:
    with pytest.raises(InvalidInput, match="FINOPS_LEDGER_SIGNING_KEY"):
        Keyring.of(text)
    with pytest.raises(NotAKey):
        Keys(text)
    if text:
        with pytest.raises(InvalidInput, match="FINOPS_LEDGER_TRUSTED_KEYS"):
            Keyring.of(PRIVATE_KEY, text)


def test_a_private_key_never_shows_in_a_text_about_the_keyring() -> None:
    assert "PRIVATE" not in repr(KEYS)
    assert "Ed25519" not in repr(KEYS)
