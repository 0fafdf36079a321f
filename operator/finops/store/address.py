"""What form a store's address may have, and how it is shown; a password in it never reaches a message.

Called by `connection.py` before anything is sent, and by the command line to show an address.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from finops.errors import InvalidInput

VARIABLE: Final = "FINOPS_REDIS_URL"
HINT: Final = (
    "use redis://[[USER]:PASSWORD@]HOST:6379/0, rediss:// for TLS, or unix:///PATH; "
    "percent-encode #, /, ? and @ in the password (%23, %2F, %3F, %40)"
)
_SCHEMES: Final = ("redis", "rediss", "unix")
_OPTIONS: Final = frozenset(
    {
        "client_name",
        "db",
        "password",
        "socket_keepalive",
        "ssl_ca_certs",
        "ssl_ca_path",
        "ssl_cert_reqs",
        "ssl_certfile",
        "ssl_check_hostname",
        "ssl_keyfile",
        "username",
    }
)
"""Time-outs and retries are missing on purpose: how often a command is sent is ours to decide."""
_HIDDEN: Final = "an address that cannot be read"


def require_address(url: str, *, named: str = VARIABLE) -> None:
    """Refuse what is no store address; `named` is the variable or option it came from.

    Raises:
        InvalidInput: says what is wrong without repeating any part of the address.
    """
    problem = _problem(url)
    if problem:
        raise InvalidInput(f"is not a store address: {problem}", field=named, hint=HINT)


def require_password(url: str, *, allow_unauthenticated: bool, named: str = VARIABLE) -> None:
    """Refuse a store over the network that asks nobody for a password; called by operator and bot before they start.

    Whoever reaches such a server can write votes' caches and cards, and the ledger's stream. The file permissions of
    a socket (unix://) protect it without one. `allow_unauthenticated` is `store.allowUnauthenticated` of the chart.

    Raises:
        InvalidInput: no password, or an empty one; never repeats the address.
    """
    require_address(url, named=named)
    if not names_password(url) and urlsplit(url).scheme != "unix" and not allow_unauthenticated:
        raise InvalidInput(
            "names no password, so everyone who reaches the store could read and change what it holds",
            field=named,
            hint="use redis://USER:PASSWORD@HOST:6379/0 with an ACL user of its own for each process, "
            "or FINOPS_STORE_ALLOW_UNAUTHENTICATED=true (store.allowUnauthenticated of the chart) for throw-away data",
        )


def names_password(url: str) -> bool:
    """Return whether an address names a password; a store that asks for none knows no users."""
    parts = urlsplit(url)
    return bool(parts.password or dict(parse_qsl(parts.query)).get("password", ""))


def user_of(url: str) -> str:
    """Return as which user of the store an address comes; `default` is Redis' own for those that name none."""
    parts = urlsplit(url)
    return unquote(parts.username or "") or dict(parse_qsl(parts.query)).get("username", "") or "default"


def redacted(url: str) -> str:
    """Return `url` without password and options, fit for messages and logs; never raises."""
    if _problem(url):
        return _HIDDEN
    parts = urlsplit(url)
    secret = f"{parts.username or ''}:***@" if parts.password is not None else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    where = f"{host}:{parts.port}" if parts.port else host
    return urlunsplit((parts.scheme, f"{secret}{where}", parts.path, "", "")) if parts.netloc else url.partition("?")[0]


def _problem(url: str) -> str:
    """Return what is wrong. A cut-off password can resemble a port, a path or an option: none of them is repeated."""
    if not url.startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)):
        return f"it does not start with {', '.join(f'{scheme}://' for scheme in _SCHEMES)}"
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        return "it holds a blank or a line break"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "its host or port cannot be read"
    if parts.fragment or url.endswith("#"):
        return "it holds an unescaped #"
    return _path_problem(parts, port) or _option_problem(parts)


def _path_problem(parts: SplitResult, port: int | None) -> str:
    if parts.scheme == "unix":
        unnamed = parts.hostname or port is not None
        return "" if parts.path.strip("/") and not unnamed else "the path of the socket is not absolute or is missing"
    if port == 0:
        return "its port is 0"
    if not parts.hostname:
        return "it names no host"
    database = parts.path.strip("/")
    if database and not (database.isascii() and database.isdecimal()):
        return "what stands behind the host is not the number of a database"
    return ""


def _option_problem(parts: SplitResult) -> str:
    try:
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        return "what stands behind the ? is no option"
    if any(name not in _OPTIONS for name, _ in options):
        return f"it has an option beyond {', '.join(sorted(_OPTIONS))}"
    return ""
