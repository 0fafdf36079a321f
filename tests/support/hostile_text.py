"""Text as an attacker would put it into a name, a tag or a reason: mentions, links, control characters, and length."""

from __future__ import annotations

from typing import Final

HOSTILE: Final = (
    "<!channel> <@U0ALICE001> <https://evil.example|free money> *bold* `code` & && \u202egpj.exe \u200b\u200b"
    "\x00\x07\n\n:tada: " + "&" * 120 + "Z͓̝̞̱̲͔̎̐͒͊̃̾Ä"
)
