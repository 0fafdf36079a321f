"""A harmless duplicate in the ledger is corrected by a record; contradictions and other edits are not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.ledger_lines import HONEST, lines, outcome, records

from finops.audit_verify import verify
from finops_operator.acts.corrections import Duplicates, correction

TWICE = (*HONEST, outcome(name="settled", result="recovered"))


def test_a_repeated_outcome_is_a_problem_until_a_record_corrects_it() -> None:
    """A duplicate is repaired by a correction record."""
    assert [problem.code for problem in verify(lines(TWICE)).problems] == ["Duplicate"]
    found = Duplicates()
    for record in records(TWICE):
        found.see(record)
    (duplicate,) = found.found.values()

    assert duplicate.sequence == len(TWICE)
    corrected = (*TWICE, correction(duplicate))
    assert verify(lines(corrected)).ok
    again = Duplicates()
    for record in records(corrected):
        again.see(record)
    assert again.found == {}


def test_an_outcome_that_contradicts_the_first_one_is_not_corrected() -> None:
    contradicting = (*HONEST, outcome(name="settled", result="absent"))
    found = Duplicates()
    for record in records(contradicting):
        found.see(record)

    assert found.found == {}
    assert [problem.code for problem in verify(lines(contradicting)).problems] == ["Pairing"]
    forced = (*contradicting, correction(records(contradicting)[-1]))
    assert {problem.code for problem in verify(lines(forced)).problems} == {"Pairing", "Correction"}


@pytest.mark.parametrize("position", [4, 5, 6])
def test_a_correction_voids_nothing_but_a_repeated_outcome(position: int) -> None:
    entries = (*HONEST, correction(records()[position]))
    assert [problem.code for problem in verify(lines(entries)).problems] == ["Correction"]


def test_a_correction_names_the_record_by_its_hash_too() -> None:
    right = correction(records(TWICE)[-1])
    wrong = replace(right, detail={**right.detail, "hash": "0" * 64})
    assert {problem.code for problem in verify(lines((*TWICE, wrong))).problems} == {"Duplicate", "Correction"}
