"""Stored mrkdwn as HTML: bold, italic, strike, code, quotes, links, mentions, dates and a few emoji.

The text comes from messages and is hostile: it is unescaped from Slack's entities and escaped again for HTML, and only
http, https and mailto become links.
"""

import re
from datetime import UTC, datetime

from finops_sandbox.slack.page.markup import Html, join, tag
from finops_sandbox.slack.state import State
from finops_sandbox.slack.text import unescape

EMOJI = {"white_check_mark": "✅", "x": "❌", "warning": "⚠️", "hourglass": "⌛", "eyes": "👀", "lock": "🔒", "+1": "👍"}
_EMOJI = re.compile(r":([a-z0-9_+-]+):")
# What is distinguished at a place, first come first served: blocks, code, references, styles that may hold more of it.
_PIECES = re.compile(
    r"\n?```(?P<pre>.+?)```\n?|^(?P<quote>&gt;[^\n]*(?:\n&gt;[^\n]*)*)\n?|`(?P<code>[^`\n]+)`|<(?P<control>[^<>]+)>"
    r"|(?<![\w*])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<em>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<s>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])",
    re.DOTALL | re.MULTILINE,
)
_DATES = {"date_short_pretty": "%-d %b %Y", "date_short": "%-d %b %Y", "time": "%H:%M UTC"}


def plain(text: str) -> Html:
    """Return stored plain text for reading: entities undone, emoji shown, nothing else interpreted."""
    return join(words(text))


def words(text: str) -> str:
    """Return stored plain text as a string still to be escaped, for attributes."""
    return _EMOJI.sub(lambda match: EMOJI.get(match[1], match[0]), unescape(text))


def mrkdwn(state: State, text: str) -> Html:
    """Return stored mrkdwn as HTML."""
    parts, end = [], 0
    for match in _PIECES.finditer(text):
        parts += [_lines(text[end : match.start()]), _piece(state, str(match.lastgroup), match[str(match.lastgroup)])]
        end = match.end()
    return join(*parts, _lines(text[end:]))


def _piece(state: State, kind: str, inner: str) -> Html:
    if kind in {"pre", "code"}:
        return tag(kind, None, unescape(inner.strip("\n")))
    if kind == "quote":
        return tag("blockquote", None, mrkdwn(state, re.sub(r"(?m)^(&gt; ?)+", "", inner)))
    return _control(state, inner) if kind == "control" else tag(kind, None, mrkdwn(state, inner))


def _lines(text: str) -> Html:
    return Html("<br>".join(plain(line) for line in text.split("\n")))


def _control(state: State, inner: str) -> Html:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        user = state.directory.users.get(target[1:])
        return _mention(f"@{user.name if user else label or target[1:]}")
    if target.startswith("#"):
        channel = state.conversations.channels.get(target[1:])
        return _mention(f"#{channel.name if channel else label or target[1:]}")
    if target.startswith("!subteam^"):
        group = state.directory.groups.get(target.removeprefix("!subteam^"))
        return _mention(f"@{group.handle if group else label or target}")
    if target.startswith("!date^"):
        return _date(target, label)
    if target.startswith("!"):
        return _mention(f"@{label or target[1:]}", loud=True)
    if target.startswith(("http://", "https://", "mailto:")):
        address = unescape(target)
        return tag("a", {"href": address, "rel": "noopener noreferrer", "target": "_blank"}, plain(label or target))
    return plain(f"<{inner}>")


def _mention(text: str, *, loud: bool = False) -> Html:
    return tag("span", {"class": "mention loud" if loud else "mention"}, unescape(text))


def _date(target: str, fallback: str) -> Html:
    parts = target.split("^")
    try:
        moment = datetime.fromtimestamp(int(parts[1]), UTC)
    except (ValueError, IndexError, OverflowError, OSError):
        return plain(fallback)
    shown = parts[2] if len(parts) > 2 else fallback
    for name, pattern in _DATES.items():
        shown = shown.replace("{" + name + "}", moment.strftime(pattern))
    return tag("time", {"datetime": moment.isoformat(), "title": unescape(fallback)}, plain(shown))
