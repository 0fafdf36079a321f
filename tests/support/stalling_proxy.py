"""A TCP proxy whose established, unused connections can be frozen: a watch that stands still without an error."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_CHUNK = 65536


@dataclass(slots=True)
class _Pair:
    client: socket.socket
    server: socket.socket
    asked_at: float = field(default_factory=time.monotonic)
    frozen: bool = False


class StallingProxy:
    """Forwards to `target`; use `running_proxy`."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def freeze_unused(self, seconds: float) -> int:
        """Let nothing pass any more on connections whose client said nothing for `seconds`; return how many."""
        with self._lock:
            unused = [p for p in self._pairs if not p.frozen and time.monotonic() - p.asked_at > seconds]
            for pair in unused:
                pair.frozen = True
        return len(unused)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)
        for pair in self._pairs:
            pair.client.close()
            pair.server.close()
        self._listener.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                live = [pair for pair in self._pairs if not pair.frozen]
            ends = {pair.client: pair for pair in live} | {pair.server: pair for pair in live}
            ready, _, _ = select.select([self._listener, *ends], [], [], 0.1)
            for end in ready:
                if end is self._listener:
                    client, _ = self._listener.accept()
                    with self._lock:
                        self._pairs.append(_Pair(client, socket.create_connection(self._target)))
                elif not ends[end].frozen:
                    self._forward(end, ends[end])

    def _forward(self, end: socket.socket, pair: _Pair) -> None:
        other = pair.server if end is pair.client else pair.client
        try:
            data = end.recv(_CHUNK)
            if data:
                other.sendall(data)
        except OSError:
            data = b""
        if end is pair.client:
            pair.asked_at = time.monotonic()
        if not data:
            with self._lock:
                if pair in self._pairs:
                    self._pairs.remove(pair)
            pair.client.close()
            pair.server.close()


@contextmanager
def running_proxy(target: tuple[str, int]) -> Iterator[StallingProxy]:
    """Run a proxy to `target`."""
    proxy = StallingProxy(target)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
