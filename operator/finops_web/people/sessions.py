"""Keeps a person signed in: the token travels in a sealed cookie, so that replicas share no state.

A cookie is sealed with a key of the release, expires after eight hours, and holds a secret of its own against forged
forms. It ends earlier when its token does, or when its person signs out: that is remembered in the store, so a copy of
the cookie is worth nothing then.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from finops_web.people.seals import Seal

COOKIE: Final = "finops_session"
LASTS_SECONDS: Final = 8 * 3600
_LONGEST_TOKEN: Final = 2600
"""Characters of a token that still fits a cookie of 4 KiB once it is sealed."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie of a signed-in person holds.

    Attributes:
        id: names the session where it is ended; it says nothing about the person.
        token: the person's bearer token.
        form_secret: stands in every form of theirs; a form without it was not made for them.
        until: when the token of an issuer ends; None for a pasted one, whose end the API server knows.
    """

    id: str
    token: str
    form_secret: str
    until: datetime | None

    def made_form(self, sent: str) -> bool:
        """Return whether a form that sends `sent` was made for this session."""
        return hmac.compare_digest(self.form_secret.encode(), sent.encode())


class Sessions:
    """Seals and opens cookies."""

    def __init__(self, key: str) -> None:
        """`key`: any long secret; without one a random key is used, and a restart signs everybody out."""
        self._seal = Seal("finops web session", key)

    def seal(self, token: str, until: datetime | None = None) -> str | None:
        """Return the cookie's value for a person's token; None when the token is too long for a cookie."""
        if len(token) > _LONGEST_TOKEN:
            return None
        ends = int(until.timestamp()) if until is not None else None
        held = [secrets.token_urlsafe(16), token, secrets.token_urlsafe(24), ends]
        return self._seal.close(held)

    def open(self, cookie: str) -> Session | None:
        """Return the session; None for anything but a cookie that was sealed here in the last eight hours."""
        match self._seal.open(cookie, seconds=LASTS_SECONDS):
            case [str(name), str(token), str(form_secret), int() | None as ends]:
                return Session(name, token, form_secret, None if ends is None else datetime.fromtimestamp(ends, UTC))
        return None
