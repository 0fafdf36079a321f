"""Which identity provider may say who somebody is, as the settings name it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from finops.errors import InvalidInput
from finops.settings import Settings, variable_of
from finops_web.people.id_tokens import Naming

CALLBACK: Final = "/sign-in/callback"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NO_PREFIX: Final = "-"


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One issuer, and the dashboard as its client.

    Attributes:
        address: exactly as its documents and tokens write it.
        client_secret: empty for a public client, whom PKCE alone protects.
        home: the dashboard's own address, without a slash at its end; never taken from a request.
        scopes: what is asked for, `openid` among it.
        authority: certificates in PEM that its own must come from; empty: those that the machine trusts.
        title: what the button calls it.
    """

    address: str
    client_id: str
    client_secret: str = field(repr=False)
    home: str
    scopes: tuple[str, ...]
    naming: Naming
    authority: str = field(repr=False)
    title: str

    @property
    def redirect(self) -> str:
        """Where the issuer sends people back to; it must know this address exactly."""
        return self.home + CALLBACK


def trusted_issuer(settings: Settings) -> TrustedIssuer | None:
    """Return the issuer of the settings, None when they name none. Raises InvalidInput."""
    if not settings.oidc_issuer:
        return None
    _require_address(settings.oidc_issuer, "oidc_issuer")
    for name, why in (
        ("oidc_client_id", "the client that the issuer knows the dashboard by"),
        ("web_address", "the address under which people reach the dashboard"),
    ):
        if not getattr(settings, name):
            raise InvalidInput("is needed with FINOPS_OIDC_ISSUER", field=variable_of(name), hint=f"set it to {why}")
    _require_address(settings.web_address, "web_address")
    if urlsplit(settings.web_address).path not in {"", "/"}:
        raise InvalidInput(
            "has a path", field=variable_of("web_address"), hint="the dashboard needs a host name of its own"
        )
    return TrustedIssuer(
        address=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        home=settings.web_address.rstrip("/"),
        scopes=tuple(dict.fromkeys(("openid", *settings.oidc_scopes))),
        naming=_naming(settings),
        authority=settings.oidc_ca,
        title=settings.oidc_title or urlsplit(settings.oidc_issuer).hostname or "",
    )


def _naming(settings: Settings) -> Naming:
    """Return the naming that an API server with the same settings uses, with its defaults for what is left out."""
    claim, prefix = settings.oidc_username_claim, settings.oidc_username_prefix
    if not prefix:
        prefix = _NO_PREFIX if claim == "email" else f"{settings.oidc_issuer}#"
    return Naming(
        username_claim=claim,
        username_prefix="" if prefix == _NO_PREFIX else prefix,
        groups_claim=settings.oidc_groups_claim,
        groups_prefix=settings.oidc_groups_prefix,
    )


def _require_address(address: str, name: str) -> None:
    if not is_safe_address(address):
        raise InvalidInput(
            f"{address[:80]!r} is no https:// address",
            field=variable_of(name),
            hint="write https:// and a host; http:// is taken on this machine alone",
        )


def is_safe_address(address: str) -> bool:
    """Return whether secrets may travel to an address: over TLS, or to this machine."""
    try:
        parts = urlsplit(address)
        host, usable = parts.hostname, parts.port != 0
    except ValueError:
        return False
    plain = parts.scheme == "http" and host in _LOOPBACK
    return usable and bool(host) and not parts.username and not parts.fragment and (parts.scheme == "https" or plain)
