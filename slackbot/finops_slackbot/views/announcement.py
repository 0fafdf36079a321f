"""The message of a notice: an alert of a budget, an anomaly.

Made for somebody who is woken by it: the heading says what and how much, then come the figures, what is not known, what
drives them, as of when they are, and where it is seen. Every word is the operator's and is still treated as foreign:
names of budgets and accounts are in it.
"""

from __future__ import annotations

from typing import Final

from finops.domain.notice import Notice
from finops_slackbot.text import code, fit, plain, quote
from finops_slackbot.views.blocks import context, date, header, link, section
from finops_slackbot.views.card import Card

_HEADER: Final = 150
_LABEL: Final = 40
_LINE: Final = 600


def announcement(notice: Notice, *, home: str, demo: bool) -> Card:
    """Return the message.

    Args:
        notice: what is announced.
        home: address of the dashboard; empty where none is known.
        demo: whether the account is simulated.
    """
    text = f"{'Demo: ' if demo else ''}{quote(notice.text, 2000)}"
    lines = [f"*{quote(label, _LABEL)}:* {quote(sentence, _LINE)}" for label, sentence in notice.lines]
    labels = [context("labels", "*Demo:* a simulated AWS account. Nothing real is changed.")] if demo else []
    commands = [code(one, 160) for one in notice.commands]
    if home and notice.page:
        commands.insert(0, link(f"{home.rstrip('/')}{notice.page}", "Dashboard"))
    places = [f"See: {' · '.join(commands)}"] if commands else []
    return Card(
        fit(text, 3000),
        (
            header(plain(notice.title or notice.text, _HEADER)),
            *labels,
            section("status", "\n".join(lines) or quote(notice.text)),
            context("terms", *places, f"Namespace {code(notice.namespace, 63)} · noticed {date(notice.time)}"),
        ),
    )
