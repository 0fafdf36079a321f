"""Who may see what: every page and endpoint asks the API server, and nothing else opens a door."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import recommendation
from tests.support.web_estate import NOW, SESSION_KEY, People, Site, StoredScan, priced, resource

from finops.store.connection import Store
from finops_web.people.sessions import COOKIE, LASTS_SECONDS, Sessions

PATHS = (
    *("/", "/optimizations", "/resources", "/requests", "/savings", "/policies", "/audit", "/dashboard.json"),
    *("/anomalies", "/anomalies.json", "/budgets", "/budgets.csv", "/audit.csv", "/requests/events"),
    *("/resources.json", "/resources.csv", "/optimizations.json", "/policies.json", "/savings.csv"),
    *("/savings/by-check.json", "/savings/by-check.csv"),
)
ENDPOINTS = (
    *("/api/instances", "/api/load-balancers", "/api/auto-scaling-groups", "/api/ebs-volumes", "/api/rds-instances"),
    *("/api/resources", "/api/optimizations", "/api/savings", "/api/costing/current", "/api/costing/by-region"),
    *(
        "/api/costing/history",
        "/api/costing/forecast",
        "/api/anomalies",
        "/api/budgets",
        "/api/dashboard",
        "/api/audit",
    ),
    "/api/audit/verify",
    *("/api/action-requests", "/api/recommendations/1", "/api/action-requests/1"),
)


@pytest.fixture
def estate(store: Store) -> Store:
    mine = {"a": (resource("ec2-instance", "i-mine", name="mine"), priced("0.10"))}
    theirs = {"b": (resource("ec2-instance", "i-theirs", name="theirs", region="eu-west-1"), priced("0.20"))}
    StoredScan(store, ("team-a", "all")).write(mine)
    StoredScan(store, ("team-b", "all")).write(theirs)
    return store


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Basic YWxpY2U6eA=="},
        {"Authorization": "Bearer "},
        {"X-Remote-User": "alice", "X-Forwarded-User": "alice", "X-Forwarded-Email": "alice@example.org"},
        {"Cookie": f"{COOKIE}=alice-token"},
    ],
)
def test_no_endpoint_answers_without_a_token_that_the_cluster_takes(
    site: Site, estate: Store, path: str, headers: dict[str, str]
) -> None:
    answer = site.client(estate).get(path, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] in {"SignInNeeded", "TokenRefused"}
    assert "mine" not in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_no_page_shows_anything_to_strangers(site: Site, estate: Store, path: str) -> None:
    answer = site.client(estate).get(path)

    assert answer.status_code in {303, 401}
    assert "mine" not in answer.text


def test_a_person_sees_the_resources_of_the_namespaces_they_may_read_and_no_others(site: Site, estate: Store) -> None:
    client = site.client(estate)

    seen = {row["id"] for row in client.get("/api/resources", headers=site.bearer()).json()["data"]}
    all_of_it = {row["id"] for row in client.get("/api/resources", headers=site.bearer("admin")).json()["data"]}

    assert (seen, all_of_it) == ({"i-mine"}, {"i-mine", "i-theirs"})
    assert client.get("/resources/ec2-instance/i-theirs", headers=site.bearer()).status_code == 404
    assert "theirs" not in client.get("/resources.csv", headers=site.bearer()).text


CLOSED = "You may not read the requests of this namespace"


@pytest.mark.parametrize("path", ["/", "/requests", "/optimizations"])
def test_requests_that_a_person_may_not_read_are_a_gap_on_every_page_that_would_show_them(
    site: Site, estate: Store, path: str
) -> None:
    client = site.client(estate)

    shown = client.get(path, headers=site.bearer("bob")).text

    assert CLOSED in shown
    assert "namespace team-a" in shown
    assert "Nobody is asked at the moment" not in shown
    assert CLOSED not in client.get(path, headers=site.bearer()).text


def test_requests_that_a_person_may_not_read_are_a_gap_in_the_data_too(site: Site, estate: Store) -> None:
    client = site.client(estate)

    answer = client.get("/api/action-requests", headers=site.bearer("bob")).json()

    assert answer["data"] == []
    assert [(gap["account"], gap["code"]) for gap in answer["meta"]["gaps"]] == [("namespace team-a", "Forbidden")]
    for twin in ("/requests.json", "/requests.csv"):
        header = client.get(twin, headers=site.bearer("bob")).headers["finops-gaps"]
        assert "namespace team-a kubernetes:list actionrequests" in " ".join(header.split())
        assert "finops-gaps" not in client.get(twin, headers=site.bearer()).headers


@pytest.mark.parametrize("path", ["/", "/requests"])
def test_a_list_of_requests_says_that_it_lacks_those_of_a_closed_namespace(
    site: Site, estate: Store, path: str
) -> None:
    client = site.client(estate)

    with site.requests(recommendation(1), namespace="team-b"):
        shown = client.get(path, headers=site.bearer("bob")).text

    assert "Requests that wait for votes" in shown
    assert "Not in this list: the requests of 1 namespace that are closed to you" in shown
    assert "No request has ended yet" not in shown


def test_a_list_of_requests_is_whole_for_a_person_who_may_read_all(site: Site, estate: Store) -> None:
    with site.requests(recommendation(1)):
        shown = site.client(estate).get("/requests", headers=site.bearer("admin")).text

    assert "Requests that wait for votes" in shown
    assert "Not in this list" not in shown
    assert "No request has ended yet" in shown


def test_a_request_of_a_closed_namespace_is_not_called_gone(site: Site, estate: Store) -> None:
    client = site.client(estate)
    with site.requests(recommendation(1)) as names:
        form = {"decision": "Deny", "chosen": names, "reason": "quiet"}
        votes = client.post("/optimizations/decide", data=form, headers=site.bearer("bob")).text
        one = client.get("/api/action-requests/uid-rec1", headers=site.bearer("bob"))
        body = {"requests": ["uid-rec1"], "decision": "Deny", "reason": "quiet"}
        (of_many,) = client.post("/api/action-requests", json=body, headers=site.bearer("bob")).json()["data"]

    assert "0 of 1 vote sent" in votes
    assert f"Not sent. {CLOSED}" in votes
    assert "There is no such request any more." not in votes
    assert one.status_code == 404
    assert "it may be in namespace team-a" in one.json()["error"]["hint"]
    assert (of_many["sent"], of_many["code"]) == (False, "NotFound")
    assert "where you may read requests" in of_many["message"]
    assert of_many["hint"] == one.json()["error"]["hint"]


def test_what_a_policy_leaves_out_by_its_tags_is_not_shown(site: Site, store: Store) -> None:
    left_out = resource("ec2-instance", "i-out", tags={"finops.dev/ignore": "true"})
    StoredScan(store).write(
        {"in": (resource("ec2-instance", "i-in"), priced("0.10")), "out": (left_out, priced("0.10"))},
        exclude_tags={"finops.dev/ignore": ("true",)},
    )

    rows = site.client(store).get("/api/resources", headers=site.bearer()).json()["data"]

    assert [row["id"] for row in rows] == ["i-in"]


def test_a_right_that_was_taken_away_ends_within_half_a_minute(site: Site, estate: Store) -> None:
    people, clock = People({"token": frozenset({"team-a"})}), FakeClock(NOW)
    client = site.client(estate, people=people, clock=clock)
    assert client.get("/api/resources", headers={"Authorization": "Bearer token"}).json()["data"]

    people.reads["token"] = frozenset()
    clock.sleep(31)
    assert client.get("/api/resources", headers={"Authorization": "Bearer token"}).json()["data"] == []

    del people.reads["token"]
    clock.sleep(31)
    assert client.get("/api/resources", headers={"Authorization": "Bearer token"}).status_code == 401


def test_rights_are_not_asked_for_at_every_request(site: Site, estate: Store) -> None:
    people = People({"token": frozenset({"team-a"})})
    client = site.client(estate, people=people)
    client.get("/api/resources", headers={"Authorization": "Bearer token"})
    asked = people.asked

    client.get("/api/resources", headers={"Authorization": "Bearer token"})

    assert people.asked == asked


def signed_in(client: Any, token: str) -> Any:
    return client.post("/sign-in", data={"token": token, "next": "/resources"})


def test_signing_in_keeps_the_token_in_a_sealed_cookie_that_scripts_and_other_sites_do_not_get(
    site: Site, estate: Store
) -> None:
    client = site.client(estate)

    answer = signed_in(client, site.token())

    assert (answer.status_code, answer.headers["location"]) == (303, "/resources")
    cookie = answer.headers["set-cookie"]
    assert site.token() not in cookie
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "mine" in client.get("/resources").text


def test_over_a_name_that_is_not_this_machine_the_cookie_goes_over_tls_alone(site: Site, estate: Store) -> None:
    answer = site.client(estate).post("/sign-in", data={"token": site.token()}, headers={"Host": "finops.example.org"})

    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("token", ["", "nobody", "to ken\x00", "x" * 5000])
def test_a_token_that_the_cluster_does_not_take_signs_nobody_in(site: Site, estate: Store, token: str) -> None:
    answer = signed_in(site.client(estate), token)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "http:evil", "/a\nb"]
)
def test_after_signing_in_one_stays_on_this_site(site: Site, estate: Store, elsewhere: str) -> None:
    answer = site.client(estate).post("/sign-in", data={"token": site.token(), "next": elsewhere})

    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_nobody_is_signed_in_by_another_site(site: Site, estate: Store, headers: dict[str, str]) -> None:
    answer = site.client(estate).post("/sign-in", data={"token": site.token()}, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_cookie_ends_after_eight_hours_and_with_another_key() -> None:
    sealed = Sessions(SESSION_KEY).seal("alice-token")
    assert sealed is not None
    opened = Sessions(SESSION_KEY).open(sealed)

    assert opened is not None
    assert opened.token == "alice-token"
    assert Sessions("another key").open(sealed) is None
    assert Sessions("").open(sealed) is None
    assert Sessions(SESSION_KEY).open(sealed[:-2] + "AA") is None
    assert LASTS_SECONDS == 8 * 3600


@pytest.mark.parametrize("path", ["/optimizations/vote", "/requests/vote", "/sign-out"])
@pytest.mark.parametrize("secret", ["", "guessed"])
def test_a_form_that_was_not_made_for_the_session_changes_nothing(
    site: Site, estate: Store, path: str, secret: str
) -> None:
    client = site.client(estate)
    signed_in(client, site.token())
    form = {"form_secret": secret, "namespace": "team-a", "name": "x", "decision": "Approve"}

    answer = client.post(path, data=form)

    assert answer.status_code == 403
    assert "This form was not made for your session" in answer.text.replace("this", "This")


def test_a_vote_by_cookie_through_the_api_needs_the_forms_secret_too(site: Site, estate: Store) -> None:
    client = site.client(estate)
    signed_in(client, site.token())

    answer = client.post("/api/action-requests/1/approvals", json={"decision": "Approve"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FormForged")


@pytest.mark.parametrize(
    "path",
    [*(one for one in PATHS if one != "/requests/events"), *ENDPOINTS, "/sign-in", "/nothing", "/static/finops.css"],
)
def test_every_answer_keeps_foreign_scripts_and_frames_out(site: Site, estate: Store, path: str) -> None:
    headers = site.client(estate).get(path, headers=site.bearer()).headers

    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_no_page_carries_an_inline_script_or_an_inline_style(site: Site, estate: Store) -> None:
    client = site.client(estate)

    for path in ("/", "/optimizations", "/resources", "/savings", "/policies", "/audit", "/anomalies", "/sign-in"):
        text = client.get(path, headers=site.bearer()).text
        assert re.findall(r"<script[^>]*>[^<]*", text) == ['<script src="/static/finops.js" defer>'], path
        assert " style=" not in text, path
        assert " onclick" not in text, path


def test_a_body_that_is_too_large_is_refused_unread(site: Site, estate: Store) -> None:
    answer = site.client(estate).post("/sign-in", data={"token": "x" * 70_000})

    assert answer.status_code == 413


def test_an_address_with_a_token_lets_people_in_at_the_demo_and_nowhere_else(site: Site, estate: Store) -> None:
    address = f"/sign-in?token={site.token()}"

    entered = site.client(estate, demo=True).get(address)
    elsewhere = site.client(estate).get(address)
    strange = site.client(estate, demo=True).get("/sign-in?token=nobody")

    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert COOKIE in entered.cookies
    assert (elsewhere.status_code, COOKIE in elsewhere.cookies) == (200, False)
    assert (strange.status_code, COOKIE in strange.cookies) == (403, False)
