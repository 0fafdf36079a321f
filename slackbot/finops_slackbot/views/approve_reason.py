"""The modal behind "Approve" where the policy wants a reason for every vote; it is the confirmation as well."""

from __future__ import annotations

from typing import Any, Final

from finops_slackbot.card_facts import CardFacts
from finops_slackbot.text import code, quote
from finops_slackbot.views.reason_modal import ModalOrigin, reason_modal
from finops_slackbot.views.status import consequence
from finops_slackbot.views.wording import kind, named_code, target, verb

CALLBACK: Final = "finops_approve_reason"


def approve_reason(facts: CardFacts, origin: ModalOrigin) -> dict[str, Any]:
    """Return the modal."""
    what = target(facts)
    return reason_modal(
        callback_id=CALLBACK,
        title="Approve",
        question=(
            f"*{verb(facts)}* {kind(facts)} {named_code(facts)}{f' → {code(what)}' if what else ''} "
            f"in account {code(facts.account, 60)}, {code(facts.region, 30)}. {quote(consequence(facts), 320)}"
        ),
        note="This policy asks for a reason with every vote.",
        submit="Approve",
        optional=False,
        origin=origin,
    )
