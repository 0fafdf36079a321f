"""Ports for servers that are started a moment later, often more than once."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import Final

# The system gives a client's connection any port of its ephemeral range, also one that a server was just promised:
# Linux's begins at 32,768 (net.ipv4.ip_local_port_range), so servers get those below.
PORTS: Final = range(20_000, 32_000)


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port of `host`, one of `PORTS`, that nobody listens on.

    Programs of one user that ask at the same time get different ones: the last port given stands in a file that they
    lock.

    Raises:
        OSError: `host` is not of this machine, or every port is taken.
    """
    given = os.open(
        Path(tempfile.gettempdir()) / f"finops-ports-{os.getuid()}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600
    )
    try:
        fcntl.flock(given, fcntl.LOCK_EX)
        last = os.read(given, 16)
        start = int(last) + 1 if last.isdigit() else PORTS[os.getpid() % len(PORTS)]
        port = _first_free(host, start)
        os.pwrite(given, b"%05d" % port, 0)
        return port
    finally:
        os.close(given)


def _first_free(host: str, start: int) -> int:
    for number in range(len(PORTS)):
        port = PORTS[(start - PORTS.start + number) % len(PORTS)]
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
    raise OSError(errno.EADDRINUSE, f"no port from {PORTS.start} to {PORTS.stop - 1} of {host} is free")
