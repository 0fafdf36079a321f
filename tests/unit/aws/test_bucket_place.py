"""Which bucket an address names."""

from __future__ import annotations

import pytest

from finops.errors import InvalidInput
from finops_operator.aws.bucket_place import bucket_and_prefix


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://the-ledger", ("the-ledger", "")),
        ("s3://the-ledger/", ("the-ledger", "")),
        ("s3://the.ledger/east/finops", ("the.ledger", "east/finops/")),
        ("s3://the-ledger/east/finops/", ("the-ledger", "east/finops/")),
    ],
)
def test_a_bucket_and_its_folder_are_read_with_or_without_a_slash_at_the_end(
    address: str, expected: tuple[str, str]
) -> None:
    assert bucket_and_prefix(address, "--from") == expected


@pytest.mark.parametrize(
    "address",
    ["", "the-ledger", "file:///the-ledger", "s3://", "s3:///x", "s3://ab", "s3://The-Ledger/x", "s3://the_ledger"],
)
def test_what_is_no_name_of_a_bucket_is_refused_before_aws_is_asked(address: str) -> None:
    with pytest.raises(InvalidInput, match="is no address of a bucket") as caught:
        bucket_and_prefix(address, "--from")
    assert caught.value.field == "--from"
