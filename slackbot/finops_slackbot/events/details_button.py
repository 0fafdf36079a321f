"""Details on a card: shown to whoever may see the card, in every state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import App

from finops_slackbot.button_targets import ButtonTargets, ClickResult
from finops_slackbot.events.intake import Intake, person_of
from finops_slackbot.events.vote_buttons import open_modal
from finops_slackbot.slack_calls import SlackCalls
from finops_slackbot.views.blocks import DETAILS
from finops_slackbot.views.details import details


class DetailsButton:
    """The listener."""

    def __init__(self, intake: Intake, targets: ButtonTargets, calls: SlackCalls) -> None:
        self._intake = intake
        self._targets = targets
        self._calls = calls

    def register(self, app: App) -> None:
        """Connect the listener."""
        app.action(DETAILS)(self.show)

    def show(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Open the modal."""
        person = person_of(body)
        if person is None:
            ack()
            return
        self._intake.run(ack, person, lambda: self._open(body))

    def _open(self, body: Mapping[str, Any]) -> ClickResult:
        actions = body.get("actions") or [{}]
        facts = self._targets.facts_behind(str(actions[0].get("value", "")))
        if isinstance(facts, ClickResult):
            return facts
        return open_modal(self._calls, body, details(facts))
