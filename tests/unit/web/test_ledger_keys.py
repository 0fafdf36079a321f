"""The dashboard checks the ledger with the present public key and with those that it replaced."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.ledger_lines import HONEST, lines

from finops.audit_verify import verify
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.errors import InvalidInput
from finops.ledger.lines import line_of, record_of
from finops.ledger.signing import Keyring, new_private_key, public_key_of
from finops.settings import Settings, from_environment
from finops_web.__main__ import _ledger_keys

OLD, NEW = new_private_key(), new_private_key()


def rotated() -> list[bytes]:
    """Return a ledger whose key was replaced after its first act."""
    old, new = Keyring.of(OLD), Keyring.of(NEW)
    written: list[Record] = []
    for line in lines(HONEST):
        one = record_of(line.encode())
        before = written[-1].hash if written else GENESIS_HASH
        written.append(old.sign(replace(one, previous_hash=before)))
    last = written[-1]
    changed = Entry("key:2", "operator", RecordKind.KEY_CHANGED, detail={"from": old.key, "to": new.key})
    written.append(new.sign(Record(last.sequence + 1, last.hash, last.time, last.fence, changed)))
    return [line_of(one) for one in written]


def settings(**given: str) -> Settings:
    return from_environment({f"FINOPS_LEDGER_{name.upper()}": value for name, value in given.items()})


def test_records_from_before_the_key_was_replaced_are_checked_by_the_key_that_signed_them() -> None:
    keys = _ledger_keys(settings(public_key=public_key_of(NEW), trusted_keys=public_key_of(OLD)))
    assert keys is not None
    assert keys.newest == Keyring.of(NEW).key
    report = verify(rotated(), keys=keys)
    assert (report.ok, report.warnings, report.signed) == (True, (), True), report.problems


def test_without_the_replaced_key_the_older_records_are_by_nobody_that_is_known() -> None:
    keys = _ledger_keys(settings(public_key=public_key_of(NEW)))
    assert {one.code for one in verify(rotated(), keys=keys).problems} == {"Signature"}


def test_a_text_that_holds_no_key_is_refused_and_none_leaves_signatures_unchecked() -> None:
    assert _ledger_keys(settings()) is None
    with pytest.raises(InvalidInput, match="no public key"):
        _ledger_keys(settings(public_key="no key"))
