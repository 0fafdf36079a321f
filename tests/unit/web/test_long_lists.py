"""A long list is sent while it is read: never held whole, and never taken for whole when it is not."""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.testclient import TestClient
from tests.support.web_server import served

from finops.errors import StoreUnavailable
from finops_web.rendering import csv_by_and_by, json_by_and_by

ROWS = 5_000


class Source:
    """Rows that are made when they are asked for, up to one that cannot be read."""

    def __init__(self, breaks_at: int = ROWS) -> None:
        self.breaks_at = breaks_at
        self.made = 0

    def rows(self) -> Iterator[dict[str, Any]]:
        for number in range(ROWS):
            if number == self.breaks_at:
                raise StoreUnavailable("the store does not answer", code="StoreUnavailable")
            self.made += 1
            yield {"id": f"i-{number}", "name": f"ä “{number}” =x", "cost": number / 4}


@pytest.fixture
def client(source: Source) -> TestClient:
    app = FastAPI()

    @app.get("/list.csv")
    def as_csv() -> Response:
        return csv_by_and_by(("id", "name", "cost"), source.rows(), "list")

    @app.get("/list.json")
    def as_json() -> Response:
        return json_by_and_by(source.rows())

    return TestClient(app)


@pytest.fixture
def source() -> Source:
    return Source()


def test_every_row_arrives_in_both_forms(client: TestClient) -> None:
    sheet = client.get("/list.csv")
    rows = list(csv.DictReader(io.StringIO(sheet.text)))
    assert (len(rows), rows[-1]) == (ROWS, {"id": "i-4999", "name": "ä “4999” =x", "cost": "1249.75"})
    assert sheet.headers["content-disposition"] == 'attachment; filename="list.csv"'
    assert client.get("/list.json").json() == list(Source().rows())


def test_no_item_is_an_empty_list(client: TestClient, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "rows", lambda: iter(()))
    assert client.get("/list.json").json() == []
    assert client.get("/list.csv").text == "id,name,cost\r\n"


def test_only_the_beginning_is_read_before_the_answer_begins(source: Source) -> None:
    csv_by_and_by(("id", "name", "cost"), source.rows(), "list")
    assert 0 < source.made < ROWS


def test_what_fails_at_once_fails_before_the_answer_begins() -> None:
    with pytest.raises(StoreUnavailable):
        csv_by_and_by(("id",), Source(0).rows(), "list")
    with pytest.raises(StoreUnavailable):
        json_by_and_by(Source(0).rows())


@pytest.mark.parametrize("path", ["/list.csv", "/list.json"])
def test_what_fails_later_breaks_off_without_the_end_of_the_answer(
    path: str, client: TestClient, source: Source
) -> None:
    source.breaks_at = ROWS - 1
    with served(client.app) as address, wire_to(address) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: wire.recv(1 << 16), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"i-1000" in answer
    assert not answer.endswith(b"\r\n0\r\n\r\n"), "it ended as if it were whole"


def wire_to(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port or 0))
