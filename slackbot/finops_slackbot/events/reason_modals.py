"""The modals for votes with a reason or a date, sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from slack_bolt import App

from finops.domain.decision import LONGEST_SNOOZE, Choice
from finops.ports.clock import Clock
from finops_slackbot.button_targets import ClickResult
from finops_slackbot.click_answers import ClickAnswers
from finops_slackbot.events.intake import ENVELOPE, Intake, Person, person_of
from finops_slackbot.slack_calls import Identity
from finops_slackbot.views import answers, approve_reason, deny_reason, ending_reason, snooze_date
from finops_slackbot.views.reason_modal import REASON_BLOCK, REASON_INPUT, ModalOrigin, needs_reason, origin_of
from finops_slackbot.votes import Click, VoteTaker

_UNUSABLE_DATE: Final = "unusable-date"
_REASON_MISSING: Final = "reason-missing"
_KEEPS_THE_MODAL: Final = frozenset(
    {"store-down", "cluster-down", "slack-down", "starting", _UNUSABLE_DATE, _REASON_MISSING}
)
"""Outcomes after which the person should be able to press the button again without typing the reason anew."""


class ReasonModals:
    """The listeners."""

    def __init__(
        self, intake: Intake, votes: VoteTaker, answering: ClickAnswers, identity: Callable[[], Identity], clock: Clock
    ) -> None:
        self._intake = intake
        self._clock = clock
        self._votes = votes
        self._answering = answering
        self._identity = identity

    def register(self, app: App) -> None:
        """Connect the listeners."""
        app.view(deny_reason.CALLBACK)(self.deny)
        app.view(approve_reason.CALLBACK)(self.approve)
        app.view(snooze_date.CALLBACK)(self.snooze)
        app.view(ending_reason.RESUME_CALLBACK)(self.resume)
        app.view(ending_reason.WAKE_CALLBACK)(self.wake)

    def deny(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Record a denial."""
        self._submit(ack, body, Choice.DENY)

    def approve(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Record an approval with its reason."""
        self._submit(ack, body, Choice.APPROVE)

    def snooze(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Record a snooze with its date."""
        self._submit(ack, body, Choice.SNOOZE)

    def resume(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Record that paused acts may begin again."""
        self._submit(ack, body, Choice.RESUME)

    def wake(self, ack: Callable[..., Any], body: dict[str, Any]) -> None:
        """Record that a snooze ends before its date."""
        self._submit(ack, body, Choice.WAKE)

    def _submit(self, ack: Callable[..., Any], body: dict[str, Any], choice: Choice) -> None:
        view = body.get("view") or {}
        origin = origin_of(str(view.get("private_metadata", "")))
        person = person_of(body, origin.channel if origin else "")
        if origin is None or person is None:
            ack()
            return
        reason = _reason(view)
        self._intake.run(
            ack,
            person,
            lambda: self._objection(view, origin, choice, reason) or self._vote(body, person, origin, choice, reason),
            in_modal=_in_modal,
        )

    def _objection(
        self, view: Mapping[str, Any], origin: ModalOrigin, choice: Choice, reason: str
    ) -> ClickResult | None:
        """Return what the operator would refuse: the person can put it right while the modal is open."""
        if choice is Choice.SNOOZE:
            until, now = snooze_date.chosen_date(_values(view)), self._clock.now()
            if until is None or not now < until <= now + LONGEST_SNOOZE:
                return ClickResult(answers.unusable_date(), _UNUSABLE_DATE)
        facts = self._votes.targets.facts_behind(origin.value)
        if not reason.strip() and not isinstance(facts, ClickResult) and needs_reason(choice, facts):
            return ClickResult(answers.reason_missing(), _REASON_MISSING)
        return None

    def _vote(
        self, body: Mapping[str, Any], person: Person, origin: ModalOrigin, choice: Choice, reason: str
    ) -> ClickResult | None:
        view = body.get("view") or {}
        # A view id is unique to one opening; its hash changes when the person may send it again.
        sent = f"view:{view.get('id')}:{view.get('hash')}:{person.user}:{body.get('trigger_id')}"
        click = Click(
            identities=(f"envelope:{body.get(ENVELOPE, '')}", sent),
            user=person.user,
            username=person.username,
            team=person.team,
            channel=origin.channel,
            value=origin.value,
            decision=choice,
            reason=reason,
            response_url="",
            until=snooze_date.chosen_date(_values(view)) if choice is Choice.SNOOZE else None,
        )
        result = self._votes.take(click, self._identity())
        if result is not None and result.recorded:
            self._answering.remember(result.click_id, person.response_url)
        return result


def _reason(view: Mapping[str, Any]) -> str:
    entry = (_values(view).get(REASON_BLOCK) or {}).get(REASON_INPUT) or {}
    return str(entry.get("value") or "")


def _values(view: Mapping[str, Any]) -> dict[str, Any]:
    return (view.get("state") or {}).get("values") or {}


def _in_modal(result: ClickResult) -> Mapping[str, Any] | None:
    if result.outcome in _KEEPS_THE_MODAL:
        block = snooze_date.DATE_BLOCK if result.outcome == _UNUSABLE_DATE else REASON_BLOCK
        return {"response_action": "errors", "errors": {block: result.text}}
    return None
