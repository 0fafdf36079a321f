"""Makes text of strangers harmless: tags, names and error messages may hold anything AWS or Slack let through.

Called wherever such text reaches a terminal or a spreadsheet; JSON and YAML escape by themselves.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_UNSAFE: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, change the direction, hide or do not show at all."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


def printable(text: str) -> str:
    """Return `text` on one line, with everything that is not plainly visible written as an escape."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    short = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character)
    if short:
        return short
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def spreadsheet_cell(text: str) -> str:
    """Return `text` as a cell that no spreadsheet takes for a formula (OWASP, CSV injection): led by an apostrophe."""
    shown = printable(text)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{shown}"
    return shown
