"""What the modals for votes with a reason have in common: deny, approve, snooze, resume and wake."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from finops.domain.decision import NO_VOTES, Choice
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.views.blocks import Block, context, plain_text, section

REASON_BLOCK: Final = "reason"
REASON_INPUT: Final = "text"
_REASON_CHARACTERS: Final = 1000


@dataclass(frozen=True, slots=True)
class ModalOrigin:
    """Where a modal came from: the signed button value and the card, so that the answer finds its place."""

    value: str
    channel: str
    message_ts: str

    def dump(self) -> str:
        """Return the view's private metadata."""
        return json.dumps([self.value, self.channel, self.message_ts])


def origin_of(private_metadata: str) -> ModalOrigin | None:
    """Return where a submitted modal came from, None when the metadata is not ours."""
    try:
        parts: Any = json.loads(private_metadata)
    except ValueError:
        return None
    if not isinstance(parts, list) or len(parts) != 3 or not all(isinstance(part, str) for part in parts):
        return None
    return ModalOrigin(*parts)


def needs_reason(choice: Choice, facts: CardFacts) -> bool:
    """Return whether the modal of a choice must be given a reason; who ends a pause or a snooze always gives one."""
    if choice in NO_VOTES or facts.require_reason == "Always":
        return True
    return choice is not Choice.APPROVE and facts.require_reason == "Deny"


def reason_modal(
    *, callback_id: str, title: str, question: str, note: str, submit: str, optional: bool, origin: ModalOrigin
) -> dict[str, Any]:
    """Return a modal that asks for one reason; `question` is mrkdwn and already safe."""
    reason: Block = {
        "type": "input",
        "block_id": REASON_BLOCK,
        "optional": optional,
        "label": plain_text("Reason"),
        "hint": plain_text("Shown on the card and kept in the ledger. No secrets."),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON_INPUT,
            "multiline": True,
            "max_length": _REASON_CHARACTERS,
            "focus_on_load": True,
        },
    }
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": origin.dump(),
        "title": plain_text(title),
        "submit": plain_text(submit),
        "close": plain_text("Cancel"),
        "blocks": [section("question", question), reason, context("note", note)],
    }
