"""Which reminder of a request that waits for votes is due: by its terms, its age and what was said before. Pure.

Called by the projection. At most one message is due at a time: what became due while the bot was away is said by the
latest one, and what is older than a message that was posted is never said.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from finops.crds.reminders import Mentioned
from finops.domain.decision import UNDECIDED
from finops.store.outbox import REMINDER
from finops_slackbot.card_facts import CardFacts

_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A message that is due.

    Attributes:
        after: how long the request has waited by then at least; two of one request never share it.
        mentions: whom it mentions; nobody in a mere reminder.
    """

    after: timedelta
    mentions: tuple[Mentioned, ...] = ()

    @property
    def key(self) -> str:
        """The key of its line in the thread."""
        return f"{REMINDER}{self.after // _MINUTE}"


def due_reminder(facts: CardFacts, now: datetime, said: Collection[str]) -> Reminder | None:
    """Return the reminder that should be in the thread by now and is not; None when there is none.

    Args:
        facts: only a request that still waits for votes is reminded of.
        now: with its zone.
        said: keys of the lines that were posted, or that will never be.
    """
    if facts.state not in UNDECIDED or not facts.missing or now >= facts.expires_at:
        return None
    age, covered = now - facts.created, _latest_said(said)
    due = {wait for wait in facts.remind_after if covered < wait <= age}
    escalations = [one for one in facts.escalate if covered < one.after.delta <= age]
    # Nobody who should have been mentioned is left out because a mere reminder became due after it.
    last = max((one.after.delta for one in escalations), default=None)
    due |= {last} if last is not None else set()
    if not due:
        return None
    return Reminder(max(due), tuple(dict.fromkeys(one.to for one in escalations if one.after.delta == last)))


def _latest_said(said: Collection[str]) -> timedelta:
    minutes = (int(key.removeprefix(REMINDER)) for key in said if key.startswith(REMINDER))
    return max(minutes, default=0) * _MINUTE
