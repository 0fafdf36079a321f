"""Texts in the store that only their own writer is to believe: each carries a code over the text and where it stands.

Used by the outbox, in which the bot keeps what it will show, with the bot's own key; and for announcements, which the
operator makes and the bot shows, with the key that both share. No key is in the store: whoever writes there makes no
text that is believed, and none that was made for another place. An older text of the same place passes.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final

_CHARACTERS: Final = 32
_PURPOSE: Final = b"finops.dev sealed text v1"


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals and opens with one key, which is not shown; with an empty one every text is as good as the store."""

    key: bytes = field(default=b"", repr=False)

    def sealed(self, place: tuple[str, ...], text: str) -> str:
        """Return what is kept of a text that stands at `place`, such as a request's uid."""
        return f"{self.code(place, text)} {text}" if self.key else text

    def opened(self, place: tuple[str, ...], kept: str) -> str | None:
        """Return the text that was sealed for this place; None for anything else."""
        if not self.key:
            return kept
        code, _, text = kept.partition(" ")
        return text if self.fits(place, text, code) else None

    def fits(self, place: tuple[str, ...], text: str, code: str) -> bool:
        """Return whether a text that is kept beside its code was written with the key for this place."""
        # As bytes: whoever writes the store can write any character there.
        right = self.code(place, text).encode()
        return not self.key or hmac.compare_digest(code.encode("utf-8", "replace"), right)

    def code(self, place: tuple[str, ...], text: str) -> str:
        """Return the code to keep beside a text; an empty one without a key."""
        if not self.key:
            return ""
        # Lengths first: no two places and texts run into the same bytes.
        parts = [part.encode("utf-8", "replace") for part in (*place, text)]
        message = b"".join(b"%d:%b," % (len(part), part) for part in (_PURPOSE, *parts))
        return hmac.new(self.key, message, "sha256").hexdigest()[:_CHARACTERS]
