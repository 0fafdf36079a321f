"""Which line reminds people of a request now, by what its thread and the operator say."""

from __future__ import annotations

import threading

from finops.ports.clock import Clock
from finops.store.slack_messages import SlackMessages
from finops.store.slack_status import SlackStatus
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.reminders import due_reminder
from finops_slackbot.views.thread import Line, reminder_line


class Reminding:
    """Reads what the decision about a reminder needs.

    Attributes:
        current: set once every request was projected since the start. Until then a reminder in the outbox may be of a
            request that was decided while the bot was away.
    """

    def __init__(self, messages: SlackMessages, status: SlackStatus, clock: Clock) -> None:
        self._messages = messages
        self._status = status
        self._clock = clock
        self.current = threading.Event()

    def line(self, facts: CardFacts) -> Line | None:
        """Return the line that should come into the thread now. Raises StoreUnavailable."""
        now = self._clock.now()
        # The store is asked only about requests that are old enough.
        if due_reminder(facts, now, ()) is None or self._status.frozen():
            return None
        reminder = due_reminder(facts, now, self._messages.said(facts.uid))
        return None if reminder is None else reminder_line(facts, reminder)
