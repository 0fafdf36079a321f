"""How Slack stores text: `&`, `<` and `>` become entities, except where mrkdwn syntax owns the brackets.

Used before every length check on updates and on whole messages, because Slack counts what it stores.
"""

import re

_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
# The only bracket forms mrkdwn knows: users, channels, special mentions and dates, links.
_CONTROL = re.compile(r"<(?:@[A-Z0-9]+|#[A-Z0-9]+|![^<>|]+|https?://[^<>|\s]+|mailto:[^<>|\s]+)(?:\|[^<>]*)?>")


def escape(text: str, *, mrkdwn: bool = True) -> str:
    """Return the text as Slack stores it. Entities already there stay; so do control sequences in mrkdwn."""
    if not mrkdwn:
        return _entities(text)
    parts: list[str] = []
    end = 0
    for match in _CONTROL.finditer(text):
        parts.append(_entities(text[end : match.start()]))
        parts.append(_AMPERSAND.sub("&amp;", match.group()))
        end = match.end()
    parts.append(_entities(text[end:]))
    return "".join(parts)


def unescape(text: str) -> str:
    """Return what a person reads for stored text."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _entities(text: str) -> str:
    return _AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
