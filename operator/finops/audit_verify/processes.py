"""Reads the lines of a long export in further processes, while this one follows the requests.

Form, hash and signature of a line need nothing of the other lines: a third of the time, with every signature three
quarters. What a process gives back is taken in in the order of the lines, so that nothing else changes: the chain, the
checkpoints and all rules across records are checked here, of each record. A process that ends before its time, or gives
nothing back for long, ends the verification with an error: what it was to read counts as not verified.
"""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import chain
from queue import SimpleQueue
from typing import Any

from finops.audit_verify import worker
from finops.audit_verify.reading import Line, read
from finops.audit_verify.signatures import Keys

FROM = 20_000
"""An export with fewer lines is read by this process alone: before another one has begun it is done."""
_HELD_BYTES = 8_000_000
"""So much is held of an export of which it is not known yet whether it is a long one; one with more counts as such."""
_TOGETHER = 500
"""Lines that go to a process at one go; twice as many as there are processes are under way at most."""
_SHARE_BYTES = 500_000
"""Or fewer lines: the one that reaches so much is the last one."""
_PATIENCE_SECONDS = 60
"""Without an answer for so long, a process counts as one that stands still; an answer takes a fraction of a second."""
_ENDED = "a process of the verifier ended before it had read what it was given"
_BEGIN = "import sys; sys.path[:] = {path!r}; from {module} import serve; serve()"


class ProcessLost(OSError):
    """A further process could not be started, ended, stands still, or gave back something else than was asked for."""


def read_by(processes: int, lines: Iterable[str | bytes], keys: Keys | None) -> Iterator[tuple[Line, str]]:
    """Yield what `reading.read` does.

    Args:
        processes: how many to start where there are many lines, or long ones; 0 starts none.
        lines: with or without their newlines.
        keys: whose signatures count; None leaves them unchecked.

    Raises:
        ProcessLost: a process could not be started, ended, or stands still.
    """
    source = iter(lines)
    if processes > 0:
        held, is_long = _beginning(source)
        source = chain(_drained(held), source)
        if is_long:
            yield from _shared(processes, source, keys)
            return
    yield from read(source, keys)


def _beginning(source: Iterator[str | bytes]) -> tuple[deque[str | bytes], bool]:
    """Return the first lines, and whether the export is long enough for further processes."""
    held, size = deque[str | bytes](), 0
    for line in source:
        held.append(line)
        size += len(line)
        if len(held) >= FROM or size >= _HELD_BYTES:
            return held, True
    return held, False


def _drained(held: deque[str | bytes]) -> Iterator[str | bytes]:
    """Yield what is held, and hold it no longer."""
    while held:
        yield held.popleft()


def _shares(source: Iterable[str | bytes]) -> Iterator[list[str | bytes]]:
    """Yield the lines in shares that a process reads at one go."""
    share, size = list[str | bytes](), 0
    for line in source:
        share.append(line)
        size += len(line)
        if len(share) >= _TOGETHER or size >= _SHARE_BYTES:
            yield share
            share, size = [], 0
    if share:
        yield share


def _shared(processes: int, source: Iterator[str | bytes], keys: Keys | None) -> Iterator[tuple[Line, str]]:
    under_way: deque[tuple[int, Future[list[Any]]]] = deque()
    idle: SimpleQueue[_Process] = SimpleQueue()
    pems, start, started = "" if keys is None else keys.pems, 1, list[_Process]()

    def ask(question: tuple[Any, ...]) -> list[Any]:
        process = idle.get()
        try:
            return process.ask(question)
        finally:
            idle.put(process)

    pool = ThreadPoolExecutor(processes, thread_name_prefix="verifier")
    try:
        for _ in range(processes):
            started.append(_Process())
            idle.put(started[-1])
        for some in _shares(source):
            under_way.append((start, pool.submit(ask, (pems, start, some))))
            start += len(some)
            if len(under_way) > 2 * processes:
                yield from _lines(*under_way.popleft())
        while under_way:
            yield from _lines(*under_way.popleft())
    finally:
        for one in started:
            one.end()
        pool.shutdown(cancel_futures=True)


def _lines(start: int, asked: Future[list[Any]]) -> Iterator[tuple[Line, str]]:
    for number, (*line, wrong) in enumerate(_answer(asked), start):
        yield Line(number, *line), wrong


def _answer(asked: Future[list[Any]]) -> list[Any]:
    # By the second: whoever stops this process together with the others, and lets them go on, loses one of them only.
    for _ in range(_PATIENCE_SECONDS):
        if wait((asked,), timeout=1).done:
            return asked.result()
    raise ProcessLost(f"a process of the verifier has given nothing back for {_PATIENCE_SECONDS} seconds")


class _Process:
    """One further process; it imports from where this one does."""

    def __init__(self) -> None:
        begin = _BEGIN.format(path=sys.path, module=worker.__name__)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                [sys.executable, "-I", "-c", begin], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            raise ProcessLost(f"a process of the verifier could not be started: {error}") from error

    def ask(self, question: tuple[Any, ...]) -> list[Any]:
        """Return the answer. Raises ProcessLost: it has ended, or gave back something else than was asked for."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("the process was started with pipes")
        try:
            worker.send(self._process.stdin, question)
            answer = worker.receive(self._process.stdout)
        except OSError as error:
            raise ProcessLost(f"{_ENDED}: {error}") from error
        if not isinstance(answer, list) or len(answer) != len(question[-1]):
            raise ProcessLost(_ENDED)
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # What was still to be written has no reader any more.
                    pipe.close()
        self._process.wait()
