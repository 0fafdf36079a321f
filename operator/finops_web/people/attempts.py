"""One attempt to sign in at an issuer: what the browser keeps while its person is there.

State binds the answer to the browser that asked, the nonce binds the id token to the attempt, and the verifier (PKCE,
RFC 7636) makes the code worthless to whoever else sees it. They travel in a sealed cookie and last ten minutes.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Final

from finops_web.people.seals import Seal

ATTEMPT_COOKIE: Final = "finops_sign_in"
LASTS_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Attempt:
    """Secrets of one attempt, and the address of ours that its person wanted."""

    state: str
    nonce: str
    verifier: str
    wanted: str

    @classmethod
    def begin(cls, wanted: str) -> Attempt:
        """Return an attempt with fresh secrets of 256 bits each."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(32), wanted)

    @property
    def challenge(self) -> str:
        """The verifier's hash, by which the issuer knows it again (S256)."""
        return base64.urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def has_state(self, sent: str) -> bool:
        """Return whether an answer belongs to this attempt."""
        return hmac.compare_digest(self.state.encode(), sent.encode())


class Attempts:
    """Seals and opens the cookies of attempts."""

    def __init__(self, key: str) -> None:
        """`key`: as in `Sessions`."""
        self._seal = Seal("finops web sign-in", key)

    def seal(self, attempt: Attempt) -> str:
        """Return the cookie's value."""
        return self._seal.close(astuple(attempt))

    def open(self, cookie: str) -> Attempt | None:
        """Return the attempt; None for anything but a cookie that was sealed here in the last ten minutes."""
        match self._seal.open(cookie, seconds=LASTS_SECONDS):
            case [str(state), str(nonce), str(verifier), str(wanted)]:
                return Attempt(state, nonce, verifier, wanted)
        return None
