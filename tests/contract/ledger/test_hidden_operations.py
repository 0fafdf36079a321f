"""Whoever owns the store can hide an operation from the index or bring an older key back; neither is believed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.ledger_keys import KEYS, PRIVATE_KEY

from finops.audit_verify import Keys, verify
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.canonical import canonical_json
from finops.errors import LedgerDiverged
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.signing import Keyring, new_private_key, public_key_of
from finops.ports.clock import SystemClock
from finops.store.connection import Store, open_ledger_connection
from finops.store.ledger import LedgerStream, unchecked

UID = "u1"
NEW_KEY = new_private_key()
ROTATED = Keyring.of(NEW_KEY, public_key_of(PRIVATE_KEY))


@pytest.fixture
def store(valkey_url: str) -> Iterator[Store]:
    opened = open_ledger_connection(valkey_url, prefix=f"hidden-{uuid.uuid4().hex}:")
    yield opened
    opened.client.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def started(store: Store, path: Path, keys: Keyring = KEYS) -> DurableLedger:
    ledger = open_ledger(store, path, keys=keys, clock=SystemClock(), fence=lambda: 1)
    ledger.start()
    return ledger


def vote(name: str) -> Entry:
    return Entry(f"vote:{name}", "k8s.alice", RecordKind.VOTED, request=f"team-a/r/{UID}", result="refused")


@pytest.mark.parametrize("restarted", [False, True])
def test_an_operation_hidden_from_the_index_is_not_one_that_never_was(
    restarted: bool, store: Store, path: Path
) -> None:
    ledger = started(store, path)
    ledger.append(vote("1"))
    store.client.hdel(store.keys.ledger_operations, "vote:1")
    if restarted:
        ledger = started(store, path)

    with pytest.raises(LedgerDiverged, match="hides operation vote:1"):
        ledger.find("vote:1")
    with pytest.raises(LedgerDiverged, match="hides operation vote:1"):
        ledger.append(vote("1"))

    assert ledger.find("vote:2") is None
    assert len(list(ledger.read())) == 1, "nothing is recorded a second time"


def with_retired_key(store: Store, path: Path, *, says_so: bool) -> None:
    """Rotate the key, then write at the end of the ledger as somebody who has the store and the retired key."""
    started(store, path).append(vote("1"))
    started(store, path, ROTATED).append(vote("2"))
    _forge(store, vote("3"), says_so=says_so)


def _forge(store: Store, entry: Entry, *, says_so: bool) -> None:
    client, keys = store.client, store.keys
    change = Entry("key:forged", "operator", RecordKind.KEY_CHANGED, detail={"from": ROTATED.key, "to": KEYS.key})
    for shown in (change, entry) if says_so else (entry,):
        head = LedgerStream(store, unchecked).head()
        last = int(str(client.lindex(keys.ledger_request(UID), -1))) if shown.request else 0
        bare = Record(head.sequence + 1, head.hash, SystemClock().now(), 1, shown, request_previous=last)
        record = KEYS.sign(bare)
        text = canonical_json(record.to_json()).decode()
        client.xadd(
            keys.ledger,
            {"hash": record.hash, "record": text, "signature": record.signature},
            id=f"{record.sequence}-0",
        )
        client.hset(keys.ledger_head, mapping={"sequence": record.sequence, "hash": record.hash})
        client.hset(keys.ledger_operations, shown.operation_id, record.sequence)
        if shown.request:
            client.rpush(keys.ledger_request(UID), record.sequence)


@pytest.mark.parametrize("says_so", [False, True])
def test_a_key_that_was_replaced_signs_nothing_more(says_so: bool, store: Store, path: Path) -> None:
    with_retired_key(store, path, says_so=says_so)
    with pytest.raises(LedgerDiverged, match="was replaced"):
        started(store, path, ROTATED)


def test_a_record_by_a_replaced_key_is_not_shown_while_the_operator_lives(store: Store, path: Path) -> None:
    started(store, path).append(vote("1"))
    ledger = started(store, path, ROTATED)
    ledger.append(vote("2"))
    _forge(store, vote("3"), says_so=False)
    with pytest.raises(LedgerDiverged, match="was replaced"):
        ledger.of_request(UID)
    with pytest.raises(LedgerDiverged, match="was replaced"):
        ledger.find("vote:3")
    with pytest.raises(LedgerDiverged, match="was replaced"):
        ledger.append(vote("4"))


def test_a_record_replaced_by_one_of_a_replaced_key_is_found(store: Store, path: Path) -> None:
    started(store, path).append(vote("1"))
    ledger = started(store, path, ROTATED)
    record = ledger.find("vote:1")
    assert record is not None
    shown = replace(record.entry, result="counted")
    changed = KEYS.sign(replace(record, entry=shown))
    store.client.delete(store.keys.ledger)
    store.client.xadd(
        store.keys.ledger,
        {
            "hash": changed.hash,
            "record": canonical_json(changed.to_json()).decode(),
            "signature": changed.signature,
        },
        id="1-0",
    )
    with pytest.raises(LedgerDiverged, match="not the one"):
        ledger.of_request(UID)


@pytest.mark.parametrize("says_so", [False, True])
def test_the_verifier_reports_a_record_by_a_replaced_key(says_so: bool, store: Store, path: Path) -> None:
    with_retired_key(store, path, says_so=says_so)
    lines = [
        canonical_json({"hash": one.hash, "record": one.to_json(), "signature": one.signature})
        for one in LedgerStream(store, unchecked).read()
    ]
    report = verify(lines, keys=Keys(public_key_of(NEW_KEY) + public_key_of(PRIVATE_KEY)))
    assert "Key" in {problem.code for problem in report.problems}
