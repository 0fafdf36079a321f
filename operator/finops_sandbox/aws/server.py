"""The HTTP server: keeps connections alive, answers AWS requests and the control API, and can hang up.

:class:`finops_sandbox.aws.double.AwsDouble` runs one in a thread; each connection has its own thread.
"""

import json
import logging
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from finops_sandbox.aws.control import ControlApi
from finops_sandbox.aws.errors import ConnectionDropped
from finops_sandbox.aws.gateway import Gateway, Request
from finops_sandbox.aws.wire import Answer

_LOG = logging.getLogger(__name__)
_CONTROL_PREFIX = "/_sandbox/"


class SandboxServer(ThreadingHTTPServer):
    """Listens on one address until :meth:`shutdown`."""

    daemon_threads = True
    # Many clients open a pool of connections at once.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], gateway: Gateway, control: ControlApi) -> None:
        self.gateway = gateway
        self.control = control
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's signature
        if isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            # The client went away; nobody waits for an answer.
            return
        _LOG.exception("the AWS double failed on a request from %s", client_address)


class ServerThread:
    """A server in a thread of its own, from when it is made until :meth:`stop`.

    Raises (when made):
        OSError: the address is taken.
    """

    def __init__(self, address: tuple[str, int], gateway: Gateway, control: ControlApi) -> None:
        self._server = SandboxServer(address, gateway, control)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{f'[{host!s}]' if ':' in str(host) else host!s}:{port}"

    def stop(self) -> None:
        """Answer what is under way, then close the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body leave in two writes; with Nagle's algorithm the second would wait for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: SandboxServer

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        if self.path.startswith(_CONTROL_PREFIX):
            status, document = self.server.control.handle(self.command, self.path, body)
            self._send(Answer(status, (("Content-Type", "application/json"),), json.dumps(document).encode()))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = self.server.gateway.serve(Request(self.command, self.path, headers, body))
        except ConnectionDropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            # An answer to HEAD has no body, but the length of the one that GET would have.
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = do_PUT = do_HEAD = do_PATCH = _answer  # noqa: N815 - the library's names

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Date answers by the double's clock, which tests and the demo advance."""
        now = self.server.gateway.estate.clock.now().timestamp()
        return super().date_time_string(now if timestamp is None else timestamp)

    def log_message(self, *_: Any) -> None:
        """Requests are counted in the call log, not printed."""
