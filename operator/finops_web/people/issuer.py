"""Speaks OpenID Connect with the trusted issuer: where people sign in, what a code is worth, which keys sign.

Documents and keys are kept for an hour. Keys are read anew when none of them fits a token, at most every ten seconds:
that is how an issuer changes its keys. Nothing is followed anywhere else, and nothing is repeated.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from finops.errors import Refused, Unavailable
from finops.ports.clock import Clock
from finops_web.people.attempts import Attempt
from finops_web.people.id_tokens import Expected, Identity, KeyUnknown, VerifyingKey, judge, keys_in
from finops_web.people.trusted_issuer import TrustedIssuer, is_safe_address

logger = logging.getLogger(__name__)
KEPT_SECONDS: Final = 3600.0
KEYS_AGAIN_SECONDS: Final = 10.0
SIGNED_OUT: Final = "/sign-in"
_LARGEST_ANSWER: Final = 256 * 1024
_TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=7.0)
_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class IssuerUnavailable(Unavailable):
    """The issuer does not answer, or not as OpenID Connect asks."""


class CodeRefused(Refused):
    """The issuer gives no token for the code."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    read_at: float


class Issuer:
    """One trusted issuer; thread-safe. Every method raises IssuerUnavailable."""

    def __init__(self, trusted: TrustedIssuer, clock: Clock) -> None:
        self.trusted = trusted
        self._clock = clock
        self._pool = urllib3.PoolManager(
            maxsize=4, timeout=_TIMEOUT, retries=False, cert_reqs="CERT_REQUIRED", **_authority(trusted)
        )
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def sign_in_address(self, attempt: Attempt) -> str:
        """Return where the browser goes to sign in."""
        document = self._document()
        methods = document.get("code_challenge_methods_supported")
        if isinstance(methods, list) and "S256" not in methods:
            raise _unusable("takes no PKCE with S256", "turn it on for this client")
        return _with_query(
            document["authorization_endpoint"],
            {
                "response_type": "code",
                "client_id": self.trusted.client_id,
                "redirect_uri": self.trusted.redirect,
                "scope": " ".join(self.trusted.scopes),
                "state": attempt.state,
                "nonce": attempt.nonce,
                "code_challenge": attempt.challenge,
                "code_challenge_method": "S256",
            },
        )

    def names_itself(self, sent: str) -> bool:
        """Return whether an answer comes from this issuer, as far as it says so (RFC 9207)."""
        must = self._document().get("authorization_response_iss_parameter_supported") is True
        return sent == self.trusted.address or not (sent or must)

    def redeem(self, code: str, attempt: Attempt) -> str:
        """Return the id token that a code is worth, not judged yet. Raises CodeRefused."""
        document = self._document()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.trusted.redirect,
            "code_verifier": attempt.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self.trusted.client_secret and "client_secret_basic" in methods:
            pair = f"{quote(self.trusted.client_id, safe='')}:{quote(self.trusted.client_secret, safe='')}"
            headers |= urllib3.make_headers(basic_auth=pair)
        else:
            form["client_id"] = self.trusted.client_id
            if self.trusted.client_secret:
                form["client_secret"] = self.trusted.client_secret
        status, answer = self._ask("POST", document["token_endpoint"], urlencode(form), headers)
        if status >= 500:
            raise _unusable(f"answers {status} for the code", "try again in a minute")
        if status != 200:
            raise _code_refused(answer)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _unusable("sent no id token", "allow the scope openid for this client")
        return token

    def judge(self, token: str, attempt: Attempt) -> Identity:
        """Return whom an id token names. Raises IdTokenRefused."""
        expected = Expected(self.trusted.address, self.trusted.client_id, attempt.nonce)
        try:
            return judge(token, self._keys(KEPT_SECONDS), expected, self.trusted.naming, self._clock.now())
        except KeyUnknown:
            keys = self._keys(KEYS_AGAIN_SECONDS)
        return judge(token, keys, expected, self.trusted.naming, self._clock.now())

    def sign_out_address(self) -> str:
        """Return where the browser goes to sign out of the issuer too, empty where it offers no such page.

        Without `id_token_hint`, as OpenID Connect RP-Initiated Logout 1.0 section 2 permits: addresses stay in
        histories and logs, and the id token is still a credential of the cluster. The issuer may ask before it ends
        its session.
        """
        end = self._document().get("end_session_endpoint")
        if not isinstance(end, str) or not is_safe_address(end):
            return ""
        back = {"post_logout_redirect_uri": self.trusted.home + SIGNED_OUT, "client_id": self.trusted.client_id}
        return _with_query(end, back)

    def _document(self) -> Mapping[str, Any]:
        """Return the issuer's description of itself, which must be its own."""

        def read() -> Mapping[str, Any]:
            found = self._get(f"{self.trusted.address.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.trusted.address:
                raise _unusable(
                    f"calls itself {str(found.get('issuer'))[:200]!r}", "write FINOPS_OIDC_ISSUER exactly so"
                )
            for name in _NEEDED:
                if not isinstance(found.get(name), str) or not is_safe_address(found[name]):
                    raise _unusable(f"names no usable {name}", "it must be an https:// address")
            return found

        document: Mapping[str, Any] = self._remembered("document", KEPT_SECONDS, read)
        return document

    def _keys(self, at_most_seconds: float) -> tuple[VerifyingKey, ...]:
        address = self._document()["jwks_uri"]
        keys: tuple[VerifyingKey, ...] = self._remembered("keys", at_most_seconds, lambda: keys_in(self._get(address)))
        return keys

    def _remembered(self, name: str, at_most_seconds: float, read: Any) -> Any:
        now = self._clock.monotonic()
        with self._lock:
            found = self._kept.get(name)
        if found is not None and now - found.read_at < at_most_seconds:
            return found.value
        made = _Kept(read(), now)
        with self._lock:
            self._kept[name] = made
        return made.value

    def _get(self, address: str) -> Mapping[str, Any]:
        status, found = self._ask("GET", address, None, {"Accept": "application/json"})
        if status != 200:
            raise _unusable(f"answers {status} at {address}", "compare FINOPS_OIDC_ISSUER with the issuer's own pages")
        return found

    def _ask(
        self, method: str, address: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        try:
            response = self._pool.request(
                method, address, body=body, headers=headers, redirect=False, preload_content=False
            )
            with response:
                content = response.read(_LARGEST_ANSWER + 1)
        except urllib3.exceptions.HTTPError as error:
            where = urlsplit(address).netloc
            raise IssuerUnavailable(
                f"the issuer does not answer at {where}: {type(error).__name__}",
                code="IssuerUnavailable",
                hint="check the network policy, and FINOPS_OIDC_CA where its certificate is of your own authority",
            ) from error
        if len(content) > _LARGEST_ANSWER:
            raise _unusable("answers with too much", "compare its address")
        try:
            found = json.loads(content)
        except ValueError:
            found = None
        return response.status, found if isinstance(found, dict) else {}


def _authority(trusted: TrustedIssuer) -> dict[str, Any]:
    return {"ca_cert_data": trusted.authority} if trusted.authority else {}


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"


def _code_refused(answer: Mapping[str, Any]) -> CodeRefused:
    """Return what the issuer says about a code; its own words go to the log alone."""
    error = str(answer.get("error"))[:60]
    logger.warning(
        "the issuer gives no token", extra={"error": error, "words": str(answer.get("error_description"))[:200]}
    )
    if error in {"invalid_client", "unauthorized_client"}:
        hint = "an administrator compares client id and client secret with the issuer's"
        return CodeRefused("the issuer does not know the dashboard as its client", code="ClientRefused", hint=hint)
    return CodeRefused(
        "the issuer does not take this code: it was used, or it has expired", code="CodeRefused", hint="sign in again"
    )


def _unusable(what: str, hint: str) -> IssuerUnavailable:
    return IssuerUnavailable(f"the issuer {what}", code="IssuerUnavailable", hint=hint)
