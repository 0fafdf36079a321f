"""A ledger of 1,000,000 records is verified in a minute by its checkpoints; by every signature on four processors.

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
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.ledger.checkpoint import Checkpoint
from finops.ledger.lines import line_of
from finops.ledger.merkle import Growing

RECORDS = int(os.environ.get("FINOPS_BENCH_RECORDS", "100000"))
WANTED_PER_SECOND = 1_000_000 / 60
WANTED_PROCESSORS = 4
EVERY = 100
MOST_HELD = 200_000_000
"""Bytes by which the process may grow, however many records it verifies."""


def honest(count: int) -> Iterator[bytes]:
    """Yield the lines of a ledger in which one request after the other was voted, carried out and verified.

    As the operator does, it records a checkpoint about once in a hundred records.
    """
    tree, previous = Growing(), GENESIS_HASH

    def made(entry: Entry, before: int = 0) -> Record:
        nonlocal previous
        time_ = START + timedelta(milliseconds=tree.size)
        record = KEYS.sign(Record(tree.size + 1, previous, time_, 1, entry, request_previous=before))
        previous = record.hash
        tree.add(bytes.fromhex(record.hash))
        return record

    while tree.size < count:
        uid, before = f"u{tree.size}", 0
        for one in HONEST:
            name = f"team-a/savings-{uid}/"
            under_name = one.result == "intent"
            request = name if under_name else f"{name}{uid}"
            named = replace(one, operation_id=one.operation_id.replace("u1:", f"{uid}:", 1), request=request)
            record = made(named, before)
            before = 0 if under_name else record.sequence
            yield line_of(record)
        if tree.size % EVERY < len(HONEST):
            covering = Checkpoint(tree.size, tree.root().hex(), previous, START, 2).signed_by(KEYS)
            entry = Entry(f"checkpoint:{tree.size}", "operator", RecordKind.CHECKPOINT, detail=covering.to_json())
            yield line_of(made(entry))


def measured(export: Path, *, every_signature: bool, processes: int = 0) -> float:
    """Verify an intact export, print figures, and return how many records that was a second."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, worked = time.perf_counter(), _worked()
    with export.open("rb") as file:
        report = verify(file, keys=PUBLIC_KEYS, every_signature=every_signature, processes=processes)
    seconds, worked = time.perf_counter() - began, _worked() - worked
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) * 1024
    print(
        f"{report.records:,} records, {report.covered:,} of them by checkpoint, verified in {seconds:.1f} s "
        f"with {processes} further processes: "
        f"{report.records / seconds:,.0f} a second, {report.records / worked:,.0f} for each second of a processor; "
        f"{grown / 1e6:,.0f} MB more held"
    )
    assert report.ok
    assert grown <= MOST_HELD
    # Behind the last checkpoint each signature is checked on its own.
    assert report.records - report.covered <= (report.records if every_signature else 2 * EVERY)
    return report.records / seconds


def _worked() -> float:
    """Return the seconds of processors that this process and those that it started have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("verify") / "ledger.jsonl"
    with made.open("wb") as file:
        file.writelines(honest(RECORDS))
    return made


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("processes", [0, 2])
def test_records_that_checkpoints_cover_are_verified_at_the_rate_of_a_million_a_minute(
    export: Path, processes: int
) -> None:
    assert measured(export, every_signature=False, processes=processes) >= WANTED_PER_SECOND


@pytest.mark.timeout(1_800)
def test_every_signature_is_verified_at_that_rate_on_four_processors(export: Path) -> None:
    processors = os.cpu_count() or 1
    rate = measured(export, every_signature=True, processes=2)
    assert rate >= WANTED_PER_SECOND * min(1.0, processors / WANTED_PROCESSORS)
