"""Approve, Deny, Snooze, Resume, Wake and Undo on a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from slack_bolt import App

from finops.domain.decision import Choice
from finops_slackbot.button_targets import ClickResult
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.click_answers import ClickAnswers
from finops_slackbot.events.intake import ENVELOPE, Intake, Person, person_of
from finops_slackbot.slack_calls import Identity, SlackCalls
from finops_slackbot.slack_errors import SlackRateLimited, SlackRefused, SlackUnavailable
from finops_slackbot.views import answers
from finops_slackbot.views.approve_reason import approve_reason
from finops_slackbot.views.blocks import APPROVE, DENY, RESUME, SNOOZE, UNDO, WAKE
from finops_slackbot.views.deny_reason import deny_reason
from finops_slackbot.views.ending_reason import resume_reason, wake_reason
from finops_slackbot.views.reason_modal import ModalOrigin
from finops_slackbot.views.snooze_date import snooze_date
from finops_slackbot.votes import Click, VoteTaker

_MODALS: Final[Mapping[Choice, Callable[[CardFacts, ModalOrigin], Mapping[str, Any]]]] = {
    Choice.APPROVE: approve_reason,
    Choice.DENY: deny_reason,
    Choice.SNOOZE: snooze_date,
    Choice.RESUME: resume_reason,
    Choice.WAKE: wake_reason,
}


class VoteButtons:
    """The listeners."""

    def __init__(
        self,
        intake: Intake,
        votes: VoteTaker,
        calls: SlackCalls,
        answering: ClickAnswers,
        identity: Callable[[], Identity],
    ) -> None:
        self._intake = intake
        self._votes = votes
        self._calls = calls
        self._answering = answering
        self._identity = identity

    def register(self, app: App) -> None:
        """Connect the listeners."""
        app.action(APPROVE)(self.approve)
        app.action(DENY)(self.deny)
        app.action(SNOOZE)(self.snooze)
        app.action(RESUME)(self.resume)
        app.action(WAKE)(self.wake)
        app.action(UNDO)(self.undo)

    def approve(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Count a click as a vote, or ask for the reason first where the policy wants one."""
        person, action = person_of(body), _action(body)
        if person is None:
            ack()
            return
        self._intake.run(ack, person, lambda: self._approve(body, person, action))

    def deny(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Ask for the reason; nothing is recorded before it is sent."""
        self._open(ack, body, Choice.DENY)

    def snooze(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Ask for the date; nothing is recorded before it is sent."""
        self._open(ack, body, Choice.SNOOZE)

    def resume(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Ask for the reason to let paused acts begin again; nothing is recorded before it is sent."""
        self._open(ack, body, Choice.RESUME)

    def wake(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Ask for the reason to end a snooze; nothing is recorded before it is sent."""
        self._open(ack, body, Choice.WAKE)

    def _open(self, ack: Callable[..., Any], body: dict[str, Any], choice: Choice) -> None:
        person, action = person_of(body), _action(body)
        if person is None:
            ack()
            return
        self._intake.run(ack, person, lambda: self._ask(body, person, action, choice))

    def undo(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Ask for the undo of an act that succeeded; the button's own question is the confirmation."""
        person, action = person_of(body), _action(body)
        if person is None:
            ack()
            return
        self._intake.run(ack, person, lambda: self._take(body, person, action, Choice.UNDO))

    def _approve(self, body: Mapping[str, Any], person: Person, action: Mapping[str, Any]) -> ClickResult | None:
        facts = self._votes.targets.facts_behind(str(action.get("value", "")))
        if not isinstance(facts, ClickResult) and facts.require_reason == "Always":
            return self._ask(body, person, action, Choice.APPROVE)
        return self._take(body, person, action, Choice.APPROVE)

    def _take(
        self, body: Mapping[str, Any], person: Person, action: Mapping[str, Any], choice: Choice
    ) -> ClickResult | None:
        click = Click(
            identities=click_identities(body, person, action),
            user=person.user,
            username=person.username,
            team=person.team,
            channel=person.channel,
            value=str(action.get("value", "")),
            decision=choice,
            reason="",
            response_url=person.response_url,
        )
        result = self._votes.take(click, self._identity())
        if result is not None and result.recorded:
            self._answering.remember(result.click_id, person.response_url)
        return result

    def _ask(self, body: Mapping[str, Any], person: Person, action: Mapping[str, Any], choice: Choice) -> ClickResult:
        value = str(action.get("value", ""))
        facts = self._votes.targets.facts_behind(value)
        if isinstance(facts, ClickResult):
            return facts
        if closed := self._votes.targets.closed(facts, choice):
            return closed
        origin = ModalOrigin(value, person.channel, str((body.get("container") or {}).get("message_ts", "")))
        return open_modal(self._calls, body, _MODALS[choice](facts, origin))


def open_modal(calls: SlackCalls, body: Mapping[str, Any], view: Mapping[str, Any]) -> ClickResult:
    """Open a modal for a click; the trigger is used at once, before it is too old."""
    try:
        calls.open_modal(str(body.get("trigger_id", "")), view)
    except (SlackRefused, SlackRateLimited, SlackUnavailable):
        return ClickResult(answers.modal_failed(), "modal-failed")
    return ClickResult("", "modal")


def click_identities(body: Mapping[str, Any], person: Person, action: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a redelivery of the same click has in common with it: the envelope; place, moment and person."""
    container = body.get("container") or {}
    place = (person.channel, container.get("message_ts"), action.get("action_ts"), person.user)
    return (f"envelope:{body.get(ENVELOPE, '')}", "click:" + ":".join(str(part) for part in place))


def _action(body: Mapping[str, Any]) -> Mapping[str, Any]:
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    return first if isinstance(first, dict) else {}
