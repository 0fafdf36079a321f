"""Who may change policies calls a change of cost expected: it stays listed with who said so, and can be ended."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.support.browser import Browser
from tests.support.budgets import INSTANCES, VOLUMES, policy_object, remember
from tests.support.hostile_text import HOSTILE
from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource
from tests.support.web_server import served

from finops.crds.expected import PREFIX, annotation_of, expected_of
from finops.crds.scan_policy import ScanPolicy
from finops.domain.analytics.expected import LONGEST_DAYS, Expected
from finops.k8s.connection import connect
from finops.k8s.kinds import KindApi, scan_policies
from finops.store.connection import Store

UNTIL = (NOW.date() + timedelta(days=7)).isoformat()
FORM = {
    "account": ACCOUNT,
    "region": "us-east-1",
    "service": "ec2-instance",
    "way": "More",
    "reason": "load test",
    "until": UNTIL,
    "extra": "200.00",
}


@pytest.fixture
def policies(site: Site, store: Store) -> Iterator[KindApi[ScanPolicy]]:
    """A rise of the instances' cost yesterday, under a policy of team-a."""
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1"), priced("0.10")),
            "b": (resource("ebs-volume", "vol-1"), priced(monthly="8.00")),
        }
    )
    remember(store, INSTANCES, "3041.6667", 60)
    remember(store, VOLUMES, "304.16667", 60)
    remember(store, INSTANCES, "9125", 2)
    api = scan_policies(connect(str(site.cluster.kubeconfig_for("admin"))))
    made = policy_object("all")
    made["metadata"] = {"name": "all", "namespace": "team-a"}
    api.create(ScanPolicy.from_object(made))
    try:
        yield api
    finally:
        api.delete("team-a", "all")


def said(policies: KindApi[ScanPolicy]) -> tuple[Expected, ...]:
    found = policies.get("team-a", "all")
    assert found is not None
    return expected_of(found)


def test_what_is_expected_stays_listed_with_who_said_so_and_ends_by_a_word(
    site: Site, store: Store, policies: KindApi[ScanPolicy]
) -> None:
    client, admin = site.client(store), site.bearer("admin")
    assert "It is expected" in client.get("/anomalies", headers=admin).text

    answer = client.post("/anomalies/expected", data=FORM, headers=admin)

    assert answer.status_code == 303
    assert "alerts nobody through" in unquote(answer.headers["location"])
    (one,) = said(policies)
    assert (one.reason, one.until.isoformat(), one.by, one.service) == ("load test", UNTIL, "admin", "ec2-instance")
    reader = client.get("/anomalies", headers=site.bearer()).text
    assert f"through {UNTIL}: load test (admin)" in reader
    assert "Alert again" not in reader
    (listed,) = client.get("/anomalies.json", headers=site.bearer()).json()
    assert listed["causes"][0]["expected"] == {"until": UNTIL, "reason": "load test", "by": "admin"}
    assert f"ec2-instance until {UNTIL} (admin)" in client.get("/anomalies.csv", headers=site.bearer()).text

    again = client.post("/anomalies/alert-again", data=FORM, headers=admin)

    assert "alerts again" in unquote(again.headers["location"])
    assert said(policies) == ()


def test_who_may_not_change_policies_may_not_say_so(site: Site, store: Store, policies: KindApi[ScanPolicy]) -> None:
    client = site.client(store)

    for path in ("/anomalies/expected", "/anomalies/alert-again"):
        for person in ("alice", "bob", "carol"):
            assert client.post(path, data=FORM, headers=site.bearer(person)).status_code == 403, (path, person)
        assert client.post(path, data=FORM).status_code == 303, "nobody is signed in"
    elsewhere = {**FORM, "account": "999999999999"}
    assert client.post("/anomalies/expected", data=elsewhere, headers=site.bearer("admin")).status_code == 403

    assert "It is expected" not in client.get("/anomalies", headers=site.bearer()).text
    assert said(policies) == ()


def test_a_form_that_was_not_made_for_the_session_says_nothing(
    site: Site, store: Store, policies: KindApi[ScanPolicy]
) -> None:
    client = site.client(store)
    client.post("/sign-in", data={"token": site.token("admin"), "next": "/"})

    assert client.post("/anomalies/expected", data={**FORM, "form_secret": "guessed"}).status_code == 403
    assert said(policies) == ()

    secret = re.search(r'name="form_secret" value="([^"]+)"', client.get("/anomalies").text)
    assert secret is not None
    assert client.post("/anomalies/expected", data={**FORM, "form_secret": secret[1]}).status_code == 303
    assert len(said(policies)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": (NOW.date() - timedelta(days=1)).isoformat()},
        {"until": (NOW.date() + timedelta(days=LONGEST_DAYS + 1)).isoformat()},
        {"until": "soon"},
        {"reason": "   "},
        {"reason": "x" * 301},
        {"extra": "0.00"},
        {"extra": "1e9"},
    ],
    ids=["a past day", "too far", "no day", "no reason", "too long a reason", "no change", "no amount"],
)
def test_what_cannot_be_taken_is_said_on_the_page_and_changes_nothing(
    site: Site, store: Store, policies: KindApi[ScanPolicy], wrong: dict[str, str]
) -> None:
    answer = site.client(store).post("/anomalies/expected", data={**FORM, **wrong}, headers=site.bearer("admin"))

    assert answer.status_code == 303
    assert "/anomalies?problem=" in answer.headers["location"]
    assert said(policies) == ()


def test_a_hostile_reason_stays_text_and_what_has_ended_goes_with_the_next_word(
    site: Site, store: Store, policies: KindApi[ScanPolicy]
) -> None:
    client, admin = site.client(store), site.bearer("admin")
    old = '{"account":"1","region":"r","service":"s","way":"More","reason":"x","until":"2020-01-01","by":"b",'
    policies.annotate(
        "team-a", "all", {f"{PREFIX}{'0' * 20}": old + '"at":"2020-01-01T00:00:00+00:00","extraPerDay":"1"}'}
    )
    reason = f"<script>alert(1)</script>{HOSTILE}"[:300]

    answer = client.post("/anomalies/expected", data={**FORM, "reason": reason}, headers=admin)

    assert "said=" in answer.headers["location"]
    assert "<script>alert" not in client.get("/anomalies", headers=admin).text
    found = policies.get("team-a", "all")
    assert found is not None
    assert [one.service for one in expected_of(found)] == ["ec2-instance"]


def test_what_keeps_no_alert_back_says_why_beside_the_cause(
    site: Site, store: Store, policies: KindApi[ScanPolicy]
) -> None:
    client, admin = site.client(store), site.bearer("admin")
    client.post("/anomalies/expected", data={**FORM, "extra": "99.00"}, headers=admin)
    (one,) = said(policies)
    (listed,) = client.get("/anomalies.json", headers=admin).json()
    assert (one.most, listed["causes"][0]["expected"]) == (198.0, None)
    page = client.get("/anomalies", headers=admin).text
    assert "expected were 99.00 USD a day; above 198.00 it alerts all the same" in page
    assert 'name="extra" value="200.00"' in page

    far = replace(one, extra=Decimal(200), until=NOW.date() + timedelta(days=LONGEST_DAYS + 1))
    policies.annotate("team-a", "all", dict([annotation_of(far)]))

    assert "which is more than 366 days ahead: alerts go on" in client.get("/anomalies", headers=admin).text


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_it_is_said_in_a_browser_on_a_phone_and_a_desk(
    site: Site, store: Store, policies: KindApi[ScanPolicy], width: int, dark: bool
) -> None:
    with served(site.application(store)) as address, Browser(width=width, height=900, dark=dark) as browser:
        browser.goto(f"{address}/sign-in")
        browser.evaluate(f"document.querySelector('textarea').value = {site.token('admin')!r}")
        browser.evaluate("document.querySelector('form').submit()")
        browser.wait_for("document.querySelector('nav') !== null")
        browser.goto(f"{address}/anomalies")
        browser.evaluate('document.querySelector("details.word").open = true')
        picture(browser, f"form-{width}")
        browser.evaluate(
            f'document.querySelector("input[name=until]").value = "{UNTIL}";'
            'document.querySelector("input[name=reason]").value = "load test";'
            "document.querySelector(\"form[action='/anomalies/expected']\").requestSubmit()"
        )
        browser.wait_for('document.body.textContent.includes("load test (admin)")')
        picture(browser, f"said-{width}")
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert browser.console == []
    assert len(said(policies)) == 1


def picture(browser: Browser, name: str) -> None:
    """Keep a picture for people, where one is asked for."""
    folder = os.environ.get("FINOPS_PICTURES_OF_PAGES")
    if folder:
        browser.screenshot(Path(folder, f"expected-{name}.png"))


BODY = {key: value for key, value in FORM.items() if key != "extra"} | {"extraPerDay": FORM["extra"]}
PART = {key: FORM[key] for key in ("account", "region", "service", "way")}


def test_a_program_says_and_ends_what_is_expected(site: Site, store: Store, policies: KindApi[ScanPolicy]) -> None:
    client, admin = site.client(store), site.bearer("admin")

    answer = client.post("/api/anomalies/expected", json=BODY, headers=admin)

    assert (answer.status_code, answer.json()["data"]["policies"]) == (201, ["team-a/all"])
    (one,) = said(policies)
    assert answer.json()["data"]["expected"] == one.to_json()
    assert (one.by, one.extra) == ("admin", Decimal("200.00"))
    for wanted in (["team-a/all"], []):
        ended = client.post("/api/anomalies/alert-again", json=PART, headers=admin)
        assert (ended.status_code, ended.json()["data"]["policies"]) == (200, wanted)
    assert said(policies) == ()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"until": (NOW.date() - timedelta(days=1)).isoformat()}, "until"),
        ({"until": "soon"}, "until"),
        ({"reason": " "}, "reason"),
        ({"extraPerDay": "0.00"}, "extra"),
        ({"extraPerDay": "1e9"}, "extraPerDay"),
        ({"way": "Sideways"}, "way"),
        ({"more": "x"}, "more"),
    ],
)
def test_a_program_is_answered_what_cannot_be_taken(
    site: Site, store: Store, policies: KindApi[ScanPolicy], wrong: dict[str, str], field: str
) -> None:
    answer = site.client(store).post("/api/anomalies/expected", json={**BODY, **wrong}, headers=site.bearer("admin"))

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert said(policies) == ()


def test_a_program_needs_the_right_and_a_session_the_forms_secret(
    site: Site, store: Store, policies: KindApi[ScanPolicy]
) -> None:
    client = site.client(store)
    for path, body in (("expected", BODY), ("alert-again", PART)):
        assert client.post(f"/api/anomalies/{path}", json=body).status_code == 401
        for person in ("alice", "bob", "carol"):
            refused = client.post(f"/api/anomalies/{path}", json=body, headers=site.bearer(person))
            assert refused.status_code == 403, (path, person)
    client.post("/sign-in", data={"token": site.token("admin"), "next": "/"})
    forged = client.post("/api/anomalies/expected", json=BODY)
    assert (forged.status_code, forged.json()["error"]["code"]) == (403, "FormForged")
    assert said(policies) == ()


def test_an_annotation_that_cannot_be_read_is_named_with_what_is_wrong(
    site: Site, store: Store, policies: KindApi[ScanPolicy]
) -> None:
    client, admin = site.client(store), site.bearer("admin")
    client.post("/api/anomalies/expected", json=BODY, headers=admin)
    (one,) = said(policies)
    key, text = annotation_of(one)
    policies.annotate("team-a", "all", {key: re.sub(r',"extraPerDay":"[^"]*"', "", text)})

    answer = client.get("/api/anomalies", headers=site.bearer()).json()

    (found,) = answer["data"]["notRead"]
    assert found["policy"] == "team-a/all"
    assert "has no extraPerDay" in found["problem"]
    assert "has no extraPerDay" in client.get("/anomalies", headers=site.bearer()).text
    assert answer["data"]["anomalies"][0]["causes"][0]["expected"] is None
