"""Something that happened and that is announced to people and programs once: an alert of a budget, an anomaly.

Its id is made of what happened, never of when it was noticed: whoever announces it again after a crash says the same
thing, and it is announced once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to announce.

    Attributes:
        id: what happened, the same however often it is noticed.
        type: what kind of thing, in dotted lower-case words: `budget.alert`.
        namespace: whose it is; only who may read its policies sees it.
        subject: what it is about, `kind/name`.
        time: when it was noticed first, aware.
        text: one sentence for people.
        data: the figures behind it, plain JSON; money as decimal strings.
        title: a few words for a heading; empty for who has only the sentence.
        lines: (label, sentence) for people who want to know more, in the order in which they ask.
        commands: what to type to see it.
        page: path of the dashboard's page about it.
        channels: ids of the Slack channels it goes to.
    """

    id: str
    type: str
    namespace: str
    subject: str
    time: datetime
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()
    page: str = ""
    channels: tuple[str, ...] = ()
