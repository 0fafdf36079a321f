"""A page that says what failed names it in a sentence, and leaves somebody signed in the navigation."""

from __future__ import annotations

import pytest
from tests.support.web_estate import Site, StoredScan

from finops.store.connection import Store


@pytest.mark.parametrize("path", ["/nowhere", "/resources/ec2-instance/gone"])
def test_what_is_not_there_is_said_inside_the_navigation(site: Site, store: Store, path: str) -> None:
    StoredScan(store).write({})
    client = site.client(store)
    client.post("/sign-in", data={"token": site.token()})

    answer = client.get(path)

    assert answer.status_code == 404
    assert "<h1>Not found</h1>" in answer.text
    assert '<a href="/optimizations">Optimizations</a>' in answer.text
    assert ("There is no ec2-instance gone in the last scans." in answer.text) == path.startswith("/resources")
    assert ("There is no page at this address." in answer.text) == (path == "/nowhere")
    assert answer.text.count("<h1>") == 1


@pytest.mark.parametrize("cookie", ["", "finops_session=forged"])
def test_nobody_else_gets_the_navigation(site: Site, store: Store, cookie: str) -> None:
    answer = site.client(store).get("/nowhere", headers={"Cookie": cookie})
    assert answer.status_code == 404
    assert "<nav" not in answer.text
    assert "<h1>Not found</h1>" in answer.text


def test_what_an_address_may_not_say_is_not_understood(site: Site, store: Store) -> None:
    answer = site.client(store).get("/resources?limit=zero", headers=site.bearer())
    assert "<h1>Not understood</h1>" in answer.text
    assert "Correct the address, or start from the navigation." in answer.text
