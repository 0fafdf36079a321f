"""What the ledger says of a saving: what lasts is saved every month, what AWS undoes by itself once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.support.ledger_lines import entry

from finops.domain.audit import GENESIS_HASH, Record, RecordKind
from finops.domain.canonical import Json
from finops.ledger.sentences import sentence_of

_SAVES: dict[str, Json] = {"monthlySavings": "28.73"}


@pytest.mark.parametrize(
    ("kind", "result", "detail", "lasting", "once"),
    [
        (RecordKind.PROPOSED, "intent", _SAVES, "Saves 28.73 USD a month", "Saves 28.73 USD once, in at most 7 days"),
        (
            RecordKind.VERIFIED,
            "Succeeded",
            _SAVES,
            "Saves 28.73 USD a month from here on. ",
            "Saves 28.73 USD once, in at most 7 days. ",
        ),
        (
            RecordKind.OUTCOME,
            "started",
            {"estimate": _SAVES},
            "Expected to save 28.73 USD a month",
            "Expected to save 28.73 USD once, in at most 7 days",
        ),
    ],
)
def test_a_saving_says_how_often_it_comes(
    kind: RecordKind, result: str, detail: dict[str, Json], lasting: str, once: str
) -> None:
    limited: dict[str, Json] = {**_SAVES, "lastsDays": "7"}
    changed: dict[str, Json] = {"estimate": limited} if "estimate" in detail else limited
    for written, said in ((detail, lasting), (changed, once)):
        record = Record(
            1, GENESIS_HASH, datetime(2026, 3, 1, tzinfo=UTC), 1, entry("one", kind, result=result, detail=written)
        )
        assert sentence_of(record).detail == said
