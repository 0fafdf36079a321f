"""A long export is verified by several threads: the same problems in the same order, and nothing that stops them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.ledger_keys import PUBLIC_KEYS
from tests.support.ledger_lines import HONEST, entry, lines, vote

from finops.audit_verify import processes, reading, verify
from finops.audit_verify.form import canonical, digest
from finops.domain.audit import RecordKind
from finops.errors import InvalidInput
from finops_operator.cli.commands import audit

LONG = lines((*HONEST, *(vote(f"k8s.user{number}", result="refused") for number in range(60))))
BAD_SIGNATURES = (3, 30, 59)
NO_RECORD = 41


@pytest.fixture
def few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TOGETHER", 7)


def damaged() -> list[str]:
    found = list(LONG)
    for place in BAD_SIGNATURES:
        document = json.loads(found[place])
        document["signature"] = "0" * 128
        found[place] = canonical(document)
    found[NO_RECORD] = "{}"
    return found


def test_threads_find_what_one_finds_in_the_order_of_the_lines(
    few_together: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_threads = verify(damaged(), keys=PUBLIC_KEYS)
    monkeypatch.undo()
    assert by_threads == verify(damaged(), keys=PUBLIC_KEYS)
    found = [(one.line - 1, one.code) for one in by_threads.problems]
    assert [line for line, code in found if code == "Signature"] == list(BAD_SIGNATURES)
    assert (NO_RECORD, "Form") in found
    assert [line for line, _ in found] == sorted(line for line, _ in found)


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 14, 15, len(LONG)])
def test_every_line_is_checked_whatever_their_number(few_together: None, count: int) -> None:
    report = verify(LONG[:count], keys=PUBLIC_KEYS)
    assert (report.ok, report.records) == (True, count)


@pytest.mark.parametrize("depth", [98, 200, 600, 900, 5_000])
@pytest.mark.parametrize("opened", ["[]", '{"a":}'])
def test_a_record_nested_too_deeply_is_a_problem_and_stops_nothing(depth: int, opened: str) -> None:
    start, end = opened[:-1], opened[-1]
    line = lines((entry("plain", RecordKind.POSTED),))[0].replace(
        '"detail":{}', f'"detail":{{"a":{start * depth}1{end * depth}}}'
    )
    problems = verify([line, *lines()[1:]]).problems
    assert problems[0].line == 1
    assert problems[0].code == "Form"


@pytest.mark.parametrize("make", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_a_hundred_levels_are_a_record_still(make: Callable[[object], object]) -> None:
    value: object = "x"
    for _ in range(100):
        value = make(value)
    assert len(digest(value)) == 64


@pytest.fixture
def few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a short export be read by further processes."""
    monkeypatch.setattr(processes, "FROM", 20)
    monkeypatch.setattr(processes, "_TOGETHER", 5)


def edited() -> list[str]:
    """Return a ledger with a problem of every kind that is found in a line by itself, and of some that are not."""
    found = damaged()
    found[10] = found[10].replace('"fence":1', '"fence":1.0')
    found[12], found[13] = found[13], found[12]
    found[20] = found[20].replace('"actor":"', '"actor":"x')
    found[22] = " " + found[22]
    found[25] = "\ud800"
    del found[50]
    return found


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("every_signature", [True, False])
def test_processes_find_what_one_finds_in_the_order_of_the_lines(
    few_lines: None, count: int, *, every_signature: bool
) -> None:
    wanted = verify(edited(), keys=PUBLIC_KEYS, every_signature=every_signature)
    found = verify(edited(), keys=PUBLIC_KEYS, every_signature=every_signature, processes=count)
    assert found == wanted
    assert {"Form", "Signature", "Chain", "Sequence"} <= {one.code for one in found.problems}
    assert verify(edited(), processes=count) == verify(edited())
    honest = [line.encode() for line in LONG]
    assert verify(honest, keys=PUBLIC_KEYS, processes=count) == verify(LONG, keys=PUBLIC_KEYS)


def test_a_process_that_ends_before_its_time_ends_the_verification_with_an_error(
    few_lines: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_BEGIN", "import sys; sys.stdin.buffer.read(9)")
    with pytest.raises(processes.ProcessLost, match="ended before"):
        verify(LONG, keys=PUBLIC_KEYS, processes=2)


def test_a_process_that_leaves_lines_out_ends_the_verification_with_an_error(
    few_lines: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = "import sys; sys.path[:] = {path!r}; import {module} as w; real = w.answer"
    monkeypatch.setattr(processes, "_BEGIN", some + "; w.answer = lambda *a: real(*a)[1:]; w.serve()")
    with pytest.raises(processes.ProcessLost, match="ended before"):
        verify(LONG, keys=PUBLIC_KEYS, processes=2)


def test_no_process_is_left_whoever_stops_the_verification(few_lines: None, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    real = processes._Process.__init__

    def begin(self: processes._Process) -> None:
        real(self)
        started.append(self)

    monkeypatch.setattr(processes._Process, "__init__", begin)
    reading_on: Any = processes.read_by(2, LONG, PUBLIC_KEYS)
    next(reading_on)
    reading_on.close()
    assert [one._process.poll() is not None for one in started] == [True, True]


def test_a_process_that_stands_still_ends_the_verification_with_an_error(
    few_lines: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_PATIENCE_SECONDS", 1)
    monkeypatch.setattr(processes, "_BEGIN", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    with pytest.raises(processes.ProcessLost, match="nothing back for 1 seconds"):
        verify(LONG, keys=PUBLIC_KEYS, processes=2)


def test_a_process_that_cannot_be_started_ends_the_verification_with_an_error(
    few_lines: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(processes.ProcessLost, match="could not be started"):
        verify(LONG, keys=PUBLIC_KEYS, processes=2)


def test_the_command_says_what_to_do_about_a_lost_process_and_does_not_speak_of_room_on_the_disk() -> None:
    with pytest.raises(InvalidInput) as refused, audit._room_asked_for():
        raise processes.ProcessLost("a process of the verifier ended")
    assert refused.value.field == "--processes"
    assert "--processes 0" in refused.value.hint
    with pytest.raises(InvalidInput) as full, audit._room_asked_for():
        raise OSError("no space left")
    assert full.value.field == "TMPDIR"


def test_lines_held_ahead_are_bounded_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_HELD_BYTES", 100)
    source = iter(["x" * 30] * 50)
    held, is_long = processes._beginning(source)
    assert (len(held), is_long) == (4, True)
    assert len([*processes._drained(held), *source]) == 50
    assert not held
    assert processes._beginning(iter(["x" * 30] * 3))[1] is False


def test_a_share_ends_by_its_lines_or_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_TOGETHER", 3)
    monkeypatch.setattr(processes, "_SHARE_BYTES", 100)
    lengths = [1, 1, 1, 1, 60, 60, 500, 2]
    shares = list(processes._shares(iter(["x" * length for length in lengths])))
    assert [[len(line) for line in share] for share in shares] == [[1, 1, 1], [1, 60, 60], [500], [2]]


def test_shares_cut_by_bytes_give_the_same_report(few_lines: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_HELD_BYTES", 3_000)
    monkeypatch.setattr(processes, "_SHARE_BYTES", 1_000)
    assert verify(edited(), keys=PUBLIC_KEYS, processes=2) == verify(edited(), keys=PUBLIC_KEYS)
