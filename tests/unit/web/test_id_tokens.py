"""Which id tokens name a person, and which do not: each rule of OpenID Connect, broken one at a time."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from finops.errors import InvalidInput
from finops.settings import Settings
from finops_web.people.id_tokens import (
    SKEW_SECONDS,
    Expected,
    Identity,
    IdTokenRefused,
    KeyUnknown,
    Naming,
    judge,
    keys_in,
)
from finops_web.people.trusted_issuer import trusted_issuer

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER, CLIENT, NONCE = "https://id.example.org/realm", "dashboard", "the nonce of this attempt"
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})
BARE = Naming("email", "", "groups", "oidc:")
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "s-1",
    "email": "erin@example.org",
    "groups": ["deciders"],
    "nonce": NONCE,
    "iat": AT,
    "exp": AT + 600,
}


def public(*keys: RSAKey | ECKey, **changes: str) -> dict[str, Any]:
    return {"keys": [{**key.as_dict(private=False), **changes} for key in keys]}


def signed(changes: dict[str, Any] | None = None, *, without: str = "", **header: Any) -> str:
    claims = {**CLAIMS, **(changes or {})}
    claims.pop(without, None)
    return jwt.encode({"alg": "RS256", "kid": "rsa", **header}, claims, RSA)


def judged(token: str, naming: Naming = BARE) -> Identity:
    return judge(token, keys_in(public(RSA, EC)), Expected(ISSUER, CLIENT, NONCE), naming, NOW)


def test_a_token_whose_every_rule_holds_names_its_person_with_the_prefixes_of_the_cluster() -> None:
    ec = jwt.encode({"alg": "ES256", "kid": "ec"}, dict(CLAIMS), EC)
    until = NOW + timedelta(minutes=10)

    for token in (signed(), ec):
        assert judged(token) == Identity("erin@example.org", ("oidc:deciders",), until)
    assert judged(signed(), Naming("sub", f"{ISSUER}#", "", "")) == Identity(f"{ISSUER}#s-1", (), until)


def test_one_group_may_come_as_a_text_and_none_at_all() -> None:
    assert judged(signed({"groups": "sre"})).groups == ("oidc:sre",)
    assert judged(signed(without="groups")).groups == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aud": "another-client"}, "aud"),
        ({"aud": ["another-client"]}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": [CLIENT, "another"]}, "azp"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"iss": "https://id.example.org/other-realm"}, "iss"),
        ({"iss": ISSUER + "/"}, "iss"),
        ({"exp": AT - SKEW_SECONDS - 1}, "expired"),
        ({"exp": "never"}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"nbf": AT + SKEW_SECONDS + 1}, "not yet valid"),
        ({"iat": AT + SKEW_SECONDS + 1}, "in the future"),
        ({"nonce": "the nonce of somebody else's attempt"}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"nonce": [NONCE]}, "nonce"),
        ({"sub": ""}, "sub"),
        ({"email": ""}, "email"),
        ({"email": "  "}, "email"),
        ({"email": ["erin@example.org"]}, "email"),
        ({"email_verified": False}, "not verified"),
        ({"email_verified": "false"}, "not verified"),
        ({"groups": [{"name": "deciders"}]}, "groups"),
        ({"groups": {"deciders": True}}, "groups"),
    ],
)
def test_a_token_with_one_claim_that_is_not_as_it_must_be_names_nobody(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(IdTokenRefused, match=why):
        judged(signed(changes))


@pytest.mark.parametrize("without", ["iss", "aud", "sub", "exp", "iat", "nonce", "email"])
def test_a_token_that_lacks_a_claim_names_nobody(without: str) -> None:
    with pytest.raises(IdTokenRefused, match=without):
        judged(signed(without=without))


def test_clocks_may_differ_a_little() -> None:
    late = {"iat": AT + SKEW_SECONDS, "nbf": AT + SKEW_SECONDS, "exp": AT - SKEW_SECONDS + 1}

    assert judged(signed(late)).name == "erin@example.org"


def _none() -> str:
    return f"eyJhbGciOiJub25lIn0.{signed().split('.')[1]}."


def _by_public_key() -> str:
    """By the public key as a shared secret, which whoever mixes up algorithms takes."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"rsa"}').decode().rstrip("=")
    content = f"{head}.{signed().split('.')[1]}"
    made = hmac.digest(RSA.as_pem(private=False), content.encode(), "sha256")
    return f"{content}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


def _by_thief() -> str:
    return jwt.encode({"alg": "RS256", "kid": "rsa"}, dict(CLAIMS), OTHER)


def _brings_its_key() -> str:
    return jwt.encode({"alg": "RS256", "jwk": OTHER.as_dict(private=False)}, dict(CLAIMS), OTHER)


def _unknown_extension() -> str:
    _, body, end = signed().split(".")
    return f"eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.{body}.{end}"


def _changed_after_signing() -> str:
    return ".".join(
        (signed().split(".")[0], signed({"email": "admin@example.org"}).split(".")[1], signed().split(".")[2])
    )


@pytest.mark.parametrize(
    "made", [_none, _by_public_key, _by_thief, _brings_its_key, _unknown_extension, _changed_after_signing]
)
def test_a_signature_that_is_not_the_issuers_names_nobody(made: Callable[[], str]) -> None:
    with pytest.raises(IdTokenRefused):
        judged(made())


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_what_is_no_token_names_nobody(token: str) -> None:
    with pytest.raises(IdTokenRefused):
        judged(token)


def test_only_keys_that_verify_signatures_are_taken_from_a_key_set() -> None:
    small = {"kty": "RSA", "kid": "small", "e": "AQAB", "n": "w" * 170}
    shared = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"}
    strange = {"kty": "AKP", "kid": "of-tomorrow", "pub": "AA"}
    broken = {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA"}
    given_keys = [small, shared, strange, broken, *public(RSA, use="enc")["keys"], *public(EC)["keys"], "no key"]

    assert [key.kid for key in keys_in({"keys": given_keys})] == ["ec"]
    assert keys_in({}) == ()
    assert keys_in({"keys": "none"}) == ()


def test_a_token_of_a_key_that_is_not_known_yet_is_refused_as_such_so_that_keys_are_read_anew() -> None:
    with pytest.raises(KeyUnknown):
        judge(signed(), keys_in(public(EC)), Expected(ISSUER, CLIENT, NONCE), BARE, NOW)


GIVEN = Settings(
    oidc_issuer=ISSUER, oidc_client_id=CLIENT, oidc_client_secret="s", web_address="https://finops.example.org/"
)


def test_names_have_the_prefixes_that_the_api_server_gives_when_nothing_is_said() -> None:
    def prefix(**changes: Any) -> str:
        found = trusted_issuer(GIVEN.model_copy(update=changes))
        assert found is not None
        return found.naming.username_prefix

    assert prefix() == f"{ISSUER}#"
    assert prefix(oidc_username_claim="email") == ""
    assert prefix(oidc_username_prefix="-") == ""
    assert prefix(oidc_username_claim="email", oidc_username_prefix="oidc:") == "oidc:"


def test_people_are_sent_back_to_the_address_of_the_settings() -> None:
    found = trusted_issuer(GIVEN)

    assert found is not None
    assert found.redirect == "https://finops.example.org/sign-in/callback"
    assert (found.scopes, found.title) == (("openid", "email", "profile"), "id.example.org")
    assert "client_secret" not in repr(found)


def test_without_an_issuer_there_is_none() -> None:
    assert trusted_issuer(Settings()) is None


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"oidc_client_id": ""}, "FINOPS_OIDC_CLIENT_ID"),
        ({"web_address": ""}, "FINOPS_WEB_ADDRESS"),
        ({"web_address": "http://finops.example.org"}, "FINOPS_WEB_ADDRESS"),
        ({"web_address": "https://example.org/finops"}, "FINOPS_WEB_ADDRESS"),
        ({"oidc_issuer": "http://id.example.org"}, "FINOPS_OIDC_ISSUER"),
        ({"oidc_issuer": "https://me:secret@id.example.org"}, "FINOPS_OIDC_ISSUER"),
        ({"oidc_issuer": "https://id.example.org:99999"}, "FINOPS_OIDC_ISSUER"),
        ({"oidc_issuer": "id.example.org"}, "FINOPS_OIDC_ISSUER"),
    ],
)
def test_settings_over_which_secrets_would_travel_open_or_astray_stop_the_start(
    changes: dict[str, str], variable: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        trusted_issuer(GIVEN.model_copy(update=changes))

    assert caught.value.field == variable
