"""Slack's blocks as small functions; every text made here shows no emoji codes and no automatic links."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final, TypeAlias

from finops_slackbot.text import fit

Block: TypeAlias = dict[str, Any]

APPROVE: Final = "finops_approve"
DENY: Final = "finops_deny"
SNOOZE: Final = "finops_snooze"
RESUME: Final = "finops_resume"
WAKE: Final = "finops_wake"
DETAILS: Final = "finops_details"
UNDO: Final = "finops_undo"
"""action_id of the buttons: what the person wants to say, not what would be done."""

_ADDRESS: Final = re.compile(r"https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,1024}")
_SECTION: Final = 2900


def plain_text(text: str) -> Block:
    """Return a text that Slack shows as it is."""
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str) -> Block:
    """Return a formatted text; names of channels and addresses in it do not become links."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def header(text: str) -> Block:
    """Return a heading, plain, at most 150 characters."""
    return {"type": "header", "block_id": "header", "text": plain_text(text)}


def section(block_id: str, text: str) -> Block:
    """Return a paragraph."""
    return {"type": "section", "block_id": block_id, "text": mrkdwn(fit(text, _SECTION))}


def context(block_id: str, *texts: str) -> Block:
    """Return small print."""
    return {"type": "context", "block_id": block_id, "elements": [mrkdwn(fit(text, 1000)) for text in texts]}


def date(moment: datetime, *, relative: bool = False) -> str:
    """Return a moment in the reader's own time zone; UTC where Slack cannot show that (notifications)."""
    form = "{ago}" if relative else "{date_short_pretty} {time}"
    return f"<!date^{int(moment.timestamp())}^{form}|{moment:%Y-%m-%d %H:%M} UTC>"


def link(address: str, words: str) -> str:
    """Return a link for mrkdwn; an address that could end it early is shown as text instead."""
    if not _ADDRESS.fullmatch(address):
        return words
    return f"<{address.replace('&', '&amp;')}|{words}>"
