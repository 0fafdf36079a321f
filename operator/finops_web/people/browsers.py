"""What a browser is given and believed at sign-in: cookies, addresses of ours, and where a form came from."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

_HOST_PREFIX: Final = "__Host-"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


def give_cookie(
    request: Request, response: Response, name: str, value: str, *, seconds: int, same_site: Literal["lax", "strict"]
) -> None:
    """Let the browser keep a value that no script reads; over TLS alone, but on this machine.

    Over TLS its name begins with `__Host-` (RFC 6265bis section 4.1.3.2): such a cookie no other host of the domain and
    no page without TLS can set, so nobody's session can be slipped into somebody else's browser.
    """
    secure = _is_secure(request)
    response.set_cookie(
        _full(name, secure=secure),
        value,
        max_age=seconds,
        httponly=True,
        samesite=same_site,
        secure=secure,
        path="/",
    )


def kept_cookie(request: Request, name: str) -> str:
    """Return what `give_cookie` let the browser keep, empty for nothing; the plain name counts without TLS alone."""
    return request.cookies.get(_full(name, secure=_is_secure(request)), "")


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Let the browser forget what `give_cookie` gave; it refuses the prefix without `Secure`, also for that."""
    secure = _is_secure(request)
    response.delete_cookie(_full(name, secure=secure), path="/", secure=secure, httponly=True)


def is_from_here(request: Request) -> bool:
    """Return whether a browser says that the form came from a page of ours; programs send neither header."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in {"same-origin", "none"}
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def own_address(address: str) -> str:
    """Return an address of this site, whatever is asked for."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    safe = (
        address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc and "\\" not in address
    )
    return address if safe and address.isprintable() else "/"


def _is_secure(request: Request) -> bool:
    """Return whether the browser speaks TLS: whoever ends it in front of us leaves the name, which is not local."""
    return request.url.scheme == "https" or (request.url.hostname or "") not in _LOCAL


def _full(name: str, *, secure: bool) -> str:
    return f"{_HOST_PREFIX}{name}" if secure else name
