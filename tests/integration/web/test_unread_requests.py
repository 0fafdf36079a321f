"""A namespace whose policies a visitor may read and whose requests they may not: a gap, never "there are none"."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from tests.support.scan_samples import recommendation
from tests.support.web_estate import Site, StoredScan, priced, resource

from finops.errors import Refused
from finops.store.connection import Store
from finops_web.context import Asked
from finops_web.pages import request_events
from finops_web.readings.requests import Requests

MISSING = "The requests of namespace team-a are not shown"


@pytest.fixture
def scanned(store: Store) -> Store:
    """Scans of both namespaces; bob may read the policies of both, and the requests of team-b alone."""
    mine, theirs = resource("ec2-instance", "i-1"), resource("ec2-instance", "i-2", region="eu-west-1")
    StoredScan(store).write({"a": (mine, priced("0.10"))}, recommendations=(recommendation(1),))
    StoredScan(store, ("team-b", "all")).write({"b": (theirs, priced("0.10"))})
    return store


@pytest.fixture
def waiting(site: Site) -> Iterator[list[str]]:
    """One request that waits for votes in team-a."""
    with site.requests(recommendation(1)) as names:
        yield names


@pytest.mark.parametrize("path", ["/", "/requests", "/optimizations"])
def test_a_page_shows_what_is_missing_beside_the_requests(
    site: Site, scanned: Store, waiting: list[str], path: str
) -> None:
    page = site.client(scanned).get(path, headers=site.bearer("bob")).text

    assert MISSING in page
    assert "1 gap: something could not be seen" in page
    assert "kubernetes:list actionrequests" in page
    assert "Nobody is asked at the moment" not in page
    assert "No request has ended yet" not in page


@pytest.mark.parametrize("path", ["/", "/requests", "/optimizations"])
def test_a_page_of_somebody_who_may_read_all_of_it_has_no_gap(
    site: Site, scanned: Store, waiting: list[str], path: str
) -> None:
    page = site.client(scanned).get(path, headers=site.bearer("admin")).text

    assert MISSING not in page
    assert "No gaps" in page


def test_the_panel_does_not_call_a_recommendation_advice_when_its_request_cannot_be_read(
    site: Site, scanned: Store, waiting: list[str]
) -> None:
    page = site.client(scanned).get("/optimizations?open=rec1", headers=site.bearer("bob")).text

    assert "Whether a request asks for this is unknown: cannot list actionrequests" in page
    assert "There is no act for this" not in page


def test_the_data_of_the_page_names_the_namespace_as_a_gap(site: Site, scanned: Store, waiting: list[str]) -> None:
    client = site.client(scanned)

    partly = client.get("/requests.json", headers=site.bearer("bob")).json()
    whole = client.get("/requests.json", headers=site.bearer("admin")).json()

    assert partly["requests"] == []
    assert [(one["service"], one["operation"], one["code"]) for one in partly["gaps"]] == [
        ("kubernetes", "list actionrequests", "Forbidden")
    ]
    assert MISSING in partly["gaps"][0]["message"]
    assert ([one["metadata"]["name"] for one in whole["requests"]], whole["gaps"]) == (["r-rec1"], [])


def test_the_spreadsheet_has_a_row_for_the_namespace_that_is_missing(
    site: Site, scanned: Store, waiting: list[str]
) -> None:
    text = site.client(scanned).get("/requests.csv", headers=site.bearer("bob")).text

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(one["namespace"], one["name"]) for one in rows] == [("team-a", "")]
    assert "cannot list actionrequests" in rows[0]["gap"]


def test_the_api_names_the_gap_in_its_meta(site: Site, scanned: Store, waiting: list[str]) -> None:
    client = site.client(scanned)

    partly = client.get("/api/action-requests", headers=site.bearer("bob")).json()
    one = client.get("/api/action-requests/uid-rec1", headers=site.bearer("bob"))

    assert partly["data"] == []
    assert [MISSING in gap["message"] for gap in partly["meta"]["gaps"]] == [True]
    assert one.status_code == 404
    assert "you may not read those of team-a" in one.json()["error"]["hint"]


def test_a_vote_for_a_request_that_cannot_be_read_says_so(site: Site, scanned: Store, waiting: list[str]) -> None:
    form = {"decision": "Deny", "chosen": waiting, "reason": "quiet"}

    answer = site.client(scanned).post("/optimizations/decide", data=form, headers=site.bearer("bob"))

    assert "0 of 1 vote sent" in answer.text
    assert "cannot list actionrequests" in answer.text
    assert "There is no such request any more." not in answer.text


def test_an_open_page_fetches_itself_again_when_the_right_to_read_requests_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = SimpleNamespace(visitors=SimpleNamespace(recognise=lambda _: None))
    visit = SimpleNamespace(parts=parts, token="t", visitor=None, namespaces=frozenset[str])
    asked = cast("Asked", visit)
    forbidden = {"team-a": Refused("cannot list actionrequests", code="Forbidden")}

    def mark(read: Requests) -> str:
        monkeypatch.setattr(request_events, "requests_of", lambda *_: read)
        return request_events._mark(asked)

    assert mark(Requests((), forbidden)) != mark(Requests((), {}))
    assert mark(Requests((), {})) == mark(Requests((), {}))
