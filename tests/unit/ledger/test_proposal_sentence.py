"""A proposal names its resource in words that a line can be folded between."""

from __future__ import annotations

import pytest
from tests.support.ledger_lines import START, entry

from finops.domain.audit import GENESIS_HASH, Record, RecordKind
from finops.ledger.sentences import sentence_of

VOLUME = "arn:aws:ec2:eu-central-1:111111111111:volume/vol-0a237a391981de4d7"


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (VOLUME, "volume/vol-0a237a391981de4d7 in 111111111111 eu-central-1"),
        ("arn:aws:logs:us-east-1:111111111111:log-group:/app:x", "log-group:/app:x in 111111111111 us-east-1"),
        ("arn:aws:s3:::our-archive", "our-archive"),
        ("vol-0a237a391981de4d7", "vol-0a237a391981de4d7"),
    ],
)
def test_an_arn_is_said_as_resource_account_and_region(resource: str, said: str) -> None:
    proposal = entry(
        "proposed", RecordKind.PROPOSED, result="proposed", detail={"monthlySavings": "11.90", "resource": resource}
    )
    found = sentence_of(Record(1, GENESIS_HASH, START, 1, proposal))

    assert found.detail == f"Saves 11.90 USD a month, {said}"
