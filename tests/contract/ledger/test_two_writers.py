"""Two processes that write one file of the ledger: a former holder that stood still takes nothing away.

The former holder is a process of its own, which stops inside its write until it is allowed on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.ledger_lines import records
from tests.support.processes import eventually

from finops.domain.audit import Record
from finops.errors import LedgerDiverged, LedgerUnavailable
from finops.ledger.file_sink import FileSink
from finops.ledger.lines import line_of

RECORDS = records()
_FORMER = """
import sys, time
from pathlib import Path
from tests.support.ledger_lines import records
from finops.ledger import file_sink

path, stops = Path(sys.argv[1]), sys.argv[2]
write_all = file_sink._write_all

def stand_still():
    path.with_name("stands").touch()
    while not path.with_name("goes on").exists():
        time.sleep(0.02)

def slow(descriptor, line, offset):
    if stops == "before":
        stand_still()
    if stops == "halfway":
        write_all(descriptor, line[:40], offset)
        stand_still()
    write_all(descriptor, line, offset)
    if stops == "after":
        stand_still()

sink = file_sink.FileSink(path, timeout_seconds=60)
sink.open(lambda _: None, lambda _: None)
file_sink._write_all = slow
sink.append(records()[1])
print("written")
"""


class Former:
    """A process that holds still inside its write of the second record."""

    def __init__(self, path: Path, stops: str) -> None:
        self.path = path
        self.process = subprocess.Popen(
            [sys.executable, "-c", _FORMER, str(path), stops],
            cwd=Path(__file__).parents[3],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert eventually(path.with_name("stands").exists, 60), self.process.poll()

    def go_on(self) -> str:
        """Let it end; return what it printed."""
        self.path.with_name("goes on").touch()
        return self.process.communicate(timeout=60)[0]

    def close(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "ledger.jsonl"
    sink = opened(found)
    sink.append(RECORDS[0])
    sink.close()
    return found


@pytest.fixture(params=["before", "halfway", "after"])
def former(request: pytest.FixtureRequest, path: Path) -> Iterator[Former]:
    one = Former(path, request.param)
    yield one
    one.close()


def opened(path: Path, seconds: float = 5.0) -> FileSink:
    sink = FileSink(path, timeout_seconds=seconds)
    sink.open(lambda number: line_of(RECORDS[number - 1]), lambda _record: None)
    return sink


def append(path: Path, *several: Record, seconds: float = 5.0) -> bool:
    """Take the file over as a successor does, and write; return whether all is durable."""
    sink = None
    try:
        sink = opened(path, seconds)
        sink.append(*several)
    except LedgerUnavailable:
        return False
    finally:
        if sink is not None:
            sink.close()
    return True


def test_a_successor_writes_nothing_while_the_former_holder_stands_in_its_write_and_loses_nothing_after(
    former: Former, path: Path
) -> None:
    assert not append(path, *RECORDS[1:3], seconds=0.5)
    assert former.go_on() == "written\n"
    assert eventually(lambda: append(path, *RECORDS[1:3]), 10)
    assert path.read_bytes() == b"".join(map(line_of, RECORDS[:3]))


def test_what_a_killed_writer_held_is_free_and_what_it_began_is_ended(former: Former, path: Path) -> None:
    former.process.kill()
    former.process.wait(timeout=10)
    assert eventually(lambda: append(path, *RECORDS[1:3]), 10)
    assert path.read_bytes() == b"".join(map(line_of, RECORDS[:3]))


def test_a_former_holder_that_comes_later_takes_nothing_away(path: Path) -> None:
    former = opened(path)
    assert append(path, *RECORDS[1:4])
    with pytest.raises(LedgerDiverged, match="somebody else changed it"):
        former.append(RECORDS[1])
    former.close()
    assert path.read_bytes() == b"".join(map(line_of, RECORDS[:4]))


def test_two_writers_of_the_same_record_leave_it_once(path: Path) -> None:
    first, second = opened(path), opened(path)
    first.append(RECORDS[1])
    second.append(RECORDS[1])
    second.append(RECORDS[2])
    for one in (first, second):
        one.close()
    assert path.read_bytes() == b"".join(map(line_of, RECORDS[:3]))


def test_another_record_in_the_same_place_is_not_overwritten(path: Path) -> None:
    """A copy that was restored may have made another second record meanwhile."""
    former = opened(path)
    other = records(fences=(1, 2))[1]
    assert append(path, other)
    with pytest.raises(LedgerDiverged, match="somebody else changed it"):
        former.append(RECORDS[1])
    former.close()
    assert path.read_bytes() == line_of(RECORDS[0]) + line_of(other)


def test_a_lock_that_another_process_holds_is_named_with_what_to_check(path: Path) -> None:
    sink = FileSink(path, timeout_seconds=2)
    sink.open(lambda _: None, lambda _: None)
    other = os.open(path, os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)

    with pytest.raises(LedgerUnavailable, match="is locked by another process") as found:
        sink.append(RECORDS[1])

    os.close(other)
    assert "no other process writes or locks it" in found.value.hint
    sink.append(RECORDS[1])
    assert path.read_bytes() == line_of(RECORDS[0]) + line_of(RECORDS[1])


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_volume_without_locks_is_written_by_nobody_and_the_error_says_what_it_must_support(
    code: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = FileSink(path)
    sink.open(lambda _: None, lambda _: None)

    def unsupported(_descriptor: int, _how: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(LedgerUnavailable, match="cannot be locked") as found:
        sink.append(RECORDS[1])

    assert "must support locks (flock)" in found.value.hint
    assert path.read_bytes() == line_of(RECORDS[0])
