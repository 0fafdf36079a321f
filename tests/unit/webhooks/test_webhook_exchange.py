"""Sending is over in time, whatever the receiver does, and goes over TLS to nobody but the host that is named."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from finops.errors import Unavailable
from finops_operator.webhooks.delivery import Delivery
from finops_operator.webhooks.endpoints import Endpoint

SECONDS = 0.5
BODY = b'{"id": "1"}'
Answer = Callable[[socket.socket], None]


@contextmanager
def _receiver(answer: Answer) -> Iterator[tuple[int, list[bool]]]:
    """Listen; yields the port, and whether each connection was closed by the sender while it was answered."""
    closed: list[bool] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener.accept()[0] as connection:
            try:
                answer(connection)
            except OSError:
                closed.append(True)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], closed
    thread.join(5)
    listener.close()
    assert not thread.is_alive()


def _drips_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 204 No Content\r\nX: ")
    for _ in range(60):
        time.sleep(0.05)
        connection.sendall(b"x")


def _drips_interim_answers(connection: socket.socket) -> None:
    for _ in range(60):
        time.sleep(0.05)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def _says_nothing(connection: socket.socket) -> None:
    while connection.recv(65_536):
        continue
    raise ConnectionError


def _floods(connection: socket.socket) -> None:
    for _ in range(20_000):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 40)


@pytest.mark.parametrize(
    ("answer", "scheme"),
    [(_drips_headers, "http"), (_drips_interim_answers, "http"), (_says_nothing, "http"), (_says_nothing, "https")],
)
def test_one_deadline_ends_the_whole_exchange_and_closes_the_connection(answer: Answer, scheme: str) -> None:
    with _receiver(answer) as (port, closed):
        began = time.monotonic()
        with pytest.raises(Unavailable) as raised:
            Delivery(allow_internal=True, seconds=SECONDS).send(
                Endpoint("a", f"{scheme}://127.0.0.1:{port}/"), b"key", "1", BODY, 1
            )
        took = time.monotonic() - began
    assert raised.value.code == "TimeoutError"
    assert SECONDS <= took < SECONDS + 1
    assert closed == [True]


def test_what_is_read_of_an_answer_is_bounded() -> None:
    with _receiver(_floods) as (port, closed), pytest.raises(Unavailable, match="longer than 65536 bytes"):
        Delivery(allow_internal=True).send(Endpoint("a", f"http://127.0.0.1:{port}/"), b"key", "1", BODY, 1)
    assert closed == [True]


def test_what_resolving_the_name_takes_is_missing_afterwards() -> None:
    def slow(_host: str, _port: int) -> list[str]:
        time.sleep(SECONDS)
        return ["127.0.0.1"]

    with pytest.raises(Unavailable) as raised:
        Delivery(allow_internal=True, resolve=slow, seconds=SECONDS / 2).send(
            Endpoint("a", "http://hooks.test:9/"), b"key", "1", BODY, 1
        )
    assert raised.value.code == "TimeoutError"


def _certificate(folder: Path, host: str) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "tls.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("host", "trusted", "taken"), [("hooks.test", True, 1), ("other.test", True, 0), ("hooks.test", False, 0)]
)
def test_the_certificate_has_to_be_that_of_the_host_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool, taken: int
) -> None:
    certificate = _certificate(tmp_path, "hooks.test")
    got: list[bytes] = []
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            whole = b""
            # Whoever closes with something unread resets the connection, and the answer is lost with it.
            while not whole.endswith(BODY) and (part := tls.recv(65_536)):
                whole += part
            got.append(whole)
            tls.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    delivery = Delivery(allow_internal=True, resolve=lambda _host, _port: ["127.0.0.1"])
    with _receiver(answer) as (port, _):
        endpoint = Endpoint("a", f"https://{host}:{port}/in")
        if taken:
            delivery.send(endpoint, b"key", "1", BODY, 1)
        else:
            with pytest.raises(Unavailable, match="certificate"):
                delivery.send(endpoint, b"key", "1", BODY, 1)
    assert len(got) == taken
    assert all(one.startswith(b"POST /in HTTP/1.1\r\n") and b"Host: hooks.test:" in one for one in got)
