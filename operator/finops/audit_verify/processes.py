"""Reads the lines of a long export in further processes, while this one follows the requests.

Form, hash and signature of a line need nothing of the other lines: a third of the time, with every signature three
quarters. What a process gives back is taken in in the order of the lines, so that nothing else changes: the chain, the
checkpoints and all rules across records are checked here, of each record. A process that ends before its time ends the
verification with an error: what it was to read counts as not verified.
"""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, islice
from queue import SimpleQueue
from typing import Any

from finops.audit_verify import worker
from finops.audit_verify.reading import Line, read
from finops.audit_verify.signatures import Keys

FROM = 20_000
"""An export with fewer lines is read by this process alone: before another one has begun it is done."""
_TOGETHER = 500
"""Lines that go to a process at one go; twice as many as there are processes are under way at most."""
_BEGIN = "import sys; sys.path[:] = {path!r}; from {module} import serve; serve()"


def read_by(processes: int, lines: Iterable[str | bytes], keys: Keys | None) -> Iterator[tuple[Line, str]]:
    """Yield what `reading.read` does.

    Args:
        processes: how many to start where there are many lines; 0 starts none.
        lines: with or without their newlines.
        keys: whose signatures count; None leaves them unchecked.

    Raises:
        OSError: a process could not be started, or ended.
    """
    source = iter(lines)
    if processes > 0:
        first = list(islice(source, FROM))
        source = chain(first, source)
        if len(first) == FROM:
            yield from _shared(processes, source, keys)
            return
    yield from read(source, keys)


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
        while some := list(islice(source, _TOGETHER)):
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
    for number, (*line, wrong) in enumerate(asked.result(), start):
        yield Line(number, *line), wrong


class _Process:
    """One further process; it imports from where this one does."""

    def __init__(self) -> None:
        begin = _BEGIN.format(path=sys.path, module=worker.__name__)
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-I", "-c", begin], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, question: tuple[Any, ...]) -> list[Any]:
        """Return the answer. Raises OSError: the process has ended, or gave back something else than was asked for."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("the process was started with pipes")
        worker.send(self._process.stdin, question)
        answer = worker.receive(self._process.stdout)
        if not isinstance(answer, list) or len(answer) != len(question[-1]):
            raise OSError("a process of the verifier ended before it had read what it was given")
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # What was still to be written has no reader any more.
                    pipe.close()
        self._process.wait()
