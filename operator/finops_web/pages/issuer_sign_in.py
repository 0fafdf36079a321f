"""Sign in by way of the issuer: OpenID Connect's code flow with PKCE.

The id token is judged here, and then brought to the API server, which judges it again and says what its person may:
the dashboard has no right of its own, whoever signs in.
"""

from __future__ import annotations

import logging
import re
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from finops.errors import FinopsError, Refused
from finops_web.answers import NotThere
from finops_web.context import Parts, parts_of
from finops_web.people import attempts, sessions
from finops_web.people.attempts import ATTEMPT_COOKIE, Attempt
from finops_web.people.browsers import drop_cookie, give_cookie, kept_cookie, own_address
from finops_web.people.id_tokens import Identity
from finops_web.people.issuer import Issuer
from finops_web.people.sessions import COOKIE
from finops_web.rendering import render_bare, render_sign_in

logger = logging.getLogger(__name__)
ROUTER = APIRouter(include_in_schema=False)
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,60}")
_NOT_BEGUN: Final = Refused(
    "this sign-in was not begun in this browser, or more than ten minutes ago",
    code="SignInForged",
    hint="begin again, with the dashboard open under one address only",
)


@ROUTER.get("/sign-in/issuer")
def begin(
    request: Request,
    next: Annotated[str, Query(max_length=2048)] = "/",  # noqa: A002 - the name in the address
) -> Response:
    """Send the browser to the issuer with fresh secrets, which the answer must fit."""
    issuer, wanted = _issuer(request), own_address(next)
    attempt = Attempt.begin(wanted)
    try:
        response = RedirectResponse(issuer.sign_in_address(attempt), status_code=303)
    except FinopsError as error:
        return _problem(request, wanted, error)
    sealed = parts_of(request).entrance.attempts.seal(attempt)
    # Lax, as the answer comes from the issuer's page: a strict cookie would not come with it.
    give_cookie(request, response, ATTEMPT_COOKIE, sealed, seconds=attempts.LASTS_SECONDS, same_site="lax")
    return response


@ROUTER.get("/sign-in/callback")
def finish(
    request: Request,
    code: Annotated[str, Query(max_length=4096)] = "",
    state: Annotated[str, Query(max_length=256)] = "",
    error: Annotated[str, Query(max_length=256)] = "",
    iss: Annotated[str, Query(max_length=2048)] = "",
) -> Response:
    """Judge the issuer's answer, and let the person in whom the cluster knows by it."""
    issuer, parts, wanted = _issuer(request), parts_of(request), "/"
    try:
        attempt = parts.entrance.attempts.open(kept_cookie(request, ATTEMPT_COOKIE))
        if attempt is None or not attempt.has_state(state):
            raise _NOT_BEGUN
        wanted = own_address(attempt.wanted)
        if not issuer.names_itself(iss):
            raise Refused("the answer comes from another issuer", code="IssuerForged", hint="begin again")
        if error or not code:
            raise _not_let_in(error)
        token = issuer.redeem(code, attempt)
        identity = issuer.judge(token, attempt)
        _require_known(parts, issuer, token, identity)
        response = _entered(request, token, identity, wanted)
    except FinopsError as refusal:
        response = _problem(request, wanted, refusal)
    drop_cookie(request, response, ATTEMPT_COOKIE)
    return response


def _issuer(request: Request) -> Issuer:
    found = parts_of(request).entrance.issuer
    if found is None:
        raise NotThere(
            "no issuer is set up", code="NotFound", hint="sign in with a token, or set web.oidc.issuer of the chart"
        )
    return found


def _entered(request: Request, token: str, identity: Identity, wanted: str) -> Response:
    """Return a page with the session's cookie that goes on by itself.

    No redirect: to the browser that would still be the issuer's step, and the strict cookie would stay behind.
    """
    sealed = parts_of(request).entrance.sessions.seal(token, identity.until)
    if sealed is None:
        raise Refused(
            "the issuer's id token is too long for a cookie",
            code="TokenTooLong",
            hint="let the issuer put fewer claims into it, above all fewer groups",
        )
    response = render_bare(request, "signed_in.html", title="Signed in", onward=wanted, name=identity.name)
    give_cookie(request, response, COOKIE, sealed, seconds=sessions.LASTS_SECONDS, same_site="strict")
    return response


def _require_known(parts: Parts, issuer: Issuer, token: str, identity: Identity) -> None:
    """Let in only whom the cluster knows by the same name and groups: by these RBAC gives rights.

    Raises:
        Refused: the API server does not take the token, or gives its person other names.
        ClusterUnavailable: it does not answer.
    """
    try:
        visitor = parts.visitors.recognise(token)
    except Refused as error:
        raise Refused(
            f"the issuer says that you are {identity.name}, but the cluster does not take its token",
            code="IssuerNotTrusted",
            hint=f"the API server must trust the issuer {issuer.trusted.address} with the client id "
            f"{issuer.trusted.client_id}; until then sign in with a token of the cluster",
        ) from error
    if visitor.name != identity.name or not set(identity.groups) <= set(visitor.groups):
        raise Refused(
            f"the dashboard makes {_described(identity.name, identity.groups)} of the id token, "
            f"the cluster {_described(visitor.name, visitor.groups)}",
            code="NamesDiffer",
            hint="give claims and prefixes of the dashboard the values of the API server",
        )


def _described(name: str, groups: tuple[str, ...]) -> str:
    return f"{name} (groups: {', '.join(groups[:20]) or 'none'})"


def _not_let_in(error: str) -> Refused:
    """Return what the issuer's refusal means; words beside its code are not repeated, as anybody can write them."""
    if error == "access_denied":
        return Refused(
            "the issuer did not let you in, or you turned back",
            code="AccessDenied",
            hint="ask who runs it for access to this application, or sign in with a token of the cluster",
        )
    named = f" ({error})" if _ERROR_CODE.fullmatch(error) else ""
    return Refused(f"the issuer sent no code{named}", code="NoCode", hint="sign in again")


def _problem(request: Request, wanted: str, error: FinopsError) -> Response:
    refused = isinstance(error, Refused)
    logger.warning("a sign-in failed: %s", error, extra={"code": error.code})
    said = f"{error.message[:1].upper()}{error.message[1:]}. {error.hint[:1].upper()}{error.hint[1:]}."
    return render_sign_in(request, wanted, problem=said, status=403 if refused else 503)
