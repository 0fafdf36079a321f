"""Seals what a browser keeps for us: AES and HMAC, by Fernet, with a key of its own for each purpose."""

from __future__ import annotations

import base64
import json
import secrets
from hashlib import sha256
from typing import Any

from cryptography.fernet import Fernet, InvalidToken


class Seal:
    """The seal of one purpose; what another purpose or another key has sealed does not open by it."""

    def __init__(self, purpose: str, key: str) -> None:
        """`key`: any long secret; without one a random key is used, which ends with the process."""
        material = key.encode() if key else secrets.token_bytes(32)
        self._fernet = Fernet(base64.urlsafe_b64encode(sha256(purpose.encode() + b"\n" + material).digest()))

    def close(self, held: Any) -> str:
        """Return something that JSON can hold, as text that nobody else can read or make."""
        return self._fernet.encrypt(json.dumps(held).encode()).decode()

    def open(self, sealed: str, *, seconds: int) -> Any:
        """Return what was sealed in the last `seconds`; None for anything else."""
        try:
            return json.loads(self._fernet.decrypt(sealed.encode(), ttl=seconds))
        except (InvalidToken, ValueError):
            return None
