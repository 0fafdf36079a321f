"""A server that gives everybody the same answer: what stands at an address where something else was expected."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHUNK = 65536


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    answer = b""


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        try:
            while self.request.recv(_CHUNK):
                self.request.sendall(server.answer)
        except OSError:
            return


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Answer whatever is asked on a port of 127.0.0.1 with `answer`, each time; yields the port."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.answer = answer
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join(5)
