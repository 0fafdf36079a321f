"""A ledger of 1,000,000 records is verified with its signatures in a minute, on four processors or more.

By default fewer records are measured: FINOPS_BENCH_RECORDS=1000000 measures them all, which takes some minutes
until the ledger to verify is made.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.ledger_lines import HONEST, START

from finops.audit_verify import verify
from finops.domain.audit import GENESIS_HASH, Record
from finops.ledger.file_sink import line_of

RECORDS = int(os.environ.get("FINOPS_BENCH_RECORDS", "100000"))
WANTED_PER_SECOND = 1_000_000 / 60
WANTED_PROCESSORS = 4
BYTES_EACH = 2_000
"""What the process may hold of each record: 2 GB of a million."""


def honest(count: int) -> Iterator[bytes]:
    """Yield the lines of a ledger in which one request after the other was voted, carried out and verified."""
    previous, sequence = GENESIS_HASH, 0
    while sequence < count:
        uid, before = f"u{sequence}", 0
        for one in HONEST:
            sequence += 1
            named = replace(
                one,
                operation_id=one.operation_id.replace("u1:", f"{uid}:", 1),
                request=f"team-a/savings/{uid}",
            )
            time_ = START + timedelta(seconds=sequence % 3_600)
            record = KEYS.sign(Record(sequence, previous, time_, 1, named, request_previous=before))
            before, previous = sequence, record.hash
            yield line_of(record)


@pytest.mark.timeout(1_800)
def test_records_are_verified_at_the_rate_of_a_million_a_minute(tmp_path: Path) -> None:
    export = tmp_path / "ledger.jsonl"
    with export.open("wb") as file:
        file.writelines(honest(RECORDS))
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, worked = time.perf_counter(), time.process_time()
    with export.open("rb") as file:
        report = verify(file, keys=PUBLIC_KEYS)
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) * 1024
    processors = os.cpu_count() or 1
    rate = report.records / seconds
    print(
        f"{report.records:,} records verified in {seconds:.1f} s: {rate:,.0f} a second on {processors} processors, "
        f"{report.records / worked:,.0f} for each second of one; {grown / report.records:,.0f} bytes held of each"
    )
    assert report.ok
    assert grown <= BYTES_EACH * report.records
    assert rate >= WANTED_PER_SECOND * min(1.0, processors / WANTED_PROCESSORS)
