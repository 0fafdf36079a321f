"""One HTTP exchange that is over in time, whatever the other side does.

The time-outs of sockets and HTTP libraries count anew with each byte that comes, so that a receiver that drips its
answer holds the caller for hours. Here connecting, TLS, sending and the head of the answer share one deadline, and what
is read is bounded. The body of the answer is not read at all.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import Any, Final, cast

MOST_READ: Final = 65_536
"""Bytes of an answer's head, with all interim answers (1xx) before it."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment at which everything is over, `seconds` after it was made."""

    seconds: float
    _started: float = field(default_factory=monotonic)

    def left(self) -> float:
        """Return the seconds that are left, more than 0. Raises TimeoutError."""
        left = self._started + self.seconds - monotonic()
        if left <= 0:
            raise TimeoutError(f"not done within {self.seconds:g} seconds")
        return left


@dataclass(frozen=True, slots=True)
class Place:
    """Where the connection goes: the address that was checked; the certificate has to be that of the host."""

    address: str
    port: int
    host: str
    tls: ssl.SSLContext | None


def status_of_post(place: Place, path: str, headers: Mapping[str, str], body: bytes, deadline: Deadline) -> int:
    """Send a POST and return the status of its answer; the connection is closed in any case.

    Raises:
        OSError: it cannot be reached, or the deadline is over (TimeoutError).
        HTTPException: what it answers is not HTTP, or too long.
    """
    plain = socket.create_connection((place.address, place.port), timeout=deadline.left())
    with closing(_Wire(plain, deadline)) as wire:
        if place.tls is not None:
            wire.encrypt(place.tls, place.host)
        connection = HTTPConnection(place.host, place.port)
        connection.sock = cast("Any", wire)
        connection.request("POST", path, body, {**headers, "Connection": "close"})
        return connection.getresponse().status


class _Wire:
    """As much of a socket as `http.client` uses, under a deadline."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket, self._deadline = connected, deadline

    def encrypt(self, tls: ssl.SSLContext, host: str) -> None:
        self._socket.settimeout(self._deadline.left())
        self._socket = tls.wrap_socket(self._socket, server_hostname=host)

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self._deadline.left())
            rest = rest[self._socket.send(rest) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Head(self._socket, self._deadline))

    def close(self) -> None:
        self._socket.close()


class _Head(io.RawIOBase):
    """What is read: until the deadline, and so much at most."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket, self._deadline, self._left = connected, deadline, MOST_READ

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            raise HTTPException(f"the head of the answer is longer than {MOST_READ} bytes")
        self._socket.settimeout(self._deadline.left())
        read = self._socket.recv_into(buffer, min(len(buffer), self._left))
        self._left -= read
        return read
