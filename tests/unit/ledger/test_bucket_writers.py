"""Whatever writers do to one bucket, and wherever they are killed: it holds each record once, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.ledger_lines import records

from finops.errors import AwsUnreachable, LedgerUnavailable
from finops.ledger.bucket_sink import BucketSink
from finops.ledger.lines import line_of
from finops.ports.bucket import Stored
from finops.ports.sink import Place

RECORDS = records()
EXPORT = b"".join(map(line_of, RECORDS))


@dataclass
class MemoryBucket:
    """Implements finops.ports.bucket.LockedBucket: writes what is not there, and may lose a request or its answer."""

    url: str = "s3://memory/"
    objects: dict[str, bytes] = field(default_factory=dict)
    fails: str = ""

    def check(self) -> None:
        return

    def put(self, name: str, content: bytes) -> bool:
        fails, self.fails = self.fails, ""
        if fails == "before":
            raise AwsUnreachable("no answer", operation="s3:PutObject")
        is_new = name not in self.objects
        if is_new:
            self.objects[name] = content
        if fails == "after":
            raise AwsUnreachable("no answer", operation="s3:PutObject")
        return is_new

    def stored(self, after: Stored | None = None) -> Iterator[Stored]:
        names = sorted(self.objects)
        return (Stored(one, "v1") for one in names if after is None or one > after.name)

    def find(self, name: str) -> Stored | None:
        return Stored(name, "v1") if name in self.objects else None

    def read(self, stored: Stored) -> bytes:
        return self.objects[stored.name]

    @property
    def content(self) -> bytes:
        return b"".join(self.objects[name] for name in sorted(self.objects))


def opened(bucket: MemoryBucket) -> BucketSink:
    sink = BucketSink(bucket)
    sink.open(lambda _sequence: None, lambda _record: None)
    return sink


steps = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(1, len(RECORDS)),
        st.sampled_from(["", "", "before", "after"]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(steps)
def test_writers_that_lose_answers_are_killed_and_come_back_leave_each_record_once(
    taken: list[tuple[int, int, str, bool]],
) -> None:
    bucket = MemoryBucket()
    writers = [opened(bucket) for _ in range(3)]
    try:
        for number, until, fails, again in taken:
            if again:
                writers[number].close()
                writers[number] = opened(bucket)
            bucket.fails = fails
            try:
                writers[number].append(*RECORDS[:until])
            except LedgerUnavailable:
                assert EXPORT.startswith(bucket.content)
                continue
            finally:
                bucket.fails = ""
            assert writers[number].sequence >= until
            assert EXPORT.startswith(bucket.content)
            assert bucket.content.count(b"\n") >= until
        for writer in writers:
            writer.append(*RECORDS)
            assert writer.sequence == len(RECORDS)
        assert bucket.content == EXPORT
    finally:
        for writer in writers:
            writer.close()


@given(st.lists(st.integers(1, len(RECORDS)), max_size=6), st.integers(0, len(RECORDS)))
@settings(deadline=None, max_examples=40)
def test_reading_goes_on_behind_any_place(cuts: list[int], sequence: int) -> None:
    bucket = MemoryBucket()
    sink = opened(bucket)
    try:
        for until in [*cuts, len(RECORDS)]:
            sink.append(*RECORDS[:until])
        places = {0: Place(), **{place.sequence: place for _, place in sink.after(Place())}}
        place = places[sequence]
        assert [one.sequence for one, _ in sink.after(place)] == list(range(sequence + 1, len(RECORDS) + 1))
        assert all(places[one.sequence] == where for one, where in sink.after(place))
        assert sink.place == places[len(RECORDS)]
    finally:
        sink.close()
