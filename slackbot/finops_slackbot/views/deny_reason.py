"""The modal behind "Deny…": one reason, then the request is closed."""

from __future__ import annotations

from typing import Any, Final

from finops.domain.decision import Choice
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.views.reason_modal import ModalOrigin, needs_reason, reason_modal
from finops_slackbot.views.wording import kind, named_code, verb

CALLBACK: Final = "finops_deny_reason"


def deny_reason(facts: CardFacts, origin: ModalOrigin) -> dict[str, Any]:
    """Return the modal."""
    return reason_modal(
        callback_id=CALLBACK,
        title="Deny",
        question=f"*Do not {verb(facts).lower()}* {kind(facts)} {named_code(facts)}.",
        note="One denial closes the request. Nothing is changed in AWS.",
        submit="Deny",
        optional=not needs_reason(Choice.DENY, facts),
        origin=origin,
    )
