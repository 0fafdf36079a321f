"""Moto's own server application, asked in our process.

The gateway owns one. Moto and its services load on first use: the double's start does not wait for them.
"""

import io
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.wire import Answer

_SERVER_ERROR = 500
_NOT_PASSED = frozenset({"connection", "transfer-encoding"})


class MotoServer:
    """Hands requests to moto, in the caller's account."""

    def __init__(self) -> None:
        self._app: Any = None
        self._lock = threading.Lock()

    def prepare(self, method: str, target: str, headers: Mapping[str, str], body: bytes, account: str) -> Any:
        """Return the request as moto takes it, with the service's backend loaded: that may take seconds.

        The caller asks for this before it takes a lock that others wait for.
        """
        environ = _environ(method, target, headers, body, account)
        with self._lock:
            if self._app is None:
                from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - moto loads slowly
                    DomainDispatcherApplication,
                    create_backend_app,
                )

                self._app = DomainDispatcherApplication(create_backend_app)
        self._app.get_application(environ)
        return environ

    def ask(self, environ: Any, service: str, action: str) -> Answer:
        """Return moto's answer.

        Raises:
            AwsError: InvalidAction when moto does not have the operation, ResourceNotFoundException when it fails over
                a name that it does not hold.
        """
        from werkzeug.test import run_wsgi_app  # noqa: PLC0415 - comes with moto

        missing = f"the AWS double has no {service} action {action}"
        try:
            body, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        except NotImplementedError as error:
            # How moto answers for an operation that it does not have; AWS has it, so a test must not go on.
            raise AwsError("InvalidAction", missing) from error
        except KeyError as error:
            # Some of moto's backends take a name for granted.
            raise AwsError("ResourceNotFoundException", f"{service} has no {error}", 404) from error
        code = int(status.split(" ", 1)[0])
        content = b"".join(body)
        if code >= _SERVER_ERROR and b"<Code>" not in content:
            raise AwsError("InvalidAction", missing)
        kept = tuple((name, value) for name, value in headers if name.lower() not in _NOT_PASSED)
        return Answer(code, kept, content)


def _environ(method: str, target: str, headers: Mapping[str, str], body: bytes, account: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        **sent,
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        # WSGI carries the unquoted path as Latin-1 (PEP 3333).
        "PATH_INFO": unquote(path, "latin-1"),
        "RAW_URI": target,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "HTTP_HOST": headers.get("host", "127.0.0.1"),
        "HTTP_X_MOTO_ACCOUNT_ID": account,
    }
