"""What a policy's terms say is expected of the cost is counted in words."""

from __future__ import annotations

import pytest
from tests.support.ledger_lines import START, entry

from finops.domain.audit import GENESIS_HASH, Record, RecordKind
from finops.domain.canonical import Json
from finops.ledger.sentences import sentence_of


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({}, "Generation 3"),
        ({"expected": [{}]}, "Generation 3, 1 expected change of cost alerts nobody"),
        ({"expected": [{}, {}]}, "Generation 3, 2 expected changes of cost alert nobody"),
    ],
)
def test_how_many_changes_of_cost_alert_nobody_is_said_in_the_singular_and_the_plural(
    expected: dict[str, Json], said: str
) -> None:
    noted = entry("policy", RecordKind.POLICY_CHANGED, result="changed", detail={"generation": 3, **expected})

    assert sentence_of(Record(1, GENESIS_HASH, START, 1, noted)).detail == said
