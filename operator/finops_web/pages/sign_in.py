"""Sign in with a token of the cluster, sign out, and choose the theme."""

from __future__ import annotations

import logging
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from finops.errors import FinopsError, Refused
from finops_web.context import parts_of, require_form
from finops_web.people.browsers import drop_cookie, give_cookie, is_from_here, kept_cookie, own_address
from finops_web.people.sessions import COOKIE, LASTS_SECONDS, Session
from finops_web.rendering import THEME_COOKIE, render_bare, render_sign_in

logger = logging.getLogger(__name__)

ROUTER = APIRouter(include_in_schema=False)
_YEAR_SECONDS: Final = 365 * 86_400
_LONGEST_TOKEN: Final = 16_384


@ROUTER.get("/sign-in")
def form(
    request: Request,
    token: Annotated[str, Query(max_length=_LONGEST_TOKEN)] = "",
    next: Annotated[str, Query(max_length=2048)] = "/",  # noqa: A002 - the name in the address
) -> Response:
    """Show how to sign in.

    The demo alone takes a token in the address, so that the address that it prints lets a person in: the token belongs
    to a double of a cluster on this machine and ends with it.
    """
    if token and parts_of(request).demo:
        return _enter(request, token, own_address(next))
    return render_sign_in(request, own_address(next))


@ROUTER.post("/sign-in")
def sign_in(
    request: Request,
    token: Annotated[str, Form(max_length=_LONGEST_TOKEN)] = "",
    next: Annotated[str, Form(max_length=2048)] = "/",  # noqa: A002 - as above
) -> Response:
    """Let the API server say whose token it is, and keep it in a sealed cookie."""
    wanted = own_address(next)
    if not is_from_here(request):
        return render_sign_in(
            request, wanted, problem="The form came from another site. Open the page again.", status=403
        )
    return _enter(request, token, wanted)


@ROUTER.post("/sign-out")
def sign_out(request: Request, form_secret: Annotated[str, Form(max_length=128)] = "") -> Response:
    """End the session, here and for every copy of its cookie, and offer to end it at the issuer as well.

    The API server need not answer for it. The token of the cluster itself ends when the cluster says so.
    """
    parts = parts_of(request)
    session = parts.entrance.sessions.open(kept_cookie(request, COOKIE))
    if session is None:
        return RedirectResponse("/sign-in", status_code=303)
    require_form(session, form_secret)
    response = _ended(request, session)
    drop_cookie(request, response, COOKIE)
    return response


@ROUTER.post("/theme")
def theme(
    theme: Annotated[str, Form(max_length=8)] = "",
    back: Annotated[str, Form(max_length=2048)] = "/",
) -> Response:
    """Remember light or dark; anything else follows the system again."""
    response = RedirectResponse(own_address(back), status_code=303)
    if theme in {"light", "dark"}:
        response.set_cookie(THEME_COOKIE, theme, max_age=_YEAR_SECONDS, httponly=True, samesite="strict", path="/")
    else:
        response.delete_cookie(THEME_COOKIE, path="/")
    return response


def _ended(request: Request, session: Session) -> Response:
    """End the session and return where its person goes on, or what did not end."""
    entrance, onward, problem, hint = parts_of(request).entrance, "", "", ""
    try:
        entrance.end(session)
    except FinopsError as error:
        logger.warning("a session was not ended everywhere: %s", error)
        problem = "This browser is signed out, but not everywhere"
        hint = f"{error.message}. A copy of your cookie, if there is one, works until it expires, in 8 hours at most."
    if session.until is not None and entrance.issuer is not None and not problem:
        try:
            onward = entrance.issuer.sign_out_address()
        except FinopsError as error:
            problem, hint = "You are signed out here, and may still be signed in at the issuer", f"{error}."
    if not problem and not onward:
        return RedirectResponse("/sign-in", status_code=303)
    shown = {"title": "Signed out", "problem": problem, "hint": hint, "onward": onward}
    return render_bare(request, "signed_out.html", 503 if problem else 200, **shown)


def _enter(request: Request, token: str, wanted: str) -> Response:
    parts = parts_of(request)
    try:
        parts.visitors.recognise(token.strip())
    except Refused:
        return render_sign_in(
            request,
            wanted,
            problem="The cluster does not take this token. It may have expired: make a new one.",
            status=403,
        )
    except FinopsError as error:
        return render_sign_in(request, wanted, problem=f"{error.message}. Try again.", status=503)
    sealed = parts.entrance.sessions.seal(token.strip())
    if sealed is None:
        return render_sign_in(
            request, wanted, problem="This token is too long for a cookie. Use one of a service account.", status=403
        )
    response = RedirectResponse(wanted, status_code=303)
    give_cookie(request, response, COOKIE, sealed, seconds=LASTS_SECONDS, same_site="strict")
    return response
