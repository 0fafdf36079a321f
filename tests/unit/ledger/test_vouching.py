"""A checkpoint stands for the signatures of the records that it covers, where the key of those records signed it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.support.ledger_keys import KEYS, PRIVATE_KEY, PUBLIC_KEYS
from tests.support.ledger_lines import HONEST, START, records, vote

from finops.audit_verify import Keys, VerifyReport, verify, vouching
from finops.audit_verify.form import canonical
from finops.domain.audit import Entry, Record, RecordKind
from finops.ledger.checkpoint import Checkpoint
from finops.ledger.lines import line_of
from finops.ledger.merkle import root_of
from finops.ledger.signing import Keyring, new_private_key, public_key_of

OTHER_KEY = new_private_key()
OTHER = Keyring.of(OTHER_KEY)
BOTH = Keys(public_key_of(PRIVATE_KEY) + public_key_of(OTHER_KEY))
LEDGER = records()
NO_SIGNATURE = "0" * 128


def checkpoint(ledger: Sequence[Record], keys: Keyring = KEYS) -> Checkpoint:
    root = root_of([bytes.fromhex(one.hash) for one in ledger]).hex()
    return Checkpoint(len(ledger), root, ledger[-1].hash, START, 2).signed_by(keys)


def followed(ledger: Sequence[Record], entry: Entry, keys: Keyring = KEYS) -> list[Record]:
    """The ledger with one more record that names no request."""
    last = ledger[-1]
    return [*ledger, keys.sign(Record(last.sequence + 1, last.hash, last.time, last.fence, entry))]


def with_checkpoint(ledger: Sequence[Record], made: Checkpoint, name: str = "c") -> list[Record]:
    return followed(ledger, Entry(name, "operator", RecordKind.CHECKPOINT, detail=made.to_json()))


def text(ledger: Sequence[Record], *unsigned: int) -> list[str]:
    """Lines, those of the sequences named with a signature that nobody made."""
    return [
        line_of(replace(one, signature=NO_SIGNATURE) if one.sequence in unsigned else one).decode() for one in ledger
    ]


def quick(lines: list[str], *kept: Checkpoint, keys: Keys = PUBLIC_KEYS) -> VerifyReport:
    return verify(lines, keys=keys, kept=[one.text for one in kept], every_signature=False)


def codes(report: VerifyReport) -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in report.problems]


def test_a_kept_checkpoint_covers_the_records_up_to_its_size_and_the_rest_is_checked_one_by_one() -> None:
    report = quick(text(LEDGER), checkpoint(LEDGER[:5]))
    assert (report.ok, report.covered) == (True, 5)
    assert codes(quick(text(LEDGER, 6), checkpoint(LEDGER[:5]))) == [(6, "Signature")]


def test_a_checkpoint_in_the_ledger_covers_what_is_before_it() -> None:
    report = quick(text(with_checkpoint(LEDGER, checkpoint(LEDGER))))
    assert (report.ok, report.covered) == (True, len(LEDGER))


def test_without_a_checkpoint_every_signature_is_checked() -> None:
    assert quick(text(LEDGER)).covered == 0
    assert codes(quick(text(LEDGER, 3))) == [(3, "Signature")]


def test_a_checkpoint_covers_no_record_that_was_changed_and_chained_anew() -> None:
    forged = records((replace(HONEST[0], actor="k8s.mallory"), *HONEST[1:]))
    unsigned = text(forged, *range(1, len(forged) + 1))
    assert codes(quick(unsigned, checkpoint(LEDGER))) == [(0, "Checkpoint")]
    inside = with_checkpoint(forged, checkpoint(LEDGER))
    assert (len(inside), "Checkpoint") in codes(quick(text(inside, *range(1, len(inside) + 1))))
    assert (1, "Signature") in codes(quick(text(inside, *range(1, len(inside) + 1))))


def test_a_checkpoint_that_nobody_trusted_signed_covers_nothing() -> None:
    made = checkpoint(LEDGER, OTHER)
    assert codes(quick(text(LEDGER, 2), made)) == [(2, "Signature"), (0, "Checkpoint")]
    inside = with_checkpoint(LEDGER, made)
    assert codes(quick(text(inside, 2))) == [(2, "Signature"), (len(inside), "Checkpoint")]


def test_a_trusted_key_vouches_for_no_record_that_names_another_one() -> None:
    assert codes(quick(text(LEDGER, 2), checkpoint(LEDGER, OTHER), keys=BOTH)) == [(2, "Signature")]
    inside = with_checkpoint(LEDGER, checkpoint(LEDGER, OTHER))
    assert codes(quick(text(inside, 2), keys=BOTH)) == [(2, "Signature")]


def test_a_replaced_key_vouches_for_nothing_that_was_written_after_it() -> None:
    changed = Entry("k", "operator", RecordKind.KEY_CHANGED, detail={"from": KEYS.key, "to": OTHER.key})
    rotated = followed(LEDGER, changed, OTHER)
    last = len(rotated)
    assert quick(text(rotated), checkpoint(LEDGER), keys=BOTH).covered == len(LEDGER)
    assert (last, "Signature") in codes(quick(text(rotated, last), checkpoint(rotated, KEYS), keys=BOTH))
    assert quick(text(rotated), checkpoint(rotated, OTHER), keys=BOTH).covered == 1


def test_a_signature_without_the_form_of_one_is_found_though_a_checkpoint_covers_its_record() -> None:
    lines = text(LEDGER)
    document = json.loads(lines[3])
    lines[3] = canonical({**document, "signature": "none"})
    assert codes(quick(lines, checkpoint(LEDGER))) == [(4, "Signature")]


def test_other_digits_of_a_signature_that_a_checkpoint_makes_superfluous_are_found_by_every_signature_alone() -> None:
    lines, kept = text(LEDGER, 4), checkpoint(LEDGER)
    assert quick(lines, kept).ok
    assert codes(verify(lines, keys=PUBLIC_KEYS, kept=[kept.text])) == [(4, "Signature")]


def test_a_checkpoint_beyond_the_end_covers_nothing_that_is_called_intact() -> None:
    assert codes(quick(text(LEDGER[:5], 5), checkpoint(LEDGER))) == [(0, "Checkpoint")]


def test_what_waits_too_long_for_a_checkpoint_is_checked_and_named_in_the_order_of_the_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vouching, "TOGETHER", 4)
    ledger = records((*HONEST, *(vote(f"k8s.user{number}", result="refused") for number in range(6))))
    cut = with_checkpoint(ledger, checkpoint(ledger))
    report = quick(text(cut, 2, 7, 14))
    assert codes(report) == [(2, "Signature"), (7, "Signature")]
    assert report.covered == 3


def test_without_keys_no_checkpoint_vouches_for_anything() -> None:
    report = verify(text(LEDGER), kept=[checkpoint(LEDGER).text], every_signature=False)
    assert (report.ok, report.signed, report.covered) == (True, False, 0)
