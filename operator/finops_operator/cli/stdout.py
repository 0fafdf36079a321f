"""Standard output whose failures are distinct from all others: a full disk is no defect of the command.

Set up by `main`; the commands write to it as to any other.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from finops.errors import FinopsError


class OutputFailed(FinopsError):
    """What a command printed could not be written: the disk is full, or the device is gone."""


class CheckedOutput(io.TextIOWrapper):
    """A text stream that raises OutputFailed where the system refuses to take more; closed pipes stay what they are."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        super().__init__(
            stream.buffer,
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        # It closes the bytes that both write to when nothing refers to it any more.
        self._origin = stream

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _failed(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _failed(error) from error


def checked(stream: TextIO) -> TextIO:
    """Return the stream with failures of its own; as it is when it is no stream of bytes."""
    return CheckedOutput(stream) if isinstance(stream, io.TextIOWrapper) else stream


def write_bytes(content: bytes) -> None:
    """Write bytes to standard output.

    Raises:
        OutputFailed: they could not be written.
    """
    try:
        sys.stdout.buffer.write(content)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _failed(error) from error


def discard_output() -> None:
    """Send standard output to nowhere: what is still buffered has to go somewhere when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(error: OSError) -> OutputFailed:
    return OutputFailed(f"the output cannot be written: {error.strerror}")
