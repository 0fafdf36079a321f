"""The ledger in S3 under Object Lock: what stays there whoever owns the store, and what a start finds."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.ledger_lines import records
from tests.support.locked_buckets import PREFIX, Buckets
from tests.support.witness import MemoryWitness

from finops.audit_verify import verify
from finops.domain.audit import Entry, RecordKind
from finops.errors import LedgerDiverged, LedgerUnavailable
from finops.ledger.bucket_sink import BucketSink
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.lines import line_of
from finops.store.connection import Store, open_ledger_connection
from finops.store.ledger import LedgerStream

RECORDS = records()
STARTED = Entry(
    "u1:started", "operator", RecordKind.OUTCOME, request="team-a/r/u1", result="started", plan_hash="sha256:p"
)
PUT = {"service": "s3", "action": "PutObject"}


def vote(name: str) -> Entry:
    return Entry(f"u1:{name}", "k8s.alice", RecordKind.VOTED, request="team-a/r/u1", result="refused")


@dataclass
class Estate:
    """A store, a bucket, and perhaps a file; operators come and go on them."""

    store: Store
    buckets: Buckets
    name: str
    path: Path | None = None
    witness: MemoryWitness = field(default_factory=MemoryWitness)
    passage: Callable[[str], None] = lambda _name: None

    def start(self) -> DurableLedger:
        ledger = open_ledger(
            self.store,
            self.path,
            keys=KEYS,
            clock=FakeClock(),
            fence=lambda: 1,
            witness=self.witness,
            passage=self.passage,
            bucket=self.buckets.bucket(self.name),
        )
        self.buckets.made += [one for one in ledger._sinks.kept if isinstance(one, BucketSink)]
        ledger.start()
        return ledger

    def lines(self) -> list[bytes]:
        return self.buckets.content(self.name).splitlines(keepends=True)

    def stream(self) -> list[bytes]:
        return [line_of(one) for one in LedgerStream(self.store, KEYS.check).read()]

    def agree(self) -> bool:
        return verify(self.lines(), keys=PUBLIC_KEYS).ok and self.lines() == self.stream()


@pytest.fixture
def estate(valkey_url: str, buckets: Buckets) -> Iterator[Estate]:
    store = open_ledger_connection(valkey_url, prefix=f"s3-{uuid.uuid4().hex}:")
    yield Estate(store, buckets, buckets.make())
    store.client.close()


@pytest.fixture
def beside(estate: Estate, tmp_path: Path) -> Estate:
    """The same with a file, so that the bucket is a third sink."""
    estate.path = tmp_path / "ledger.jsonl"
    return estate


def test_objects_are_locked_sorted_by_number_and_an_export_one_after_the_other(estate: Estate) -> None:
    ledger = estate.start()
    for number in range(4):
        ledger.append(vote(str(number)))
    keys = estate.buckets.keys(estate.name)
    assert keys == [f"{PREFIX}{number:012d}.jsonl" for number in range(1, 5)]
    mode, period = estate.buckets.retention(estate.name, keys[0])
    assert mode == "COMPLIANCE"
    assert timedelta(days=29) < period <= timedelta(days=30)
    assert estate.agree()


def test_an_act_needs_a_sink_and_the_bucket_is_one(estate: Estate) -> None:
    ledger = estate.start()
    assert ledger.has_second_sink
    ledger.append(STARTED)
    assert len(estate.lines()) == 1


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "http_error", "throttle", "deny"])
def test_a_record_whose_write_failed_or_was_not_answered_is_there_once_after_the_next_try(
    estate: Estate, kind: str
) -> None:
    ledger = estate.start()
    ledger.append(vote("first"))
    estate.buckets.double.control.inject({"kind": kind, **PUT, "count": 1})
    with pytest.raises(LedgerUnavailable):
        ledger.append(vote("second"))
    assert ledger.append(vote("second")).sequence == 2
    ledger.append(vote("third"))
    assert len(estate.lines()) == 3
    assert estate.agree()


class Killed(BaseException):
    """The process ends here."""


def test_a_kill_after_the_stream_has_a_record_leaves_no_gap(estate: Estate) -> None:
    estate.start().append(vote("before"))

    def kill(name: str) -> None:
        if name == "ledger.voted.after-stream":
            raise Killed

    estate.passage = kill
    with pytest.raises(Killed):
        estate.start().append(vote("killed"))
    assert b"u1:killed" not in b"".join(estate.lines())
    estate.passage = lambda _name: None
    estate.start().append(vote("after"))
    assert b"u1:killed" in b"".join(estate.lines())
    assert estate.agree()


def test_a_kill_after_the_object_was_written_is_no_divergence(estate: Estate) -> None:
    first = estate.start()
    estate.buckets.double.control.inject({"kind": "drop_after", **PUT, "count": 1})
    with pytest.raises(LedgerUnavailable):
        first.append(vote("killed"))
    assert len(estate.lines()) == 1
    estate.start().append(vote("after"))
    assert estate.agree()


def test_two_writers_that_cut_one_stream_into_other_objects_never_overlap(buckets: Buckets) -> None:
    name = buckets.make()
    one, other, third = buckets.sink(name), buckets.sink(name), buckets.sink(name)
    one.append(*RECORDS[:2])
    other.append(*RECORDS[:5])
    assert [int(key[-18:-6]) for key in buckets.keys(name)] == [1, 3]
    with pytest.raises(LedgerUnavailable, match="another process"):
        third.append(RECORDS[0])
    third.append(*RECORDS)
    assert buckets.content(name) == b"".join(map(line_of, RECORDS))


def test_an_object_of_somebody_else_is_found_and_not_written_over(buckets: Buckets) -> None:
    name = buckets.make()
    sink = buckets.sink(name)
    sink.append(*RECORDS[:2])
    buckets.s3.put_object(Bucket=name, Key=f"{PREFIX}{3:012d}.jsonl", Body=line_of(RECORDS[0]))
    with pytest.raises(LedgerDiverged, match="somebody else"):
        sink.append(*RECORDS)
    assert buckets.content(name).endswith(line_of(RECORDS[0]))


def test_what_was_written_is_deleted_by_nobody_before_its_time(estate: Estate) -> None:
    estate.start().append(vote("kept"))
    s3, key = estate.buckets.s3, estate.buckets.keys(estate.name)[0]
    there = {"Bucket": estate.name, "Key": key}
    version = s3.head_object(**there)["VersionId"]
    soon = datetime.now(UTC) + timedelta(minutes=1)
    attempts: list[Callable[[], Any]] = [
        lambda: s3.delete_object(**there, VersionId=version),
        lambda: s3.delete_object(**there, VersionId=version, BypassGovernanceRetention=True),
        lambda: s3.put_object(**there, Body=b"{}", IfNoneMatch="*"),
        *(
            lambda mode=mode: s3.put_object_retention(
                **there, VersionId=version, Retention={"Mode": mode, "RetainUntilDate": soon}
            )
            for mode in ("COMPLIANCE", "GOVERNANCE")
        ),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match=r"AccessDenied|PreconditionFailed"):
            attempt()
    assert estate.agree()


def test_the_operator_itself_may_neither_delete_nor_unlock(estate: Estate) -> None:
    estate.start().append(vote("kept"))
    own, key = estate.buckets.double.client("s3"), estate.buckets.keys(estate.name)[0]
    attempts: list[Callable[[], Any]] = [
        lambda: own.delete_object(Bucket=estate.name, Key=key),
        lambda: own.put_object_lock_configuration(Bucket=estate.name, ObjectLockConfiguration={}),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()


@pytest.mark.parametrize("how", ["delete", "overwrite"])
def test_an_object_that_was_deleted_or_written_again_is_found_at_the_start(estate: Estate, how: str) -> None:
    ledger = estate.start()
    for number in range(3):
        ledger.append(vote(str(number)))
    key = estate.buckets.keys(estate.name)[1]
    if how == "delete":
        estate.buckets.s3.delete_object(Bucket=estate.name, Key=key)
    else:
        estate.buckets.s3.put_object(Bucket=estate.name, Key=key, Body=line_of(RECORDS[0]))
    with pytest.raises(LedgerDiverged, match="written again or deleted"):
        estate.start()


def test_an_object_behind_the_picture_that_was_touched_is_found_in_the_background(estate: Estate) -> None:
    ledger = estate.start()
    for number in range(3):
        ledger.append(vote(str(number)))
    ledger.keep_anchor(at_once=True)
    estate.buckets.s3.delete_object(Bucket=estate.name, Key=estate.buckets.keys(estate.name)[0])
    ledger = estate.start()
    ledger.keep_anchor(at_once=True)
    with pytest.raises(LedgerDiverged, match="deleted"):
        ledger.keep_anchor()
    with pytest.raises(LedgerDiverged):
        ledger.append(vote("next"))


def test_a_start_reads_only_what_came_since_the_picture(estate: Estate) -> None:
    ledger = estate.start()
    for number in range(20):
        ledger.append(vote(str(number)))
    ledger.keep_anchor(at_once=True)
    before = estate.buckets.double.counts["s3:GetObject"]
    ledger = estate.start()
    read = estate.buckets.double.counts["s3:GetObject"] - before
    assert read < 5, "the object of the picture, twice, and what was recorded since"
    ledger.append(vote("next"))
    while not ledger._sinks.pictures.verified:
        ledger.keep_anchor()
    assert ledger.problem == ""
    assert estate.agree()


def test_a_store_that_came_back_with_less_than_the_bucket_is_found(estate: Estate) -> None:
    ledger = estate.start()
    for number in range(4):
        ledger.append(vote(str(number)))
    estate.store.client.flushdb()
    with pytest.raises(LedgerDiverged, match="the ledger's bucket ends at record 4, its stream at 0"):
        estate.start()
    assert verify(estate.lines(), keys=PUBLIC_KEYS, expected_records=4).ok, "the store's owner made it forget nothing"


def test_a_bucket_that_was_exchanged_is_found_by_the_anchor(estate: Estate) -> None:
    ledger = estate.start()
    ledger.append(vote("kept"))
    ledger.keep_anchor(at_once=True)
    estate.name = estate.buckets.make()
    with pytest.raises(LedgerDiverged, match="the ledger's bucket ends at record 0, but had"):
        estate.start()


def test_a_bucket_that_is_added_to_a_file_gets_all_records_in_few_objects(beside: Estate) -> None:
    assert beside.path is not None
    earlier = open_ledger(
        beside.store, beside.path, keys=KEYS, clock=FakeClock(), fence=lambda: 1, witness=beside.witness
    )
    earlier.start()
    for number in range(40):
        earlier.append(vote(str(number)))
    earlier.keep_anchor(at_once=True)
    beside.start()
    assert len(beside.buckets.keys(beside.name)) <= 2
    assert beside.lines() == beside.path.read_bytes().splitlines(keepends=True)


def test_beside_a_file_only_the_begin_of_an_act_waits_for_the_bucket(beside: Estate) -> None:
    ledger = beside.start()
    ledger.append(vote("one"))
    ledger.append(vote("two"))
    assert beside.buckets.keys(beside.name) == []
    ledger.append(STARTED)
    assert len(beside.lines()) == 3
    assert len(beside.buckets.keys(beside.name)) == 2, "what waited is one object, the begin of the act another"
    ledger.append(vote("three"))
    ledger.keep_anchor()
    assert len(beside.lines()) >= 4


def test_beside_a_file_a_bucket_that_does_not_answer_keeps_acts_from_beginning_and_from_being_shown_as_ended(
    beside: Estate,
) -> None:
    ledger = beside.start()
    fault = beside.buckets.double.control.inject({"kind": "http_error", "status": 503, **PUT})
    ledger.append(vote("counted"))
    with pytest.raises(LedgerUnavailable):
        ledger.append(STARTED)
    with pytest.raises(LedgerUnavailable):
        ledger.tree_head()
    with pytest.raises(LedgerUnavailable):
        ledger.keep_anchor(at_once=True)
    assert beside.witness.read().checkpoints == {}
    beside.buckets.double.control.faults.remove(fault)
    assert ledger.append(STARTED).sequence == 2
    assert ledger.tree_head().size == 2
    assert beside.lines() == beside.stream()


def test_a_file_that_was_cut_is_found_beside_a_bucket(beside: Estate) -> None:
    ledger = beside.start()
    for number in range(4):
        ledger.append(vote(str(number)))
    ledger.keep_anchor(at_once=True)
    assert beside.path is not None
    lines = beside.path.read_bytes().splitlines(keepends=True)
    beside.path.write_bytes(b"".join(lines[:2]))
    with pytest.raises(LedgerDiverged, match="the ledger's file ends at record 2, but had"):
        beside.start()


@pytest.mark.parametrize(
    ("bucket", "days", "code", "sentence"),
    [
        ({"locked": False}, 30, "ObjectLockOff", "Object Lock .* is off"),
        ({}, 0, "NoRetention", "for how long"),
    ],
)
def test_a_bucket_that_would_lock_nothing_is_refused(
    buckets: Buckets, bucket: dict[str, Any], days: int, code: str, sentence: str
) -> None:
    with pytest.raises(LedgerUnavailable, match=sentence) as refused:
        buckets.bucket(buckets.make(**bucket), days=days).check()
    assert refused.value.code == code


def test_the_default_retention_of_a_bucket_is_enough(buckets: Buckets) -> None:
    name = buckets.make(default_days=7)
    bucket = buckets.bucket(name, days=0)
    bucket.check()
    assert bucket.put("000000000001.jsonl", b"{}\n")
    assert buckets.retention(name, f"{PREFIX}000000000001.jsonl")[0] == "GOVERNANCE"


def test_a_bucket_that_is_not_there_says_so(estate: Estate) -> None:
    estate.name = "ledger-not-there"
    with pytest.raises(LedgerUnavailable, match=r"bucket cannot be read.*does not exist"):
        estate.start()


def test_a_listing_of_many_pages_shows_each_object_once_with_all_that_happened_to_it(
    buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    name = buckets.make()
    bucket = buckets.bucket(name)
    names = [f"{number:012d}.jsonl" for number in range(1, 6)]
    for one in names:
        bucket.put(one, b"{}\n")
    first = bucket.find(names[1])
    assert first is not None
    there = {"Bucket": name, "Key": f"{PREFIX}{names[1]}"}
    buckets.s3.put_object(**there, Body=b"other")
    buckets.s3.delete_object(**there)
    found = list(bucket.stored())
    assert [(one.name, one.changes) for one in found] == [(one, 2 if one == names[1] else 0) for one in names]
    assert found[1].version == first.version
    assert bucket.read(found[1]) == b"{}\n"
    assert list(bucket.stored(first)) == found[2:]
