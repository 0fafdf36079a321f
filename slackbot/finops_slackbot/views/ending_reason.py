"""The modals behind "Resume…" and "Wake…": why a pause after a failed act, or a snooze before its date, is ended."""

from __future__ import annotations

from typing import Any, Final

from finops_slackbot.card_facts import CardFacts
from finops_slackbot.text import quote
from finops_slackbot.views.blocks import date
from finops_slackbot.views.reason_modal import ModalOrigin, reason_modal
from finops_slackbot.views.wording import kind, named_code, verb

RESUME_CALLBACK: Final = "finops_resume_reason"
WAKE_CALLBACK: Final = "finops_wake_reason"


def resume_reason(facts: CardFacts, origin: ModalOrigin) -> dict[str, Any]:
    """Return the modal for paused acts."""
    return reason_modal(
        callback_id=RESUME_CALLBACK,
        title="Resume",
        question=f"*Resume the acts that wait* ({verb(facts)} {kind(facts)}). {quote(facts.paused, 1500)}",
        note="Approved acts of this kind and policy begin again. One approver of the policy, as it is now, is enough.",
        submit="Resume",
        optional=False,
        origin=origin,
    )


def wake_reason(facts: CardFacts, origin: ModalOrigin) -> dict[str, Any]:
    """Return the modal for a snoozed resource."""
    until = f" Snoozed until {date(facts.snoozed_until)}." if facts.snoozed_until else ""
    return reason_modal(
        callback_id=WAKE_CALLBACK,
        title="Wake",
        question=f"*Ask again* about {kind(facts)} {named_code(facts)} before that day.{until}",
        note="It is asked again after the next scan, if it is still recommended. Nothing is changed in AWS.",
        submit="Wake",
        optional=False,
        origin=origin,
    )
