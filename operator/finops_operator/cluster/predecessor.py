"""Knows the process before this one when it is surely dead, so that a restarted container need not wait for its lease.

A file in a folder that only this pod has (its `/tmp`) is locked for as long as a process lives; the kernel frees the
lock at its death, however it dies. Whoever gets the lock reads the name under which the dead one held the lease and
writes its own. Without the file or the lock there is no predecessor: the lease is waited for as for anybody's.
"""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)
_CHARACTERS: Final = 512


class PredecessorLock:
    """The lock and what it says; kept for as long as the process lives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take_over(self, holder: str) -> str:
        """Return the holder's name of the dead process before this one, empty when there is none that surely died."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            logger.info("a lease that a dead process left is waited for: %s", error)
            return ""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            before = os.pread(descriptor, _CHARACTERS, 0).decode("utf-8", errors="replace")
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode()[:_CHARACTERS], 0)
        except OSError as error:
            # Another process holds it and is alive, or the folder cannot be written.
            os.close(descriptor)
            logger.info("a lease that a dead process left is waited for: %s", error)
            return ""
        self._descriptor = descriptor
        return before
