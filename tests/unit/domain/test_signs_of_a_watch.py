"""The verdict over the signs that were read after an act: what is unknown never counts as well."""

from __future__ import annotations

import pytest

from finops.domain.watching import Health, Sign, reason, signs_to_json, verdict

WELL = Sign("status checks", Health.WELL, "Its status checks pass.")
WORSE = Sign("CPU", Health.WORSE, "Its CPU is full.")
UNKNOWN = Sign("alarm", Health.UNKNOWN, "There is no such alarm.")


@pytest.mark.parametrize(
    ("signs", "expected", "words"),
    [
        ((WELL,), Health.WELL, "Its status checks pass."),
        ((WELL, UNKNOWN), Health.UNKNOWN, "There is no such alarm."),
        ((WELL, UNKNOWN, WORSE), Health.WORSE, "Its CPU is full."),
        ((UNKNOWN,), Health.UNKNOWN, "There is no such alarm."),
        ((), Health.UNKNOWN, "Nothing was read."),
    ],
    ids=["all well", "one unknown", "one worse", "only unknown", "nothing read"],
)
def test_one_bad_sign_is_worse_and_well_needs_every_sign(signs: tuple[Sign, ...], expected: Health, words: str) -> None:
    assert (verdict(signs), reason(signs)) == (expected, words)


def test_the_ledger_names_every_sign() -> None:
    assert signs_to_json((WELL, WORSE)) == {"status checks": "well", "CPU": "worse"}
