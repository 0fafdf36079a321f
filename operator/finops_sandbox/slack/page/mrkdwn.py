"""Stored mrkdwn as HTML: bold, italic, strike, code, quotes, links, mentions, dates and a few emoji.

The text comes from messages and is hostile: it is unescaped from Slack's entities and escaped again for HTML, and only
http, https and mailto become links.
"""

import re
from datetime import UTC, datetime
from itertools import groupby

from finops_sandbox.slack.page.markup import Html, join, tag
from finops_sandbox.slack.state import State
from finops_sandbox.slack.text import unescape

EMOJI = {
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "x": "❌",
    "no_entry": "⛔",
    "no_entry_sign": "🚫",
    "warning": "⚠️",
    "rotating_light": "🚨",
    "information_source": "ℹ️",
    "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳",
    "alarm_clock": "⏰",
    "moneybag": "💰",
    "money_with_wings": "💸",
    "chart_with_downwards_trend": "📉",
    "chart_with_upwards_trend": "📈",
    "bar_chart": "📊",
    "eyes": "👀",
    "tada": "🎉",
    "lock": "🔒",
    "arrow_right": "➡️",
    "arrows_counterclockwise": "🔄",
    "leftwards_arrow_with_hook": "↩️",
    "recycle": "♻️",
    "zzz": "💤",
    "wastebasket": "🗑️",
    "wave": "👋",
    "+1": "👍",
    "thumbsup": "👍",
    "-1": "👎",
    "bulb": "💡",
    "memo": "📝",
    "gear": "⚙️",
    "large_green_circle": "🟢",
    "large_yellow_circle": "🟡",
    "red_circle": "🔴",
    "white_circle": "⚪",
}
_EMOJI = re.compile(r":([a-z0-9_+-]+):")
_PIECES = re.compile(r"```(?P<pre>.+?)```|`(?P<code>[^`\n]+)`|<(?P<control>[^<>]+)>", re.DOTALL)
_PREFORMATTED = re.compile(r"(```.+?```)", re.DOTALL)
_STYLES = re.compile(
    r"(?<![\w*])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<em>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<s>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)
_DATES = {
    "date_num": "%Y-%m-%d",
    "date": "%-d %B %Y",
    "date_short": "%-d %b %Y",
    "date_long": "%A, %-d %B %Y",
    "date_pretty": "%-d %B %Y",
    "date_short_pretty": "%-d %b %Y",
    "date_long_pretty": "%A, %-d %B %Y",
    "time": "%H:%M UTC",
    "time_secs": "%H:%M:%S UTC",
}


def plain(text: str) -> Html:
    """Return stored plain text for reading: entities undone, emoji shown, nothing else interpreted."""
    return join(words(text))


def words(text: str) -> str:
    """Return stored plain text as a string still to be escaped, for attributes."""
    return _EMOJI.sub(_emoji, unescape(text))


def mrkdwn(state: State, text: str) -> Html:
    """Return stored mrkdwn as HTML."""
    pieces = _PREFORMATTED.split(text)
    if len(pieces) > 1:
        # Preformatted text is a block: the line ends around it are the block's own.
        pieces = [piece.strip("\n") for piece in pieces]
    shown = [_inline(state, piece) if piece.startswith("```") else _quotes(state, piece) for piece in pieces]
    return join(*shown)


def _quotes(state: State, text: str) -> Html:
    parts: list[Html] = []
    for quoted, lines in groupby(text.split("\n"), key=lambda line: line.startswith("&gt;")):
        if quoted:
            inner = "\n".join(line.removeprefix("&gt;").removeprefix(" ") for line in lines)
            parts.append(tag("blockquote", None, _inline(state, inner)))
        else:
            parts.append(_inline(state, "\n".join(lines)))
    return join(*parts)


def _inline(state: State, text: str) -> Html:
    parts: list[Html] = []
    held: list[Html] = []
    end = 0
    # Finished pieces are held back as private-use characters, so that *bold `code`* spans them.
    template: list[str] = []
    for match in _PIECES.finditer(text):
        template.append(text[end : match.start()])
        template.append(chr(0xE000 + len(held)) if len(held) < 0x1000 else "")
        held.append(_piece(state, match))
        end = match.end()
    template.append(text[end:])
    for part in re.split(r"([\ue000-\uefff])", _styled("".join(template))):
        index = ord(part) - 0xE000 if len(part) == 1 else -1
        parts.append(held[index] if 0 <= index < len(held) else Html(part))
    return join(*parts)


def _piece(state: State, match: re.Match[str]) -> Html:
    if match["pre"] is not None:
        return tag("pre", None, unescape(match["pre"].strip("\n")))
    if match["code"] is not None:
        return tag("code", None, unescape(match["code"]))
    return _control(state, match["control"])


def _styled(text: str) -> Html:
    parts: list[Html] = []
    end = 0
    for match in _STYLES.finditer(text):
        parts.append(_lines(text[end : match.start()]))
        parts.append(tag(str(match.lastgroup), None, _styled(match[str(match.lastgroup)])))
        end = match.end()
    parts.append(_lines(text[end:]))
    return join(*parts)


def _lines(text: str) -> Html:
    shown = [plain(line) for line in text.split("\n")]
    return Html("<br>".join(shown))


def _control(state: State, inner: str) -> Html:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        user = state.users.get(target[1:])
        return _mention(f"@{user.name if user else label or target[1:]}")
    if target.startswith("#"):
        channel = state.channels.get(target[1:])
        return _mention(f"#{channel.name if channel else label or target[1:]}")
    if target.startswith("!subteam^"):
        group = state.groups.get(target.removeprefix("!subteam^"))
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


def _emoji(match: re.Match[str]) -> str:
    return EMOJI.get(match[1], match[0])
