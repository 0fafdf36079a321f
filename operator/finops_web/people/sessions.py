"""Keeps a person signed in: the token travels in a sealed cookie, so that replicas share no state.

A cookie is sealed with a key of the release (AES and HMAC, by Fernet), expires after eight hours, and holds a secret of
its own against forged forms.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

COOKIE: Final = "finops_session"
LASTS_SECONDS: Final = 8 * 3600
_LONGEST_TOKEN: Final = 2600
"""Characters of a token that still fits a cookie of 4 KiB once it is sealed."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie of a signed-in person holds.

    Attributes:
        token: the person's bearer token.
        form_secret: stands in every form of theirs; a form without it was not made for them.
    """

    token: str
    form_secret: str

    def made_form(self, sent: str) -> bool:
        """Return whether a form that sends `sent` was made for this session."""
        return hmac.compare_digest(self.form_secret.encode(), sent.encode())


class Sessions:
    """Seals and opens cookies."""

    def __init__(self, key: str) -> None:
        """`key`: any long secret; without one a random key is used, and a restart signs everybody out."""
        material = key.encode() if key else secrets.token_bytes(32)
        self._seal = Fernet(base64.urlsafe_b64encode(sha256(b"finops web session\n" + material).digest()))

    def seal(self, token: str) -> str | None:
        """Return the cookie's value for a person's token; None when the token is too long for a cookie."""
        if len(token) > _LONGEST_TOKEN:
            return None
        return self._seal.encrypt(json.dumps([token, secrets.token_urlsafe(24)]).encode()).decode()

    def open(self, cookie: str) -> Session | None:
        """Return the session; None for anything but a cookie that was sealed here in the last eight hours."""
        try:
            token, form_secret = json.loads(self._seal.decrypt(cookie.encode(), ttl=LASTS_SECONDS))
        except (InvalidToken, ValueError):
            return None
        return Session(str(token), str(form_secret))
