"""Up to which record the end of a ledger is known: what lies behind the last anchor may have been cut off."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.ledger_lines import STORY_OF_TWO_CALLS, lines

from finops.audit_verify import verify
from finops.audit_verify.merkle import Tree
from finops.ledger.checkpoint import Checkpoint

WHOLE = lines(STORY_OF_TWO_CALLS)


def hash_of(number: int) -> str:
    return str(json.loads(WHOLE[number - 1])["hash"])


def checkpoint(size: int) -> Checkpoint:
    tree = Tree()
    for number in range(1, size + 1):
        tree.add(hash_of(number))
    return Checkpoint(size, tree.root(size), hash_of(size), datetime.now(UTC), 2).signed_by(KEYS)


@pytest.mark.parametrize("left", [10, 7, 4])
def test_the_end_is_known_up_to_the_record_that_a_kept_checkpoint_covers(left: int) -> None:
    report = verify(WHOLE[:left], keys=PUBLIC_KEYS, kept=[checkpoint(4).text])
    assert report.ok
    assert (report.records, report.end_known) == (left, 4)


def test_a_noted_line_and_an_expected_hash_say_it_too_and_the_farthest_counts() -> None:
    noted = f"Ledger checkpoint 6 · sha256:{checkpoint(6).root}"
    assert verify(WHOLE, keys=PUBLIC_KEYS, kept=[noted, checkpoint(4).text]).end_known == 6
    assert verify(WHOLE, keys=PUBLIC_KEYS, expected_head=hash_of(8), kept=[noted]).end_known == 8
    assert verify(WHOLE, keys=PUBLIC_KEYS, expected_records=9).end_known == 9


def test_what_does_not_hold_makes_no_end_known() -> None:
    assert verify(WHOLE, keys=PUBLIC_KEYS).end_known == 0
    for kept in (checkpoint(10).text, f"Ledger checkpoint 10 · sha256:{checkpoint(10).root}", "{}"):
        assert verify(WHOLE[:7], keys=PUBLIC_KEYS, kept=[kept]).end_known == 0
    assert verify(WHOLE[:7], keys=PUBLIC_KEYS, expected_head=hash_of(8)).end_known == 0
