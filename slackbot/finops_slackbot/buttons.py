"""What a button carries: which request, which plan, and a proof that the bot made it; never what would be done.

Views sign with `Buttons.value`, the click path checks with `Buttons.read`. The value opens nothing by itself: who
clicked and whether that counts is decided afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final

_VALUE: Final = re.compile(r"1\.([0-9a-zA-Z-]{1,64})\.([0-9a-f]{12})\.([0-9a-f]{24})")
REVISION_CHARACTERS: Final = 12


@dataclass(frozen=True, slots=True)
class ButtonValue:
    """A request's uid and the revision of it that the card showed."""

    uid: str
    revision: str


def revision_of(plan_hash: str) -> str:
    """Return the revision a card shows: the start of the plan's hash. The Approval carries all of it."""
    return plan_hash[:REVISION_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Buttons:
    """Signs and checks with one key, which is not shown."""

    key: bytes = field(repr=False)

    def value(self, uid: str, revision: str) -> str:
        """Return the value of a button, under 200 characters."""
        return f"1.{uid}.{revision}.{self._mac(uid, revision)}"

    def read(self, value: str) -> ButtonValue | None:
        """Return what a value says, or None when this key did not make it."""
        match = _VALUE.fullmatch(value)
        if match is None:
            return None
        uid, revision, mac = match.groups()
        if not hmac.compare_digest(mac, self._mac(uid, revision)):
            return None
        return ButtonValue(uid, revision)

    def _mac(self, uid: str, revision: str) -> str:
        return hmac.new(self.key, f"finops-button\n{uid}\n{revision}".encode(), hashlib.sha256).hexdigest()[:24]
