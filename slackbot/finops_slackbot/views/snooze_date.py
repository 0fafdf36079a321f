"""The modal behind "Snooze…": a date and, where the policy wants one, a reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Final

from finops.domain.decision import Choice
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.views.blocks import Block, plain_text
from finops_slackbot.views.reason_modal import ModalOrigin, needs_reason, reason_modal
from finops_slackbot.views.wording import kind, named_code

CALLBACK: Final = "finops_snooze_date"
DATE_BLOCK: Final = "until"
DATE_INPUT: Final = "date"


def snooze_date(facts: CardFacts, origin: ModalOrigin) -> dict[str, Any]:
    """Return the modal."""
    modal = reason_modal(
        callback_id=CALLBACK,
        title="Snooze",
        question=f"*Not now:* ask again about {kind(facts)} {named_code(facts)} on a later day.",
        note="The request is closed, and no policy asks about the resource before that day. Nothing is changed in AWS.",
        submit="Snooze",
        optional=not needs_reason(Choice.SNOOZE, facts),
        origin=origin,
    )
    until: Block = {
        "type": "input",
        "block_id": DATE_BLOCK,
        "label": plain_text("Ask again on"),
        "hint": plain_text("From 00:00 UTC of that day, at most 366 days from now."),
        "element": {"type": "datepicker", "action_id": DATE_INPUT},
    }
    question, reason, note = modal["blocks"]
    return {**modal, "blocks": [question, until, reason, note]}


def chosen_date(values: dict[str, Any]) -> datetime | None:
    """Return the start of the chosen day in UTC, None when the values of the modal hold no date."""
    text = str(((values.get(DATE_BLOCK) or {}).get(DATE_INPUT) or {}).get("selected_date") or "")
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return None
