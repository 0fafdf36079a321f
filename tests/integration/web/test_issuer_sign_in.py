"""Sign-in by way of an issuer: who comes in and under which name, and everybody who must stay outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send
from tests.support.browser import Browser
from tests.support.fake_clock import FakeClock
from tests.support.issuer import CLIENT, SECRET, Claims, Issuer, running_issuer
from tests.support.scan_samples import recommendation
from tests.support.web_estate import NOW, Site, StoredScan, priced, resource
from tests.support.web_server import served

from finops.store.connection import Store
from finops_sandbox.kubernetes.oidc import TrustedIssuer as ClustersIssuer
from finops_web.pages import requests as page
from finops_web.people.attempts import ATTEMPT_COOKIE
from finops_web.people.id_tokens import Naming
from finops_web.people.sessions import COOKIE
from finops_web.people.trusted_issuer import TrustedIssuer

ERIN: Claims = {"email": "erin@example.org", "email_verified": True, "groups": ["deciders"]}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def issuer(site: Site, clock: FakeClock) -> Iterator[Issuer]:
    """An issuer that the cluster trusts, with erin in the group of deciders and mallory in none."""
    with running_issuer(clock.now) as made:
        made.people = {"erin": dict(ERIN), "mallory": {"email": "mallory@example.org", "groups": []}}
        site.cluster.accounts.issuer = ClustersIssuer(
            made.address,
            CLIENT,
            made.key_set,
            clock.now,
            username_claim="email",
            groups_claim="groups",
            groups_prefix="oidc:",
        )
        yield made
        site.cluster.accounts.issuer = None


def trusting(issuer: Issuer, **changes: Any) -> TrustedIssuer:
    given: dict[str, Any] = {
        "address": issuer.address,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "home": issuer.home,
        "scopes": ("openid", "email"),
        "naming": Naming("email", "", "groups", "oidc:"),
        "authority": "",
        "title": "Example",
    }
    return TrustedIssuer(**{**given, **changes})


@pytest.fixture
def client(site: Site, estate: Store, clock: FakeClock, issuer: Issuer) -> TestClient:
    return site.client(estate, clock=clock, issuer=trusting(issuer))


@pytest.fixture
def estate(store: Store) -> Store:
    mine = {"a": (resource("ec2-instance", "i-mine", name="mine"), priced("0.10"))}
    StoredScan(store, ("team-a", "all")).write(mine)
    return store


def begun(client: TestClient, wanted: str = "/resources") -> dict[str, str]:
    """What the browser asks the issuer for."""
    answer = client.get("/sign-in/issuer", params={"next": wanted})
    assert answer.status_code == 303
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def back(client: TestClient, answer: dict[str, str], **changes: str) -> Any:
    """What the dashboard says when the browser comes back."""
    return client.get("/sign-in/callback", params={**answer, **changes})


def signed_in(client: TestClient, issuer: Issuer, person: str = "erin", wanted: str = "/resources") -> Any:
    asked = begun(client, wanted)
    assert issuer.wrong_with(asked) == ""
    return back(client, issuer.code_for(person, asked))


def refused(answer: Any, words: str, status: int = 403) -> None:
    """Nobody is in, the page says why, and both ways in are offered again."""
    assert (answer.status_code, COOKIE in answer.cookies) == (status, False), answer.text
    assert words in answer.text
    assert "Sign in with Example" in answer.text
    assert "Token of the cluster" in answer.text


def test_whom_the_issuer_and_the_cluster_know_by_the_same_name_comes_in_and_goes_on_to_the_page_that_was_wanted(
    client: TestClient, issuer: Issuer
) -> None:
    answer = signed_in(client, issuer)

    assert (answer.status_code, "0;url=/resources" in answer.text) == (200, True)
    assert "SameSite=strict" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]
    page = client.get("/resources").text
    assert "erin@example.org" in page
    assert "mine" in page
    assert issuer.refused == []


def test_a_vote_carries_the_name_and_the_groups_that_the_issuer_gave(
    site: Site, client: TestClient, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "_WAIT_SECONDS", 0.0)
    with site.requests(recommendation(1)) as (named,):
        signed_in(client, issuer)
        secret = client.get("/requests").text.partition('name="form_secret" value="')[2].partition('"')[0]
        form = {"namespace": "team-a", "name": named.partition("/")[2], "decision": "Snooze", "until": "2026-03-20"}

        client.post("/requests/vote", data={**form, "form_secret": secret})

        (vote,) = site.approvals("team-a")
        assert vote.spec.approver.username == "erin@example.org"
        assert "oidc:deciders" in vote.spec.approver.groups


def test_who_is_in_no_group_with_rights_sees_nothing(client: TestClient, issuer: Issuer) -> None:
    signed_in(client, issuer, "mallory")

    assert "mallory@example.org" in client.get("/resources").text
    assert "mine" not in client.get("/resources.csv").text


def test_the_sign_in_page_offers_the_issuer_at_the_dashboards_own_name_and_the_token_beside_it(
    client: TestClient, issuer: Issuer
) -> None:
    text = client.get("/sign-in?next=/audit", headers={"Host": "evil.example"}).text

    assert f'href="{issuer.home}/sign-in/issuer?next=%2Faudit"' in text
    assert "Token of the cluster" in text
    assert "evil.example" not in text


def test_headers_of_a_proxy_change_neither_the_address_to_come_back_to_nor_who_asks(
    client: TestClient, issuer: Issuer
) -> None:
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-User": "erin@example.org"}
    answer = client.get("/sign-in/issuer", headers={**forged, "Host": "evil.example"})

    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{issuer.home}/sign-in/callback"]
    assert client.get("/resources.json", headers={**forged, "X-Remote-User": "erin@example.org"}).status_code == 401


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
def test_after_coming_back_one_stays_on_this_site(client: TestClient, issuer: Issuer, elsewhere: str) -> None:
    answer = signed_in(client, issuer, wanted=elsewhere)

    assert 'content="0;url=/"' in answer.text
    assert "evil" not in answer.text


def test_an_answer_without_the_cookie_of_its_attempt_lets_nobody_in(
    site: Site, estate: Store, client: TestClient, issuer: Issuer, clock: FakeClock
) -> None:
    answer = issuer.code_for("erin", begun(client))
    elsewhere = site.client(estate, clock=clock, issuer=trusting(issuer))

    refused(back(elsewhere, answer), "not begun in this browser")
    begun(elsewhere)
    refused(back(elsewhere, answer), "not begun in this browser")
    assert back(client, answer).status_code == 200


@pytest.mark.parametrize("state", ["", "guessed", "é"])
def test_an_answer_with_another_state_lets_nobody_in(client: TestClient, issuer: Issuer, state: str) -> None:
    refused(back(client, issuer.code_for("erin", begun(client)), state=state), "not begun in this browser")


def test_a_session_cookie_is_no_attempt_and_an_attempt_is_no_session(client: TestClient, issuer: Issuer) -> None:
    asked = begun(client)
    attempt = client.cookies[ATTEMPT_COOKIE]
    back(client, issuer.code_for("erin", asked))
    session = client.cookies[COOKIE]

    client.cookies.clear()
    client.cookies.set(ATTEMPT_COOKIE, session)
    refused(back(client, issuer.code_for("erin", asked)), "not begun in this browser")
    client.cookies.clear()
    client.cookies.set(COOKIE, attempt)
    assert client.get("/resources.json").status_code == 401


def test_an_answer_that_comes_again_lets_nobody_in(client: TestClient, issuer: Issuer) -> None:
    asked = begun(client)
    attempt, answer = client.cookies[ATTEMPT_COOKIE], issuer.code_for("erin", asked)
    assert back(client, answer).status_code == 200
    client.cookies.clear()

    refused(back(client, answer), "not begun in this browser")
    client.cookies.set(ATTEMPT_COOKIE, attempt)
    refused(back(client, answer), "it was used, or it has expired")
    assert issuer.refused == ["invalid_grant"]


def test_a_code_of_somebody_elses_attempt_lets_nobody_in(
    site: Site, estate: Store, client: TestClient, issuer: Issuer, clock: FakeClock
) -> None:
    victim = site.client(estate, clock=clock, issuer=trusting(issuer))
    stolen = issuer.code_for("erin", begun(victim))["code"]

    # The verifier stays with the victim's browser: the issuer refuses the code without it.
    refused(back(client, issuer.code_for("mallory", begun(client)), code=stolen), "it was used, or it has expired")


@pytest.mark.parametrize("iss", ["https://evil.example", ""])
def test_an_answer_of_another_issuer_lets_nobody_in(client: TestClient, issuer: Issuer, iss: str) -> None:
    refused(back(client, issuer.code_for("erin", begun(client)), iss=iss), "comes from another issuer")


@pytest.mark.parametrize(
    ("bent", "words"),
    [
        (lambda claims: {**claims, "nonce": "swapped"}, "another attempt"),
        (lambda claims: {**claims, "aud": "another"}, "does not fit"),
        (lambda claims: {**claims, "iss": "https://evil.example"}, "does not fit"),
        (lambda claims: {**claims, "exp": claims["iat"] - 60}, "has expired"),
        (lambda claims: {**claims, "email": ""}, "no claim"),
        (lambda claims: {**claims, "email_verified": False}, "has not verified"),
    ],
)
def test_an_id_token_that_is_not_as_it_must_be_lets_nobody_in(
    client: TestClient, issuer: Issuer, bent: Callable[[Claims], Claims], words: str
) -> None:
    issuer.bend.claims = bent

    refused(signed_in(client, issuer), words)


@pytest.mark.parametrize("forger", ["unsigned", "sign_as_thief"])
def test_an_id_token_that_the_issuer_did_not_sign_lets_nobody_in(
    client: TestClient, issuer: Issuer, forger: str
) -> None:
    issuer.bend.signed = getattr(issuer, forger)

    refused(signed_in(client, issuer), "The id token")


@pytest.mark.parametrize("named", ["its own name", "the name of the trusted one"])
def test_a_token_of_another_issuer_is_refused_whatever_name_and_groups_it_gives(
    client: TestClient, issuer: Issuer, clock: FakeClock, named: str
) -> None:
    with running_issuer(clock.now) as other:
        other.people = issuer.people
        claims = other.claims_of("erin", "nonce")
        name = claims["iss"] if named == "its own name" else issuer.address
        foreign = other.sign({**claims, "iss": name})
    trusted = issuer.sign(issuer.claims_of("erin", "nonce"))

    def asked(token: str, path: str) -> int:
        return int(client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code)

    for path in ("/api/resources", "/api/action-requests", "/resources.json", "/audit.json"):
        assert (asked(trusted, path), asked(foreign, path)) == (200, 401), path
    vote = {"decision": "Approve", "reason": "it is idle"}
    headers = {"Authorization": f"Bearer {foreign}"}
    assert client.post("/api/action-requests/u1/approvals", json=vote, headers=headers).status_code == 401
    pasted = client.post("/sign-in", data={"token": foreign, "next": "/"})
    assert (pasted.status_code, COOKIE in pasted.cookies) == (403, False)


def test_keys_are_kept_and_read_anew_when_the_issuer_has_changed_them(
    client: TestClient, issuer: Issuer, clock: FakeClock
) -> None:
    assert signed_in(client, issuer).status_code == 200
    assert signed_in(client, issuer).status_code == 200
    assert issuer.asked == ["document", "keys"]

    issuer.rotate("second")
    refused(signed_in(client, issuer), "none of the issuer&#39;s keys")
    clock.sleep(11)
    assert signed_in(client, issuer).status_code == 200
    assert issuer.asked == ["document", "keys", "keys"]


def test_a_session_ends_with_its_id_token(client: TestClient, issuer: Issuer, clock: FakeClock) -> None:
    signed_in(client, issuer)
    clock.sleep(3599)
    assert client.get("/resources.json").status_code == 200
    clock.sleep(2)

    assert client.get("/resources.json").status_code == 401
    assert client.get("/resources").headers["location"] == "/sign-in?next=%2Fresources"


def test_after_signing_out_a_copy_of_the_cookie_opens_nothing_on_any_replica(
    site: Site, estate: Store, client: TestClient, issuer: Issuer, clock: FakeClock
) -> None:
    signed_in(client, issuer)
    copy = client.cookies[COOKIE]
    secret = client.get("/").text.partition('name="form_secret" value="')[2].partition('"')[0]
    replica = site.client(estate, clock=clock, issuer=trusting(issuer))
    replica.cookies.set(COOKIE, copy)
    assert replica.get("/resources.json").status_code == 200

    answer = client.post("/sign-out", data={"form_secret": secret})

    onward = urlsplit(answer.text.partition('content="0;url=')[2].partition('"')[0].replace("&amp;", "&"))
    assert f"{onward.scheme}://{onward.netloc}{onward.path}" == f"{issuer.address}/end"
    sent = dict(parse_qsl(onward.query))
    # The id token is still a credential of the cluster: it stays out of histories and logs.
    assert sent == {"client_id": CLIENT, "post_logout_redirect_uri": f"{issuer.home}/sign-in"}
    assert issuer.wrong_with_end(sent) == ""
    assert replica.get("/resources.json").status_code == 401


def test_an_issuer_without_a_page_to_sign_out_ends_the_session_here(client: TestClient, issuer: Issuer) -> None:
    issuer.bend.document = {"end_session_endpoint": None}
    signed_in(client, issuer)
    secret = client.get("/").text.partition('name="form_secret" value="')[2].partition('"')[0]

    answer = client.post("/sign-out", data={"form_secret": secret})

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert client.get("/resources.json").status_code == 401


def test_a_cluster_that_does_not_trust_the_issuer_lets_nobody_in_and_the_page_says_what_to_set(
    site: Site, client: TestClient, issuer: Issuer
) -> None:
    site.cluster.accounts.issuer = None

    answer = signed_in(client, issuer)

    refused(answer, "The issuer says that you are erin@example.org, but the cluster does not take its token")
    assert f"must trust the issuer {issuer.address} with the client id {CLIENT}" in answer.text


@pytest.mark.parametrize(
    "naming", [Naming("sub", "", "", ""), Naming("email", "x:", "", ""), Naming("email", "", "groups", "other:")]
)
def test_names_that_the_cluster_makes_otherwise_let_nobody_in(
    site: Site, estate: Store, issuer: Issuer, clock: FakeClock, naming: Naming
) -> None:
    client = site.client(estate, clock=clock, issuer=trusting(issuer, naming=naming))

    answer = signed_in(client, issuer)

    refused(answer, "the cluster erin@example.org (groups: oidc:deciders, system:authenticated)")
    assert "the values of the API server" in answer.text


def test_what_the_issuer_writes_into_a_refusal_is_not_repeated(client: TestClient, issuer: Issuer) -> None:
    state = begun(client)["state"]

    answer = back(client, {"state": state, "iss": issuer.address, "error": "Call 555-0100 now"})
    refused(answer, "The issuer sent no code. Sign in again.")
    state = begun(client)["state"]
    refused(back(client, {"state": state, "iss": issuer.address, "error": "access_denied"}), "did not let you in")


def test_a_client_that_the_issuer_does_not_know_is_refused_with_that_reason(
    site: Site, estate: Store, issuer: Issuer, clock: FakeClock
) -> None:
    client = site.client(estate, clock=clock, issuer=trusting(issuer, client_secret="wrong"))

    refused(signed_in(client, issuer), "does not know the dashboard as its client")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"issuer": "https://evil.example"}, "calls itself &#39;https://evil.example&#39;"),
        ({"token_endpoint": "http://evil.example/token"}, "no usable token_endpoint"),
        ({"jwks_uri": None}, "no usable jwks_uri"),
        ({"code_challenge_methods_supported": ["plain"]}, "no PKCE with S256"),
    ],
)
def test_an_issuer_that_describes_itself_wrongly_is_not_gone_to(
    client: TestClient, issuer: Issuer, document: dict[str, Any], words: str
) -> None:
    issuer.bend.document = document

    refused(client.get("/sign-in/issuer"), words, 503)


def test_an_issuer_that_does_not_answer_is_said_and_the_token_still_lets_people_in(
    site: Site, estate: Store, issuer: Issuer, clock: FakeClock
) -> None:
    client = site.client(estate, clock=clock, issuer=trusting(issuer, address="http://127.0.0.1:1"))

    refused(client.get("/sign-in/issuer"), "The issuer does not answer at 127.0.0.1:1", 503)
    assert client.post("/sign-in", data={"token": site.token()}).status_code == 303


def test_an_id_token_that_is_too_long_for_a_cookie_is_said(client: TestClient, issuer: Issuer) -> None:
    issuer.people["erin"]["groups"] = [f"group-{number}" for number in range(300)]

    refused(signed_in(client, issuer), "too long for a cookie")


def test_without_an_issuer_there_is_no_such_way_in(site: Site, estate: Store) -> None:
    client = site.client(estate)

    assert client.get("/sign-in/issuer").status_code == 404
    assert client.get(f"/sign-in/callback?{urlencode({'code': 'x', 'state': 'y'})}").status_code == 404
    assert "Sign in with" not in client.get("/sign-in").text


class _Late:
    """An application that is made once its address is known."""

    application: FastAPI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.application(scope, receive, send)


def test_in_a_browser_one_comes_back_from_another_site_to_the_wanted_page_and_leaves_both(
    site: Site, estate: Store, issuer: Issuer, clock: FakeClock
) -> None:
    late = _Late()
    # Another host name than the dashboard's, so that the browser holds cookies back as between two sites.
    issuer.address = issuer.address.replace("127.0.0.1", "localhost")
    assert site.cluster.accounts.issuer is not None
    site.cluster.accounts.issuer = replace(site.cluster.accounts.issuer, issuer=issuer.address)
    with served(late) as home, Browser() as browser:
        issuer.home = home
        late.application = site.application(estate, clock=clock, issuer=trusting(issuer))

        browser.goto(f"{home}/resources")
        browser.click("a.button", "Sign in with Example")
        browser.wait_text("Who are you?")
        browser.click("button", "erin")
        browser.wait_text("erin@example.org", ".who")

        assert browser.evaluate("location.pathname") == "/resources"
        assert "mine" in browser.text("main")
        browser.click("button", "Sign out")
        browser.wait_text("Sign out of Example?")
        browser.click("button", "Yes")
        browser.wait_text("Sign in with Example")
        assert issuer.ended == ["erin"]
        browser.goto(f"{home}/resources")
        assert browser.evaluate("location.pathname") == "/sign-in"
        assert [line for line in browser.console if issuer.address not in line] == []
