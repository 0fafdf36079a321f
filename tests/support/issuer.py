"""A double of an identity provider (OpenID Connect), stricter than most: PKCE, each code once, exact addresses.

It serves discovery, keys, a page to sign in, the token endpoint and the page to sign out. A test may bend what it signs
or says (`bend`), and change its keys (`rotate`). Whatever it refuses is kept in `refused`.
"""

from __future__ import annotations

import base64
import hmac
import html
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.support.web_server import served

CLIENT: Final = "finops-dashboard"
SECRET: Final = "a secret: with / and + in it"
_SESSION: Final = "issuer_session"
_CODE_LASTS_SECONDS: Final = 60
_TOKEN_LASTS_SECONDS: Final = 3600
_KEPT_FROM_KEY_SETS: Final = RSAKey.generate_key(2048, {"kid": "stolen"})
Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Code:
    person: str
    redirect: str
    challenge: str
    nonce: str
    at: datetime


@dataclass(slots=True)
class Bent:
    """What a test lets the issuer do wrong.

    Attributes:
        claims: changes the claims of the next id tokens.
        signed: signs claims otherwise than with the current key.
        document: entries of the discovery document that differ.
        answer: parameters that the browser brings back, changed.
    """

    claims: Callable[[Claims], Claims] = lambda claims: claims
    signed: Callable[[Claims], str] | None = None
    document: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, str] = field(default_factory=dict)


class Issuer:
    """One issuer with one client; `address` is known once it is served."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.address = ""
        self.home = "http://localhost"
        self.people: dict[str, Claims] = {}
        self.bend = Bent()
        self.refused: list[str] = []
        self.ended: list[str] = []
        self.asked: list[str] = []
        self._key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        self._codes: dict[str, _Code] = {}
        self._spent: set[str] = set()

    def key_set(self) -> Mapping[str, Any]:
        """The public keys, with one that is for encryption and one of a kind that nobody knows."""
        strange = {"kty": "AKP", "kid": "of-tomorrow", "alg": "ML-DSA-65", "pub": "AA"}
        own: dict[str, Any] = dict(self._key.as_dict(private=False))
        return {"keys": [strange, {**own, "kid": "for-encryption", "use": "enc"}, own]}

    def rotate(self, kid: str) -> None:
        """Sign with a new key from now on; the old one is gone."""
        self._key = RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})

    def sign(self, claims: Claims, **header: str) -> str:
        """An id token as the issuer signs it."""
        return jwt.encode({"alg": "RS256", "kid": str(self._key.kid), **header}, claims, self._key)

    def sign_as_thief(self, claims: Claims) -> str:
        """An id token that names the issuer's key and is signed by another one."""
        return jwt.encode({"alg": "RS256", "kid": str(self._key.kid)}, claims, _KEPT_FROM_KEY_SETS)

    def unsigned(self, claims: Claims) -> str:
        """An id token with algorithm none."""
        signed = self.sign(claims)
        return f"eyJhbGciOiJub25lIn0.{signed.split('.')[1]}."

    def claims_of(self, person: str, nonce: str) -> Claims:
        """What an id token says about somebody."""
        now = int(self.now().timestamp())
        times = {"iat": now, "nbf": now, "exp": now + _TOKEN_LASTS_SECONDS}
        return {"iss": self.address, "aud": CLIENT, "sub": person, "nonce": nonce, **times, **self.people[person]}

    def document(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "end_session_endpoint": f"{self.address}/end",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.bend.document,
        }

    def wrong_with(self, asked: Mapping[str, str]) -> str:
        """What is wrong with a request to sign in, empty when nothing is; a wrong address must not be gone to."""
        if asked.get("client_id") != CLIENT or asked.get("redirect_uri") != f"{self.home}/sign-in/callback":
            return "unknown client or redirect_uri"
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            return "no code flow of OpenID Connect"
        if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            return "no PKCE with S256"
        return "" if len(asked.get("state", "")) >= 22 and len(asked.get("nonce", "")) >= 22 else "no state or nonce"

    def wrong_with_end(self, asked: Mapping[str, str]) -> str:
        """What is wrong with a request to sign out; a token has no place in an address."""
        if asked.get("client_id") != CLIENT or asked.get("post_logout_redirect_uri") != f"{self.home}/sign-in":
            return "unknown client or post_logout_redirect_uri"
        return "" if asked.keys() == {"client_id", "post_logout_redirect_uri"} else "more than client and address"

    def code_for(self, person: str, asked: Mapping[str, str]) -> dict[str, str]:
        """What the browser brings back for a person who signs in."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(person, asked["redirect_uri"], asked["code_challenge"], asked["nonce"], self.now())
        return {"code": code, "state": asked["state"], "iss": self.address, **self.bend.answer}

    def token_for(self, form: Mapping[str, str], authorization: str) -> dict[str, Any] | str:
        """The answer to a code, or the error; a code that comes again is refused."""
        if not _is_client(authorization):
            return "invalid_client"
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or form["code"] in self._spent:
            return "invalid_grant"
        self._spent.add(form["code"])
        verifier = form.get("code_verifier", "")
        challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        fits = hmac.compare_digest(challenge, code.challenge) and len(verifier) >= 43
        late = (self.now() - code.at).total_seconds() > _CODE_LASTS_SECONDS
        if form.get("grant_type") != "authorization_code" or form.get("redirect_uri") != code.redirect:
            return "invalid_grant"
        if not fits or late:
            return "invalid_grant"
        claims = self.bend.claims(self.claims_of(code.person, code.nonce))
        token = (self.bend.signed or self.sign)(claims)
        return {"token_type": "Bearer", "access_token": "opaque", "expires_in": 300, "id_token": token}


def _is_client(authorization: str) -> bool:
    kind, _, encoded = authorization.partition(" ")
    if kind != "Basic":
        return False
    name, _, secret = base64.b64decode(encoded).decode().partition(":")
    return (unquote(name), unquote(secret)) == (CLIENT, SECRET)


def _application(issuer: Issuer) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Any:
        issuer.asked.append("document")
        return issuer.document()

    @app.get("/keys")
    def keys() -> Any:
        issuer.asked.append("keys")
        return dict(issuer.key_set())

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        if wrong := issuer.wrong_with(request.query_params):
            issuer.refused.append(wrong)
            return HTMLResponse(f"<h1>Refused</h1><p>{html.escape(wrong)}</p>", 400)
        asked = html.escape(str(request.query_params))
        buttons = "".join(
            f"<button name=person value='{one}'>{one}</button>" for one in map(html.escape, issuer.people)
        )
        return HTMLResponse(
            f"<h1>Who are you?</h1><form method=post action=/authorize>"
            f"<input type=hidden name=asked value='{asked}'>{buttons}</form>"
        )

    @app.post("/authorize")
    def decide(asked: Annotated[str, Form()], person: Annotated[str, Form()]) -> Response:
        wanted = dict(parse_qsl(asked))
        if wrong := issuer.wrong_with(wanted):
            return HTMLResponse(html.escape(wrong), 400)
        answer = RedirectResponse(f"{wanted['redirect_uri']}?{urlencode(issuer.code_for(person, wanted))}", 303)
        answer.set_cookie(_SESSION, person, httponly=True)
        return answer

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        found = issuer.token_for(form, request.headers.get("authorization", ""))
        if isinstance(found, str):
            issuer.refused.append(found)
            return JSONResponse({"error": found, "error_description": "<b>no</b>"}, 401 if "client" in found else 400)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    @app.get("/end")
    def ask_to_end(request: Request) -> Response:
        """Asks first, as an issuer must that gets no hint of whose session it is."""
        if wrong := issuer.wrong_with_end(request.query_params):
            issuer.refused.append(wrong)
            return HTMLResponse(f"<h1>Refused</h1><p>{html.escape(wrong)}</p>", 400)
        back = html.escape(request.query_params["post_logout_redirect_uri"])
        return HTMLResponse(
            f"<h1>Sign out of Example?</h1><form method=post action=/end>"
            f"<input type=hidden name=back value='{back}'><button>Yes</button></form>"
        )

    @app.post("/end")
    def end(request: Request, back: Annotated[str, Form()]) -> Response:
        if back != f"{issuer.home}/sign-in":
            return HTMLResponse("<h1>Refused</h1>", 400)
        issuer.ended.append(request.cookies.get(_SESSION, ""))
        answer = RedirectResponse(back, 303)
        answer.delete_cookie(_SESSION)
        return answer

    return app


@contextmanager
def running_issuer(now: Callable[[], datetime]) -> Iterator[Issuer]:
    """Serve an issuer on this machine."""
    issuer = Issuer(now)
    with served(_application(issuer)) as address:
        issuer.address = address
        yield issuer
