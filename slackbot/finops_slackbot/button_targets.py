"""What a button leads to: the request behind its signed value, and whether that still takes votes.

Used for votes, and by modals, which record nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from finops.domain.decision import Choice, State
from finops.errors import FinopsError
from finops.ports.clock import Clock
from finops.store.slack_messages import SlackMessages
from finops_slackbot.buttons import Buttons, revision_of
from finops_slackbot.card_facts import CardFacts, card_facts
from finops_slackbot.mirror import Mirror
from finops_slackbot.slack_calls import SlackCalls
from finops_slackbot.views import answers


@dataclass(frozen=True, slots=True)
class ClickResult:
    """What became of a click.

    Attributes:
        text: the answer to send now; empty when the operator's verdict will be sent.
        outcome: a word for metrics.
        recorded: an Approval exists.
    """

    text: str
    outcome: str
    recorded: bool = False
    click_id: str = ""


class ButtonTargets:
    """Requests behind buttons."""

    def __init__(
        self,
        *,
        buttons: Buttons,
        messages: SlackMessages,
        mirror: Mirror,
        calls: SlackCalls,
        clock: Clock,
        demo: bool,
    ) -> None:
        self._buttons = buttons
        self._messages = messages
        self._mirror = mirror
        self._calls = calls
        self._clock = clock
        self._demo = demo

    def facts_behind(self, value: str) -> CardFacts | ClickResult:
        """Return what a button is about, or why it leads nowhere."""
        button = self._buttons.read(value)
        if button is None:
            return ClickResult(answers.unknown_button(), "forged")
        request = self._mirror.request(button.uid)
        if request is None:
            if self._mirror.problem():
                return ClickResult(answers.starting(), "starting")
            return ClickResult(answers.unknown_request(), "unknown")
        facts = card_facts(request, self._mirror.votes(button.uid), demo=self._demo)
        if revision_of(request.spec.plan_hash) != button.revision:
            return ClickResult(answers.changed_plan(), "changed")
        return facts

    def closed(self, facts: CardFacts, choice: Choice) -> ClickResult | None:
        """Return the answer when the request takes no more votes, or there is nothing for a word to end."""
        if choice is Choice.RESUME:
            return None if facts.paused else ClickResult(answers.not_paused(facts), "not-paused")
        if choice is Choice.WAKE:
            over = facts.snoozed_until is not None and self._clock.now() >= facts.snoozed_until
            return None if facts.is_snoozed and not over else ClickResult(answers.not_snoozed(facts), "not-snoozed")
        if choice is Choice.UNDO:
            return self._no_undo(facts)
        if facts.state is not State.PENDING:
            return ClickResult(answers.closed(facts, self._newer_card(facts)), f"closed-{facts.state.value.lower()}")
        if self._clock.now() >= facts.expires_at:
            return ClickResult(answers.expired(facts), "expired")
        return None

    def _no_undo(self, facts: CardFacts) -> ClickResult | None:
        until = facts.undo.until
        if not facts.can_be_undone or until is None or self._clock.now() >= until:
            return ClickResult(answers.cannot_undo(facts), "closed-undo")
        return None

    def _newer_card(self, facts: CardFacts) -> str:
        """Return the address of the card that replaced this one, empty when it cannot be had."""
        request = self._mirror.request(facts.uid)
        newer = self._mirror.newer(request) if request is not None else None
        if facts.state is not State.SUPERSEDED or newer is None:
            return ""
        try:
            ref = self._messages.of(newer.metadata.uid or "")
            return self._calls.permalink(ref.channel, ref.ts) if ref.ts else ""
        except FinopsError:
            return ""
