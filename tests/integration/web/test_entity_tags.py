"""A program that asks again and has the answer already is sent nothing but that."""

from __future__ import annotations

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.web_estate import NOW, Site, StoredScan, priced, resource

from finops.store.connection import Store
from finops_web.entity_tags import is_known, tag_of


@pytest.fixture
def estate(store: Store) -> Store:
    StoredScan(store).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))})
    return store


@pytest.mark.parametrize("path", ["/api/resources", "/api/costing/current", "/policies.json", "/optimizations.csv"])
def test_an_answer_that_did_not_change_is_not_sent_again(site: Site, estate: Store, path: str) -> None:
    client, headers = site.client(estate), site.bearer()
    first = client.get(path, headers=headers)
    tag = first.headers["etag"]
    assert int(first.headers["content-length"]) == len(first.content) > 0

    again = client.get(path, headers={**headers, "If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == "no-store"
    assert "default-src 'self'" in again.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/api/action-requests", "/api/audit"])
def test_what_is_read_live_says_when_and_is_not_sent_again_while_it_stays_the_same(
    site: Site, estate: Store, path: str
) -> None:
    clock, headers = FakeClock(NOW), site.bearer()
    client = site.client(estate, clock=clock)
    first = client.get(path, headers=headers)
    assert first.json()["meta"]["asOf"] == NOW.isoformat()

    clock.sleep(30)

    again = client.get(path, headers={**headers, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_savings_are_as_of_the_oldest_scan(site: Site, estate: Store) -> None:
    answer = site.client(estate).get("/api/savings", headers=site.bearer()).json()

    assert answer["meta"]["asOf"] == NOW.isoformat()


def test_after_another_scan_the_answer_comes_whole_with_another_tag(site: Site, estate: Store) -> None:
    client, headers = site.client(estate), site.bearer()
    tag = client.get("/api/resources", headers=headers).headers["etag"]
    StoredScan(estate).write({"b": (resource("ec2-instance", "i-2"), priced("0.20"))}, generation="g2")

    after = client.get("/api/resources", headers={**headers, "If-None-Match": tag})

    assert after.status_code == 200
    assert after.headers["etag"] != tag
    assert [row["id"] for row in after.json()["data"]] == ["i-2"]


def test_a_tag_opens_nothing_to_whoever_has_no_right_and_errors_and_pages_have_none(site: Site, estate: Store) -> None:
    client = site.client(estate)
    tag = client.get("/api/resources", headers=site.bearer()).headers["etag"]
    stranger = client.get("/api/resources", headers={"If-None-Match": tag})
    assert (stranger.status_code, "etag" in stranger.headers) == (401, False)
    others = client.get("/api/resources", headers={**site.bearer("bob"), "If-None-Match": tag})
    assert others.status_code in {200, 304}
    assert "etag" not in client.get("/resources", headers=site.bearer()).headers


def test_a_list_that_is_sent_while_it_is_read_has_no_tag(site: Site, estate: Store) -> None:
    answer = site.client(estate).get("/resources.csv", headers=site.bearer())
    assert (answer.status_code, "etag" in answer.headers) == (200, False)
    assert "i-1" in answer.text


@pytest.mark.parametrize(
    ("sent", "known"),
    [("*", True), ('"a"', False), ("", False), ("{tag}", True), ('"a",{tag}', True), ("W/{tag}", True), ("x", False)],
)
def test_what_a_client_names_is_compared_as_the_standard_says(sent: str, known: bool) -> None:
    tag = tag_of(b"answer")
    assert is_known(sent.format(tag=tag), tag) is known
