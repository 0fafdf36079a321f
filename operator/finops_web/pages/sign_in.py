"""Sign in with a token of the cluster, sign out, and choose the theme."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from finops.errors import FinopsError, Refused
from finops_web.context import Visit, parts_of
from finops_web.people.sessions import COOKIE, LASTS_SECONDS
from finops_web.rendering import THEME_COOKIE, render_bare

ROUTER = APIRouter(include_in_schema=False)
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
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
        return _enter(request, token, _own(next))
    return render_bare(request, "sign_in.html", title="Sign in", next=_own(next), problem="")


@ROUTER.post("/sign-in")
def sign_in(
    request: Request,
    token: Annotated[str, Form(max_length=_LONGEST_TOKEN)] = "",
    next: Annotated[str, Form(max_length=2048)] = "/",  # noqa: A002 - as above
) -> Response:
    """Let the API server say whose token it is, and keep it in a sealed cookie."""
    wanted = _own(next)
    if not _from_here(request):
        return _refused(request, wanted, "The form came from another site. Open the page again.")
    return _enter(request, token, wanted)


@ROUTER.post("/sign-out")
def sign_out(asked: Visit, form_secret: Annotated[str, Form(max_length=128)] = "") -> Response:
    """Forget the cookie; the token itself ends when the cluster says so."""
    asked.require_form(form_secret)
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(COOKIE, path="/")
    return response


@ROUTER.post("/theme")
def theme(
    theme: Annotated[str, Form(max_length=8)] = "",
    back: Annotated[str, Form(max_length=2048)] = "/",
) -> Response:
    """Remember light or dark; anything else follows the system again."""
    response = RedirectResponse(_own(back), status_code=303)
    if theme in {"light", "dark"}:
        response.set_cookie(THEME_COOKIE, theme, max_age=_YEAR_SECONDS, httponly=True, samesite="strict", path="/")
    else:
        response.delete_cookie(THEME_COOKIE, path="/")
    return response


def _enter(request: Request, token: str, wanted: str) -> Response:
    parts = parts_of(request)
    try:
        parts.visitors.recognise(token.strip())
    except Refused:
        return _refused(request, wanted, "The cluster does not take this token. It may have expired: make a new one.")
    except FinopsError as error:
        return _refused(request, wanted, f"{error.message}. Try again.", 503)
    sealed = parts.sessions.seal(token.strip())
    if sealed is None:
        return _refused(request, wanted, "This token is too long for a cookie. Use one of a service account.")
    response = RedirectResponse(wanted, status_code=303)
    secure = request.url.scheme == "https" or (request.url.hostname or "") not in _LOCAL
    response.set_cookie(
        COOKIE, sealed, max_age=LASTS_SECONDS, httponly=True, samesite="strict", secure=secure, path="/"
    )
    return response


def _refused(request: Request, wanted: str, problem: str, status: int = 403) -> Response:
    return render_bare(request, "sign_in.html", status, title="Sign in", next=wanted, problem=problem)


def _from_here(request: Request) -> bool:
    """Return whether a browser says that the form came from a page of ours; programs send neither header."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in {"same-origin", "none"}
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def _own(address: str) -> str:
    """Return an address of this site, whatever the form says."""
    parts = urlsplit(address)
    safe = (
        address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc and "\\" not in address
    )
    return address if safe and address.isprintable() else "/"
