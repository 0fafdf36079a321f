"""/healthz, /readyz and /metrics of a process, served from its own thread.

Called by the composition roots of operator and bot. A probe answers 200 or 503 with one line per check, so that
`kubectl describe` shows why.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from finops.errors import InvalidInput

Checks = Mapping[str, Callable[[], str]]
"""Name of a check → a function that returns what is wrong, or an empty text."""
_TEXT: Final = "text/plain; charset=utf-8"


class HealthServer:
    """A small HTTP server; `start` binds, `stop` closes. Port 0 picks a free one, which `port` returns."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        live: Checks,
        ready: Checks,
        notes: Checks | None = None,
        registry: CollectorRegistry | None = None,
        setting: str = "FINOPS_METRICS_PORT",
    ) -> None:
        """Args beside the obvious: `notes` are shown by /readyz and change nothing about its answer.

        `setting` is the variable that an error about the port names.
        """
        probes: Mapping[str, tuple[Checks, Checks]] = {"/healthz": (live, {}), "/readyz": (ready, notes or {})}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path in probes:
                    status, body = _answer(*probes[path])
                    self._send(status, _TEXT, body.encode())
                elif path == "/metrics" and registry is not None:
                    self._send(200, CONTENT_TYPE_LATEST, generate_latest(registry))
                else:
                    self._send(404, _TEXT, b"not found\n")

            def _send(self, status: int, content_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
                """Probes come every few seconds; they are not worth a line."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except (OSError, OverflowError) as error:
            raise InvalidInput(
                f"port {port} cannot be used: {getattr(error, 'strerror', None) or error}",
                field=setting,
                hint="choose a free port",
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def _answer(checks: Checks, notes: Checks) -> tuple[int, str]:
    lines = {name: check() for name, check in checks.items()}
    status = 503 if any(lines.values()) else 200
    lines |= {name: note() for name, note in notes.items()}
    return status, "".join(f"{name}: {problem or 'ok'}\n" for name, problem in lines.items())
