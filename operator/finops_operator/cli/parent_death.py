"""A child that does not outlive us, even after kill -9: used for the embedded store and for the sandbox's programs."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> Callable[[], None] | None:
    """Return what the child must run between fork and exec, None where the system has no such thing.

    Linux delivers the signal when the *thread* that started the child ends: start children from the main thread.
    """
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: the child of a threaded process may not load libraries.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            # The parent died before we were bound to it.
            os._exit(1)

    return bind
