"""Ports for servers that are started a moment later, often more than once."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# The system gives a client's connection any port of its ephemeral range, also one that a server was just promised:
# Linux's begins at 32,768 (net.ipv4.ip_local_port_range), so servers get those below.
PORTS: Final[Sequence[int]] = range(20_000, 32_000)
# Not in the folder for temporary files, of which a demo has its own: all programs of a user know of each other.
GIVEN: Final = Path(f"/tmp/finops-ports-{os.getuid()}")  # noqa: S108 - no link is followed, and a number is all it holds


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port of `host`, one of `PORTS`, that nobody listens on.

    Programs of one user that ask at the same time get different ones: the last port given stands in a file that they
    lock.

    Raises:
        OSError: `host` is not of this machine, or every port is taken.
    """
    given = os.open(GIVEN, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(given, fcntl.LOCK_EX)
        port = _first_free(host, os.read(given, 16).decode("ascii"))
        os.pwrite(given, b"%05d" % port, 0)
        return port
    finally:
        os.close(given)


def _first_free(host: str, last: str) -> int:
    after = PORTS.index(int(last)) + 1 if last.isdecimal() and int(last) in PORTS else 0
    for port in (*PORTS[after:], *PORTS[:after]):
        with socket.socket() as probe:
            # As servers do it: connections that have just ended on the port do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
    raise OSError(errno.EADDRINUSE, f"no port from {PORTS[0]} to {PORTS[-1]} of {host} is free")
