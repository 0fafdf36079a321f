"""A further process of the verifier: reads the lines that it is given, and gives back what each of them holds.

Both directions carry frames: eight bytes for the length, and a value as `marshal` writes it. Nobody else writes to the
pipes. Started by `processes` alone.
"""

from __future__ import annotations

import gc
import marshal
import struct
import sys
from functools import lru_cache
from typing import IO, Any

from finops.audit_verify.reading import Line, line_of, problems_of
from finops.audit_verify.signatures import Keys

_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], value: Any) -> None:
    """Write one frame. Raises OSError: nobody reads."""
    content = marshal.dumps(value)
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Return the value of the next frame, None at the end. Raises OSError: the other side ended inside a frame."""
    header = stream.read(_LENGTH.size)
    if not header:
        return None
    (length,) = _LENGTH.unpack(header) if len(header) == _LENGTH.size else (-1,)
    content = stream.read(length) if length >= 0 else b""
    if len(content) != length:
        raise OSError("a process of the verifier ended in the middle of what it gave back")
    return marshal.loads(content)  # noqa: S302 - the other side is a process of this verifier


def answer(pems: str, start: int, lines: list[str | bytes]) -> list[tuple[Any, ...]]:
    """Return of each line what `Line` has behind its number, and what is wrong with its signature.

    Args:
        pems: keys whose signatures count; empty leaves them unchecked.
        start: number of the first line.
        lines: with or without their newlines.
    """
    read = [line_of(number, line) for number, line in enumerate(lines, start)]
    wrong = problems_of(_keys(pems), read) if pems else [""] * len(read)
    return [(*_behind_number(line), problem) for line, problem in zip(read, wrong, strict=True)]


def _behind_number(line: Line) -> tuple[Any, ...]:
    return tuple(line)[1:]


_keys = lru_cache(1)(Keys)


def serve() -> None:
    """Answer until the pipe ends."""
    # Nothing that is read holds itself, so there is nothing to collect: the search for it takes a tenth of the time.
    gc.disable()
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while (question := receive(questions)) is not None:
        send(answers, answer(*question))
