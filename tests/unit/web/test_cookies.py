"""What browsers are given to keep: under which name, over what, and when it counts."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.testclient import TestClient

from finops_web.people.browsers import drop_cookie, give_cookie, kept_cookie


def client(address: str) -> TestClient:
    """A browser at an address of an application that gives, shows and takes back one cookie."""
    app = FastAPI()

    @app.get("/give")
    def give(request: Request) -> Response:
        response = PlainTextResponse("")
        give_cookie(request, response, "kept", "ours", seconds=60, same_site="strict")
        return response

    @app.get("/show")
    def show(request: Request) -> Response:
        return PlainTextResponse(kept_cookie(request, "kept"))

    @app.get("/drop")
    def drop(request: Request) -> Response:
        response = PlainTextResponse("")
        drop_cookie(request, response, "kept")
        return response

    return TestClient(app, base_url=address)


# The second is what the dashboard sees behind whoever ends TLS for it.
@pytest.mark.parametrize("address", ["https://finops.example.org", "http://finops.example.org", "https://localhost"])
def test_over_tls_a_cookie_has_the_host_prefix_and_all_that_browsers_ask_for_it(address: str) -> None:
    browser = client(address)

    for path in ("/give", "/drop"):
        name, *attributes = browser.get(path).headers["set-cookie"].split("; ")
        assert name.startswith("__Host-kept=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(attributes)
        assert not [one for one in attributes if one.lower().startswith("domain")]


@pytest.mark.parametrize("address", ["http://localhost:8080", "http://127.0.0.1:8080"])
def test_through_a_forwarded_port_a_cookie_keeps_its_plain_name_and_goes_again(address: str) -> None:
    browser = client(address)

    given = browser.get("/give").headers["set-cookie"]

    assert given.startswith("kept=ours;")
    assert "Secure" not in given
    assert browser.get("/show").text == "ours"
    browser.get("/drop")
    assert browser.get("/show").text == ""


def test_over_tls_a_cookie_of_the_plain_name_counts_for_nothing() -> None:
    browser = client("https://finops.example.org")

    assert browser.get("/show", headers={"Cookie": "kept=slipped-in"}).text == ""
    assert browser.get("/show", headers={"Cookie": "kept=slipped-in; __Host-kept=ours"}).text == "ours"
