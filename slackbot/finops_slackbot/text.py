"""Hostile text made harmless: names and tags come from whoever may tag an AWS resource.

Every view takes foreign text through here. Three ways out: `plain` for plain_text objects, `code` for mrkdwn, `fit` for
our own sentences that contain either. Lengths are counted as Slack stores them, with `&`, `<` and `>` escaped, because
an update is refused for what a post accepts.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_MARKS_IN_A_ROW: Final = 2
_REPLACEMENT: Final = "�"
_ELLIPSIS: Final = "…"
# Cc control, Cf zero-width and bidirectional marks, Cs lone surrogates, Co private use, Cn unassigned.
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES: Final = frozenset({"Zs", "Zl", "Zp"})


def neutral(text: str) -> str:
    """Return `text` on one line, with everything invisible or direction-changing replaced by a visible sign.

    Runs of white space become one space, runs of replaced characters one sign, and at most two combining marks stay on
    a letter, so that a name can neither hide, nor reorder, nor overprint what stands beside it.
    """
    kept: list[str] = []
    marks = 0
    for sign in unicodedata.normalize("NFC", text):
        category = unicodedata.category(sign)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if sign in "\t\n\r\v\f" or category in _SPACES:
            safe = " "
        elif category in _UNSAFE:
            safe = _REPLACEMENT
        else:
            safe = sign if marks <= _MARKS_IN_A_ROW else ""
        if safe and not (safe in {" ", _REPLACEMENT} and kept and kept[-1] == safe):
            kept.append(safe)
    return "".join(kept).strip()


def escape(text: str) -> str:
    """Return `text` with the three characters escaped that Slack reads as syntax."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def stored_length(text: str) -> int:
    """Return how many characters Slack counts for a plain text."""
    return len(escape(text))


def plain(text: str, limit: int) -> str:
    """Return foreign text for a plain_text object: neutral, at most `limit` characters as Slack stores them.

    Slack does not read syntax there, but the same words also go to places that do; brackets are drawn, not written.
    """
    return _cut(neutral(text).replace("<", "‹").replace(">", "›"), limit)


def code(text: str, limit: int = 100) -> str:
    """Return foreign text as inline code for mrkdwn: no formatting, no mention, no link; a dash when it is empty."""
    # A backtick would end the span.
    shown = _cut(neutral(text).replace("`", "'"), limit)
    return f"`{escape(shown)}`" if shown else "–"


def quote(text: str, limit: int = 500) -> str:
    """Return a person's or the operator's sentence for mrkdwn: readable prose, with all syntax inert."""
    shown = _cut(neutral(text), limit)
    # Formatting signs would garble the sentence; links and mentions need brackets, which are escaped.
    for sign, other in (("`", "'"), ("*", "∗"), ("~", "∼")):
        shown = shown.replace(sign, other)
    return escape(shown)


def fit(text: str, limit: int) -> str:
    """Return our own mrkdwn cut to `limit` characters; never in the middle of an entity."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    ampersand = cut.rfind("&")
    if ampersand >= 0 and ";" not in cut[ampersand:]:
        cut = cut[:ampersand]
    return cut + _ELLIPSIS


def _cut(text: str, limit: int) -> str:
    if stored_length(text) <= limit:
        return text
    length, end = 1, 0
    for sign in text:
        length += stored_length(sign)
        if length > limit:
            break
        end += 1
    return text[:end].rstrip() + _ELLIPSIS
