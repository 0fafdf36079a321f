"""The message that lists the new requests of one scan; their cards are in its thread, the best saving last.

Made by the projection; it follows the requests like a card, so that it always says how many still wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from finops.domain.decision import State
from finops.domain.quantity import counted
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.text import code, fit, plain, quote
from finops_slackbot.views.blocks import context, header, section
from finops_slackbot.views.card import STATE_WORDS, Card
from finops_slackbot.views.wording import expiry, money, target, verb

_LISTED: Final = 20


def digest(requests: Sequence[CardFacts]) -> Card:
    """Return the message about some requests of one policy, given in the order of their cards; at least one."""
    first, waiting = requests[0], [one for one in requests if one.state is State.PENDING]
    heading = plain(f"{_count(len(requests))}: {_savings(requests)}", 150)
    hidden = len(requests) - _LISTED
    lines = [f"and {counted(hidden, 'smaller one')}, see the thread"] if hidden > 0 else []
    lines += [_line(one) for one in requests[-_LISTED:]]
    standing = f"*{len(waiting)} of {len(requests)} wait for a decision.*" if waiting else "*All are decided.*"
    until = f" Decide by {expiry(min(waiting, key=lambda one: one.expires_at))}." if waiting else ""
    demo = "Demo: " if first.demo else ""
    labels = [context("labels", "*Demo:* a simulated AWS account. Nothing real is changed.")] if first.demo else []
    return Card(
        fit(f"{demo}{heading}. Policy {code(first.policy, 60)}. The cards are in the thread.", 3000),
        (
            header(heading),
            *labels,
            section("list", "\n".join(lines)),
            section("status", f"{standing}{until} Open the thread to decide on each; the best saving is last."),
            context("terms", f"Policy {code(first.policy, 60)}"),
        ),
    )


def _savings(requests: Sequence[CardFacts]) -> str:
    """Return what comes every month and what comes once, apart: the second comes back as cost.

    A saving that nobody can know is in neither sum; how many there are is said.
    """
    lasting = sum((one.monthly_savings or Decimal(0) for one in requests if not one.lasts_days), Decimal(0))
    once = sum((one.monthly_savings or Decimal(0) for one in requests if one.lasts_days), Decimal(0))
    currency, unknown = requests[0].currency, sum(one.monthly_savings is None for one in requests)
    if unknown == len(requests):
        return "saving unknown"
    parts = [f"save {money(lasting, currency)} a month"] if lasting or not once else []
    parts = [*parts, f"{'' if parts else 'save '}{money(once, currency)} once"] if once else parts
    return " and ".join(parts) + (f"; {unknown} with unknown saving" if unknown else "")


def _count(number: int) -> str:
    return "1 new request" if number == 1 else f"{number} new requests"


def _line(facts: CardFacts) -> str:
    name = quote(facts.resource_name, 40) if facts.resource_name.strip() else quote(facts.resource_id, 60)
    what = f" → {quote(target(facts), 30)}" if target(facts) else ""
    state = "" if facts.state is State.PENDING else f" – {STATE_WORDS[facts.state]}"
    amount = "saving unknown:" if facts.monthly_savings is None else money(facts.monthly_savings, facts.currency)
    return f"• {amount} {verb(facts).lower()} {name}{what}{state}"
