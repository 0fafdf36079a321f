"""A stranger with a proof and the public key can check it; whoever changes a proof has none."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.ledger_lines import HONEST, REQUEST, START, records, vote

from finops.audit_verify import Keys, verify, verify_proof
from finops.domain.audit import Entry, Record, RecordKind
from finops.errors import InvalidInput, LedgerDiverged
from finops.ledger.checkpoint import Checkpoint, parse_checkpoint
from finops.ledger.lines import line_of
from finops.ledger.merkle import root_of
from finops.ledger.proofs import prove_growth, prove_request
from finops.ledger.signing import Keyring, new_private_key, public_key_of

_OTHERS = tuple(Entry(f"policy:{number}", "operator", RecordKind.POLICY_CHANGED, result="seen") for number in range(9))
LEDGER = records((*_OTHERS[:3], *HONEST[:4], *_OTHERS[3:8], *HONEST[4:]))


def checkpoint(covers: int, ledger: list[Record] = LEDGER, keys: Keyring = KEYS, **change: Any) -> Checkpoint:
    root = root_of([bytes.fromhex(one.hash) for one in ledger[:covers]]).hex()
    honest = Checkpoint(covers, root, ledger[covers - 1].hash, START + timedelta(hours=1), 2)
    return replace(honest, **change).signed_by(keys)


def text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)


PROOF = prove_request(LEDGER, "savings-1", checkpoint(len(LEDGER))).document
GROWTH = prove_growth(LEDGER, checkpoint(6), checkpoint(len(LEDGER)))


def test_a_proof_shows_all_records_of_a_request_with_the_public_key_alone() -> None:
    report = verify_proof(text(PROOF), keys=PUBLIC_KEYS)
    assert report.problems == ()
    assert report.signed
    assert report.shows.startswith(f"8 records of {REQUEST} stand in the ledger of 17 records at 2026-03-01T13:00")
    assert report.warnings == (), "the tree ends with its last record"


def test_a_proof_without_the_last_records_of_a_request_says_where_it_ends_and_how_large_the_tree_is() -> None:
    document = copy.deepcopy(PROOF)
    proved: Any = document["records"]
    last = proved[-3]["record"]["sequence"]
    del proved[-2:]
    report = verify_proof(text(document), keys=PUBLIC_KEYS)
    assert report.ok
    said = f"what came after record {last} of this request, if anything, is not in this proof; the tree has 17 records"
    assert report.warnings == (said,)
    assert verify_proof(text(GROWTH), keys=PUBLIC_KEYS).warnings == ()


@pytest.mark.parametrize("name", ["savings-1", "team-a/savings-1", "u1", REQUEST])
def test_a_request_is_named_by_name_or_uid(name: str) -> None:
    assert prove_request(LEDGER, name, checkpoint(17)).document == PROOF


def test_a_checkpoint_covers_what_was_recorded_by_then_and_says_what_came_later() -> None:
    proved = prove_request(LEDGER, "u1", checkpoint(6))
    assert proved.newer == 6
    assert verify_proof(text(proved.document), keys=PUBLIC_KEYS).shows.startswith("2 records of")


def test_what_the_ledger_does_not_hold_cannot_be_proved() -> None:
    with pytest.raises(InvalidInput, match="is no request"):
        prove_request(LEDGER, "savings-2", checkpoint(17))
    with pytest.raises(LedgerDiverged, match="not the one"):
        prove_request(LEDGER[:10], "u1", checkpoint(17))
    with pytest.raises(LedgerDiverged, match="not the one"):
        prove_request(records(HONEST), "u1", checkpoint(8))
    with pytest.raises(LedgerDiverged, match="not the one"):
        prove_growth(LEDGER, checkpoint(6, records(HONEST)), checkpoint(17))
    with pytest.raises(InvalidInput, match="more than the 6"):
        prove_growth(LEDGER, checkpoint(17), checkpoint(6))


def test_a_name_that_two_requests_had_is_proved_by_uid() -> None:
    other = Entry("u2:proposed", "operator", RecordKind.PROPOSED, request="team-b/savings-1/u2")
    ledger = records((*HONEST, other))
    with pytest.raises(InvalidInput, match="is the name of 2 requests"):
        prove_request(ledger, "savings-1", checkpoint(len(ledger), ledger))
    assert prove_request(ledger, "u2", checkpoint(len(ledger), ledger)).newer == 0


def test_a_record_left_out_in_the_middle_is_missed() -> None:
    document = copy.deepcopy(PROOF)
    proved: Any = document["records"]
    del proved[2]
    assert not verify_proof(text(document), keys=PUBLIC_KEYS).ok
    del document["records"]
    assert not verify_proof(text(document), keys=PUBLIC_KEYS).ok


def test_a_proof_signed_by_another_key_is_none() -> None:
    stranger = new_private_key()
    forged = prove_request(LEDGER, "u1", checkpoint(17, keys=Keyring.of(stranger))).document
    assert not verify_proof(text(forged), keys=PUBLIC_KEYS).ok
    assert not verify_proof(text(PROOF), keys=Keys(public_key_of(stranger))).ok
    assert not verify_proof(text(forged)).signed


def test_the_growth_of_the_ledger_is_shown_and_a_rewritten_one_is_not() -> None:
    report = verify_proof(text(GROWTH), keys=PUBLIC_KEYS)
    assert (report.ok, report.shows) == (True, "the ledger of 17 records begins with the ledger of 6 records")
    rewritten = records((vote("k8s.mallory"), *HONEST))
    elsewhere = prove_growth(rewritten, checkpoint(6, rewritten), checkpoint(9, rewritten))
    assert verify_proof(text(elsewhere), keys=PUBLIC_KEYS).ok
    mixed = elsewhere | {"earlier": checkpoint(6).to_json()}
    assert not verify_proof(text(mixed), keys=PUBLIC_KEYS).ok


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [place for key, inner in value.items() for place in _places(inner, (*path, key))]
    if isinstance(value, list):
        return [place for key, inner in enumerate(value) for place in _places(inner, (*path, key))]
    return [path]


@settings(max_examples=400)
@given(st.sampled_from([PROOF, GROWTH]), st.data())
def test_any_change_of_a_proof_is_found(honest: dict[str, Any], data: st.DataObject) -> None:
    changed = json.loads(text(honest))
    path = data.draw(st.sampled_from(_places(changed)))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    before = inner[path[-1]]
    inner[path[-1]] = data.draw(
        st.sampled_from(["", "0" * 64, 0, 1, None, [], {}, True, 1.5, "é\ud800", f"{before}0"]).filter(
            lambda one: one != before or type(one) is not type(before)
        )
    )
    assert not verify_proof(json.dumps(changed), keys=PUBLIC_KEYS).ok


@pytest.mark.parametrize("nonsense", ["", "[]", "{}", "{", "null", '{"checkpoint":1,"records":[1]}', "[" * 9000])
def test_what_is_no_proof_shows_nothing(nonsense: str) -> None:
    report = verify_proof(nonsense, keys=PUBLIC_KEYS)
    assert not report.ok
    assert report.shows == ""


def lines_with(*kept: Checkpoint) -> list[str]:
    """Return the export of a ledger whose records after the honest ones are these checkpoints."""
    entries = [
        Entry(f"checkpoint:{one.size}:{number}", "operator", RecordKind.CHECKPOINT, result="made", detail=one.to_json())
        for number, one in enumerate(kept)
    ]
    return [line_of(one).decode() for one in records((*HONEST, *entries))]


HONEST_LEDGER = records(HONEST)


def problems(lines: list[str], *kept: str) -> set[str]:
    return {problem.code for problem in verify(lines, keys=PUBLIC_KEYS, kept=kept).problems}


def test_checkpoints_in_an_export_are_checked() -> None:
    assert problems(lines_with(checkpoint(8, HONEST_LEDGER), checkpoint(5, HONEST_LEDGER))) == set()
    rest: dict[str, Any]
    for rest in ({"root": "0" * 64}, {"head": "0" * 64}, {"size": 9}, {"size": 7}, {"size": 0}):
        assert problems(lines_with(checkpoint(8, HONEST_LEDGER, **rest))) == {"Checkpoint"}
    assert problems(lines_with(checkpoint(8, HONEST_LEDGER, Keyring.of(new_private_key())))) == {"Checkpoint"}


def test_a_checkpoint_that_was_kept_elsewhere_shows_a_cut_and_a_replaced_ledger() -> None:
    kept = checkpoint(8, HONEST_LEDGER).text
    lines = [line_of(one).decode() for one in HONEST_LEDGER]
    assert problems(lines, kept) == set()
    assert problems(lines[:7], kept) == {"Checkpoint"}
    assert problems([line_of(one).decode() for one in LEDGER], kept) == {"Checkpoint"}
    assert problems(lines, kept.replace('"size":8', '"size":7')) == {"Checkpoint"}
    assert problems(lines, "nothing") == {"Checkpoint"}
    assert parse_checkpoint(kept).size == 8


def test_an_accepted_loss_is_reported_and_one_that_does_not_fit_is_a_problem() -> None:
    def lines(accepted: str) -> list[str]:
        detail = {"accepted": accepted, "problem": "the ledger ended at record 9", "anchored": []}
        entry = Entry("checkpoint:accepted", "operator", RecordKind.CHECKPOINT, result="accepted", detail=detail)
        return [line_of(one).decode() for one in records((*HONEST, entry))]

    report = verify(lines(f"9 {HONEST_LEDGER[-1].hash}"), keys=PUBLIC_KEYS)
    assert (report.ok, report.losses) == (True, ("record 10: the ledger ended at record 9",))
    for wrong in (f"8 {HONEST_LEDGER[-1].hash}", "9", "", "9 x", f"{'9' * 5000} x"):
        assert problems(lines(wrong)) == {"Checkpoint"}
