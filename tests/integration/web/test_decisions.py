"""Deciding on the Optimizations page: filters, many at once with one result each, and what follows by itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest
from tests.support.scan_samples import recommendation
from tests.support.web_estate import Site, StoredScan, priced, resource

from finops.domain.recommendation import ActionType, Status
from finops.domain.report import Savings, StatusSum
from finops.errors import ClusterUnavailable
from finops.store.connection import Store
from finops_web.context import Asked
from finops_web.pages import decide_many, request_events


@pytest.fixture
def listed(store: Store) -> Store:
    first = recommendation(1, tags={"owner": "orders"})
    second = recommendation(2, status=Status.ADVICE)
    place = replace(second.resource, kind="ebs-volume", region="eu-west-1", account="222222222222")
    second = replace(second, resource=place)
    scan = StoredScan(store)
    scan.write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))}, recommendations=(first, second))
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"rec1", "rec2"}),
        ("status=actionable", {"rec1"}),
        ("status=Advice", {"rec2"}),
        ("kind=ebs-volume", {"rec2"}),
        ("region=eu-west-1", {"rec2"}),
        ("account=222222222222", {"rec2"}),
        ("owner=orders", {"rec1"}),
        ("find=IDLE", {"rec1", "rec2"}),
        ("status=Advice&owner=orders", set()),
    ],
)
def test_every_filter_narrows_the_page_its_twins_and_the_api_alike(
    site: Site, listed: Store, query: str, found: set[str]
) -> None:
    client = site.client(listed)

    api = client.get(f"/api/optimizations?{query}", headers=site.bearer()).json()["data"]
    twin = client.get(f"/optimizations.json?{query}", headers=site.bearer()).json()
    table = client.get(f"/optimizations.csv?{query}", headers=site.bearer()).text
    page = client.get(f"/optimizations?{query}", headers=site.bearer()).text

    assert {one["id"] for one in api} == {one["id"] for one in twin} == found
    assert {one for one in ("rec1", "rec2") if one in table} == found
    assert {one for one in ("rec1", "rec2") if f"open={one}" in page} == found


@pytest.mark.parametrize("path", ["/optimizations", "/optimizations.json", "/optimizations.csv", "/api/optimizations"])
def test_a_status_that_there_is_not_is_refused_and_no_empty_list(site: Site, listed: Store, path: str) -> None:
    answer = site.client(listed).get(f"{path}?status=odd", headers=site.bearer())

    assert answer.status_code == 422
    assert "tatus is not one of the values allowed" in answer.text


def test_a_filter_can_be_removed_by_its_link_and_what_it_hides_is_said(site: Site, listed: Store) -> None:
    page = site.client(listed).get("/optimizations?status=Advice&region=eu-west-1", headers=site.bearer()).text

    assert "1 hidden by:" in page
    assert 'href="/optimizations?region=eu-west-1"' in page


def test_the_sums_of_a_narrowed_list_are_those_of_what_is_shown(site: Site, store: Store) -> None:
    found = tuple(recommendation(number, monthly_savings=Decimal(number)) for number in (1, 2, 3))
    found = (*found, recommendation(4, monthly_savings=None, summary="It lasts.", lasts_days=None))
    whole = Savings(actionable=StatusSum(Decimal("6.00"), 4, unknown=1))
    StoredScan(store).write(
        {"a": (resource("ec2-instance", "i-1"), priced("0.10"))}, recommendations=found, savings=whole
    )
    client = site.client(store)

    def sums(query: str) -> list[str]:
        page = client.get(f"/optimizations{query}", headers=site.bearer()).text
        return re.findall(r'<tr class="group">.*?<span class="soft small">(.*?)</span>', page)

    assert sums("") == ["$6.00 in 4, 1 unknown"]
    assert sums(f"?find={recommendation(2).resource.id}") == ["$2.00 in 1"]
    assert sums("?find=it+lasts") == ["$0.00 in 1, 1 unknown"]


@pytest.fixture
def requests(site: Site) -> Iterator[list[str]]:
    """Two requests of namespace team-a, the second of them a deletion, and their names."""
    stop = recommendation(1)
    delete = recommendation(2, action="ebs_volume_delete", action_type=ActionType.DELETE, destructive=True)
    with site.requests(stop, delete) as names:
        yield names


def decide(site: Site, store: Store, **form: Any) -> Any:
    return site.client(store).post("/optimizations/decide", data=form, headers=site.bearer())


def test_many_are_decided_with_one_reason_and_each_has_its_own_result(
    site: Site, listed: Store, requests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide_many, "_WAIT_SECONDS", 0.0)

    answer = decide(site, listed, decision="Approve", chosen=[*requests, "team-a/gone"], reason="quiet for weeks")

    assert answer.status_code == 200, answer.text
    assert "1 of 3 votes sent" in answer.text
    assert "The vote is recorded; the operator has not answered yet." in answer.text
    assert "a deletion is approved on its own" in answer.text
    assert "There is no such request any more." in answer.text
    votes = site.approvals("team-a")
    assert [(one.spec.request.name, one.spec.reason) for one in votes] == [("r-rec1", "quiet for weeks")]


def test_nothing_selected_is_no_vote(site: Site, listed: Store) -> None:
    answer = decide(site, listed, decision="Deny", reason="x")

    assert answer.status_code == 422
    assert "Nothing is selected" in answer.text.replace("nothing", "Nothing")


def test_more_than_a_hundred_are_refused_whole(site: Site, listed: Store) -> None:
    answer = decide(site, listed, decision="Deny", chosen=[f"team-a/r{number}" for number in range(101)])

    assert answer.status_code == 422


def test_a_form_for_many_that_was_not_made_for_the_session_sends_nothing(site: Site, listed: Store) -> None:
    client = site.client(listed)
    client.post("/sign-in", data={"token": site.token()})

    answer = client.post(
        "/optimizations/decide", data={"decision": "Approve", "chosen": "team-a/x", "form_secret": "guessed"}
    )

    assert answer.status_code == 403


def _events(monkeypatch: pytest.MonkeyPatch, marks: list[Any], rounds: int) -> list[str]:
    """Return what the stream says when the requests' marks are `marks`, one a round."""

    def mark(_: Asked) -> str:
        found = marks.pop(0)
        if isinstance(found, Exception):
            raise found
        return str(found)

    async def collect() -> list[str]:
        left = rounds

        async def gone() -> bool:
            nonlocal left
            left -= 1
            return left <= 0

        async def sleep(_: float) -> None:
            return None

        return [text async for text in request_events.changes(cast("Asked", None), gone=gone, sleep=sleep)]

    monkeypatch.setattr(request_events, "_mark", mark)
    return asyncio.run(collect())


def test_an_open_page_learns_of_changes_and_of_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _events(monkeypatch, ["a", "a", "b", "b"], 4)

    assert [one.splitlines()[0] for one in said[1:]] == [
        ": nothing new",
        ": nothing new",
        "event: changed",
        ": nothing new",
    ]


def test_the_stream_ends_when_the_token_or_the_cluster_does(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _events(monkeypatch, ["a", ClusterUnavailable("the API server does not answer"), "b"], 9)

    assert len(said) == 3
    assert said[-1].startswith("event: changed")


def test_the_stream_asks_for_a_visitor(site: Site, listed: Store) -> None:
    answer = site.client(listed).get("/requests/events", headers={"Authorization": "Bearer nobody"})

    assert answer.status_code in {303, 401}
