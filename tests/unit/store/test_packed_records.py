"""A run of records is read as it was written, whatever stands in it, and nothing else is taken for one."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.canonical import canonical_json
from finops.errors import LedgerDiverged
from finops.ledger.durable import LARGEST_RECORD
from finops.store.packed_records import first_of, packed, unpacked

RUN = 4
# Also lone surrogates and line ends: what people write is kept as it came.
TEXTS = st.text(max_size=20) | st.sampled_from(["\ud800", "\ud83d\ude00", "\u2028", '"', "\\", "\x00", "é́"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.builds(
    Entry,
    operation_id=TEXTS,
    actor=TEXTS,
    kind=st.sampled_from(RecordKind),
    request=TEXTS,
    step=TEXTS,
    attempt=st.integers(0, 9),
    plan_hash=TEXTS,
    result=TEXTS,
    detail=st.dictionaries(TEXTS, JSON, max_size=3),
)


@pytest.fixture(autouse=True, scope="module")
def short_runs() -> object:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("finops.store.packed_records.RECORDS", RUN)
        yield


def chain(entries: Sequence[Entry], first: int = 1) -> tuple[Record, ...]:
    records: list[Record] = []
    previous = GENESIS_HASH
    for number, entry in enumerate(entries):
        time = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(microseconds=number)
        records.append(Record(first + number, previous, time, 3, entry, key="k", signature=f"{number:0128x}"))
        previous = records[-1].hash
    return tuple(records)


@given(entries=st.lists(ENTRIES, min_size=RUN, max_size=RUN), runs=st.integers(0, 10**6))
def test_any_run_is_read_as_it_was_written(entries: list[Entry], runs: int) -> None:
    first = runs * RUN + 1
    records = chain(entries, first)
    content = packed(records)
    assert content is not None
    read = unpacked(content, first)
    assert read == records
    assert [one.hash for one in read] == [one.hash for one in records]
    assert {first_of(one.sequence) for one in records} == {first}


def largest(sign: str) -> tuple[Record, ...]:
    """Return a run of which each record is about as large as the ledger takes one, all of one sign."""
    one = len(canonical_json(sign)) - 2
    entry = Entry("o", "a", RecordKind.VOTED, detail={"text": sign * ((LARGEST_RECORD - 1_000) // one)})
    records = chain([entry] * RUN)
    assert LARGEST_RECORD - 2_000 < len(canonical_json(records[0].to_json())) <= LARGEST_RECORD
    return records


@pytest.mark.parametrize("sign", ["x", "é", "語", "😀", "\ud800", "\x01", "\\", '"', "\u2028"], ids=ascii)
def test_a_run_of_the_largest_records_is_packed_whatever_they_are_made_of(
    sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops.store.packed_records.LONGEST", RUN * 300_000)
    records = largest(sign)
    content = packed(records)
    assert content is not None
    assert unpacked(content, 1) == records


def test_a_run_that_is_too_long_to_be_read_again_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    records = plain()
    content = packed(records)
    assert content is not None
    length = len(zlib.decompress(content))
    monkeypatch.setattr("finops.store.packed_records.LONGEST", length)
    assert packed(records) == content
    assert unpacked(content, 1) == records
    monkeypatch.setattr("finops.store.packed_records.LONGEST", length - 1)
    assert packed(records) is None
    with pytest.raises(LedgerDiverged, match="far too long"):
        unpacked(content, 1)


def run_of(records: tuple[Record, ...]) -> bytes:
    content = packed(records)
    assert content is not None
    return content


def plain(count: int = RUN, first: int = 1) -> tuple[Record, ...]:
    return chain([Entry(f"o{number}", "a", RecordKind.VOTED) for number in range(count)], first)


@pytest.mark.parametrize(
    "records",
    [(), plain(RUN - 1), plain(RUN + 1), plain(first=2), (*plain()[:2], *plain()[3:], plain()[2])],
    ids=["none", "too few", "too many", "not at the beginning of a run", "out of order"],
)
def test_what_is_no_whole_run_is_not_packed(records: tuple[Record, ...]) -> None:
    with pytest.raises(LedgerDiverged, match="cannot be packed"):
        packed(records)


def test_records_that_do_not_continue_each_other_are_not_packed() -> None:
    other = chain([Entry("other", "a", RecordKind.VOTED)] * RUN)
    with pytest.raises(LedgerDiverged, match="does not continue the chain"):
        packed((*plain()[:2], *other[2:]))


@given(content=st.binary(max_size=200))
def test_no_bytes_at_all_are_read_as_something_else_than_a_run(content: bytes) -> None:
    with pytest.raises(LedgerDiverged):
        unpacked(content, 1)


@given(at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_run_with_one_bit_changed_is_refused_or_means_the_same(at: int, bit: int) -> None:
    content = bytearray(run_of(plain()))
    content[at % len(content)] ^= 1 << bit
    try:
        read = unpacked(bytes(content), 1)
    except LedgerDiverged:
        return
    assert [one.hash for one in read] == [one.hash for one in plain()]


def test_a_run_in_the_place_of_another_is_refused() -> None:
    with pytest.raises(LedgerDiverged, match="not those that were packed"):
        unpacked(run_of(plain(first=RUN + 1)), 1)
