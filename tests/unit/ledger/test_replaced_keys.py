"""A key counts for nothing after it was replaced: proofs and exports that whoever has the old one makes are found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from tests.support.ledger_lines import HONEST, START, records

from finops.audit_verify import Keys, verify, verify_proof
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.ledger.checkpoint import Checkpoint
from finops.ledger.lines import line_of
from finops.ledger.merkle import root_of
from finops.ledger.proofs import prove_growth, prove_request
from finops.ledger.signing import Keyring, new_private_key, public_key_of

_OLD, _NEW = new_private_key(), new_private_key()
OLD: Final = Keyring.of(_OLD)
NEW: Final = Keyring.of(_NEW, public_key_of(_OLD))
BOTH: Final = Keys(public_key_of(_OLD) + public_key_of(_NEW))
_CHANGE: Final = Entry("key:1", "operator", RecordKind.KEY_CHANGED, detail={"from": OLD.key, "to": NEW.key})


def signed(entries: tuple[Entry, ...]) -> list[Record]:
    """Return a ledger that the old key signs until a record says that the new one follows."""
    made: list[Record] = []
    keys = OLD
    for one in records(entries):
        keys = NEW if one.entry is _CHANGE else keys
        made.append(keys.sign(replace(one, previous_hash=made[-1].hash if made else GENESIS_HASH)))
    return made


HONESTLY: Final = signed((*HONEST, _CHANGE))
FORGED: Final = signed(tuple(replace(one, actor="slack.UVICTIM") if "alice" in one.actor else one for one in HONEST))


def checkpoint(ledger: list[Record], keys: Keyring, covers: int = 0) -> Checkpoint:
    size = covers or len(ledger)
    root = root_of([bytes.fromhex(one.hash) for one in ledger[:size]]).hex()
    return Checkpoint(size, root, ledger[size - 1].hash, START + timedelta(days=900), 2).signed_by(keys)


def text(document: object) -> str:
    return json.dumps(document, ensure_ascii=False)


def test_records_of_a_replaced_key_are_proved_by_a_checkpoint_of_the_newest() -> None:
    proof = prove_request(HONESTLY, "u1", checkpoint(HONESTLY, NEW)).document
    assert verify_proof(text(proof), keys=BOTH).problems == ()
    growth = prove_growth(HONESTLY, checkpoint(HONESTLY, OLD, 5), checkpoint(HONESTLY, NEW))
    assert verify_proof(text(growth), keys=BOTH).problems == ()


def test_a_proof_that_a_replaced_key_signs_alone_is_refused_and_says_which_key_is_the_newest() -> None:
    proof = prove_request(FORGED, "u1", checkpoint(FORGED, OLD)).document
    report = verify_proof(text(proof), keys=BOTH)
    (problem,) = report.problems
    assert f"signed by key {OLD.key}, and the newest of those given is {NEW.key}" in problem
    assert report.shows == ""
    growth = prove_growth(FORGED, checkpoint(FORGED, OLD, 5), checkpoint(FORGED, OLD))
    assert not verify_proof(text(growth), keys=BOTH).ok


def test_a_proof_with_the_only_key_of_its_time_is_good_and_keys_in_the_wrong_order_are_refused() -> None:
    old_alone = text(prove_request(HONESTLY, "u1", checkpoint(HONESTLY, OLD, 8)).document)
    assert verify_proof(old_alone, keys=Keys(public_key_of(_OLD))).ok
    new = text(prove_request(HONESTLY, "u1", checkpoint(HONESTLY, NEW)).document)
    assert not verify_proof(new, keys=Keys(public_key_of(_NEW) + public_key_of(_OLD))).ok


@pytest.mark.parametrize(
    ("ledger", "kept", "warned"),
    [
        (HONESTLY, (), []),
        (FORGED, (), ["Key"]),
        (FORGED, (checkpoint(FORGED, OLD).text,), ["Key"]),
        (HONESTLY[:8], (), ["Key"]),
        (HONESTLY[:8], (checkpoint(HONESTLY, NEW, 8).text,), []),
        (HONESTLY[:8], (f"Ledger checkpoint 8 · sha256:{checkpoint(HONESTLY, NEW, 8).root}",), []),
    ],
)
def test_an_export_that_the_newest_key_does_not_end_is_doubted_unless_that_key_covers_it(
    ledger: list[Record], kept: tuple[str, ...], warned: list[str]
) -> None:
    report = verify(map(line_of, ledger), keys=BOTH, kept=kept)
    assert report.problems == ()
    assert [one.code for one in report.warnings] == warned
