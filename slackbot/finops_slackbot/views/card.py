"""The card of one request, as it stands in the channel.

Made for somebody who is woken by it: the heading says what would happen to what for how much, the first paragraph where
it stands, the fields why, the buttons what can be said now. Made by the projection, posted and updated by the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from finops.domain.decision import State
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.text import code, fit, plain, quote, stored_length
from finops_slackbot.views.blocks import (
    APPROVE,
    DENY,
    DETAILS,
    Block,
    context,
    date,
    fields,
    header,
    mrkdwn,
    plain_text,
    section,
)
from finops_slackbot.views.status import consequence, status, votes
from finops_slackbot.views.wording import (
    act,
    effort,
    expiry,
    kind,
    measured,
    metric,
    money,
    named,
    named_code,
    seen,
    target,
    way_back,
)

_HEADER: Final = 150
_CONFIRM: Final = 300
_STATE_WORDS: Final = {
    State.PENDING: "waiting for a decision",
    State.APPROVED: "approved",
    State.SCHEDULED: "scheduled",
    State.EXECUTING: "running",
    State.VERIFYING: "being verified",
    State.SUCCEEDED: "done and verified",
    State.ROLLED_BACK: "rolled back",
    State.NEEDS_HUMAN: "a person must look",
    State.STALE: "not done, resource changed",
    State.DENIED: "denied",
    State.EXPIRED: "expired",
    State.WITHDRAWN: "withdrawn",
    State.SUPERSEDED: "replaced by a newer proposal",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A message: the sentence for notifications and screen readers, and the blocks."""

    text: str
    blocks: tuple[Block, ...]


def card(facts: CardFacts, buttons: Buttons) -> Card:
    """Return the card for the state the request is in."""
    blocks = [header(_heading(facts))]
    labels = _labels(facts)
    if labels:
        blocks.append(context("labels", *labels))
    blocks.append(section("status", status(facts)))
    if facts.summary.strip():
        # The operator's own sentence, still treated as foreign: it may repeat what AWS said.
        blocks.append(section("why", f"*Why:* {quote(facts.summary, 800)}"))
    blocks.append(fields("facts", _fields(facts)))
    if facts.warnings:
        blocks.append(section("warnings", "\n".join(f"*Take care:* {quote(one, 250)}" for one in facts.warnings[:5])))
    blocks.append(context("terms", *_terms(facts)))
    blocks.append({"type": "actions", "block_id": f"act.{facts.revision}", "elements": _elements(facts, buttons)})
    return Card(_sentence(facts), tuple(blocks))


def gone(text: str, blocks: tuple[Block, ...]) -> Card:
    """Return a card whose request was deleted from the cluster: without buttons, and saying so."""
    kept = [block for block in blocks if block["type"] not in {"actions", "header"} and block["block_id"] != "status"]
    heads = [block for block in blocks if block["type"] == "header"]
    said = section(
        "status", "*No longer in the cluster:* the request was deleted. Nothing will be done; votes are void."
    )
    return Card(fit(f"Deleted: {text}", 3000), (*heads, said, *kept))


def _labels(facts: CardFacts) -> list[str]:
    labels = []
    if facts.demo:
        labels.append("*Demo:* a simulated AWS account on one machine. Nothing real is touched.")
    if facts.dry_run:
        labels.append("*Dry run:* approving checks everything and changes nothing in AWS.")
    if facts.destructive:
        labels.append("*Destroys something:* needs different people to agree.")
    return labels


def _heading(facts: CardFacts) -> str:
    """What the card is about; once it is decided, how it stands comes first, for whoever scrolls by."""
    verb, what = act(facts).verb, target(facts)
    saving = f"{money(facts.monthly_savings, facts.currency)} a month"
    if facts.state is State.PENDING:
        start, end = f"{verb} ", f": save {saving}"
    else:
        start = f"{_STATE_WORDS[facts.state].capitalize()}: {verb.lower()} "
        end = f", saves {saving}" if facts.state is State.SUCCEEDED and not facts.dry_run else ""
    end = f"{' ' + what if what else ''}{end}"
    # The name gives way first; the id, the target and the money must stay readable.
    room = _HEADER - stored_length(start + end) - len(facts.resource_id) - 3
    name = plain(facts.resource_name, room) if room > 4 else ""
    text = start + (f"{name} ({facts.resource_id})" if name else facts.resource_id) + end
    return plain(text, _HEADER)


def _sentence(facts: CardFacts) -> str:
    """Everything in one sentence; the only part a notification or a screen reader is sure to show."""
    what = target(facts)
    dry = "Dry run: " if facts.dry_run else ""
    demo = "Demo: " if facts.demo else ""
    head = (
        f"{demo}{dry}{act(facts).verb} {kind(facts)} {named_code(facts)}{', ' + code(what) + ',' if what else ''} "
        f"in account {code(facts.account)}, {code(facts.region)}"
    )
    saving = f"{money(facts.monthly_savings, facts.currency)} a month"
    if facts.state is not State.PENDING:
        return fit(f"{head}: {_STATE_WORDS[facts.state]} ({saving}).", 3000)
    if not facts.missing:
        return fit(f"{head}: saves {saving}. Enough approvals; the operator is deciding.", 3000)
    people = "1 approval" if facts.missing == 1 else f"{facts.missing} approvals"
    return fit(f"{head}: saves {saving}. Needs {people} by {expiry(facts)}: press Approve or Deny on the card.", 3000)


def _fields(facts: CardFacts) -> list[tuple[str, str]]:
    now, then = money(facts.current_monthly_cost, facts.currency), money(facts.new_monthly_cost, facts.currency)
    saving = money(facts.monthly_savings, facts.currency)
    year = money(facts.annual_savings, facts.currency)
    what = target(facts, before=True)
    return [
        ("Resource", f"{kind(facts)} {named_code(facts)}"),
        ("Where", f"{code(facts.account, 60)} ({facts.account_id}), {code(facts.region, 30)}"),
        ("Change", code(what, 200) if what else act(facts).verb),
        ("Saves", f"*{saving}* a month, {year} a year"),
        ("Costs a month", f"{now} now, {then} after"),
        ("Owner", code(facts.owner, 80) if facts.owner else "no owner tag"),
        *([("CPU", metric(facts, "cpu")), ("Memory", metric(facts, "memory"))] if measured(facts) else []),
        ("Downtime", "none, dry run" if facts.dry_run else act(facts).downtime),
        ("Way back", way_back(facts)),
    ]


def _terms(facts: CardFacts) -> list[str]:
    closed = facts.state is not State.PENDING
    limit = f"Expired {expiry(facts)}" if facts.state is State.EXPIRED else f"Decide by {expiry(facts)}"
    decided = f"Decided {date(facts.decided_at)}" if facts.decided_at else "Closed"
    metrics = seen(facts)
    origin = f"Policy {code(facts.policy, 60)} · check {code(facts.check, 60)} · request {code(facts.name, 70)}"
    return [
        f"{decided if closed and facts.state is not State.EXPIRED else limit} · {votes(facts)}",
        *([f"Metrics: {metrics}"] if metrics else []),
        f"{origin} · effort {effort(facts)}",
    ]


def _elements(facts: CardFacts, buttons: Buttons) -> list[Block]:
    value = buttons.value(facts.uid, facts.revision)
    label = plain(named(facts, 30), 50)
    details = _button(DETAILS, "Details", value, f"Details of {label}")
    if facts.state is not State.PENDING:
        return [details]
    approve = _button(APPROVE, "Approve", value, f"Approve: {label}")
    approve["style"] = "danger" if facts.destructive else "primary"
    if facts.require_reason != "Always":
        # With a reason to give, the modal is the confirmation.
        approve["confirm"] = _confirm(facts)
    return [approve, _button(DENY, "Deny…", value, f"Deny: {label}"), details]


def _button(action_id: str, text: str, value: str, label: str) -> Block:
    return {
        "type": "button",
        "action_id": action_id,
        "text": plain_text(text),
        "value": value,
        "accessibility_label": plain(label, 75),
    }


def _confirm(facts: CardFacts) -> Block:
    what = target(facts)
    question = (
        f"{act(facts).verb} {facts.resource_id}{' to ' + facts.changes[0].after if len(facts.changes) == 1 else ''}?"
    )
    name = f"{code(facts.resource_name, 40)} " if facts.resource_name.strip() else ""
    others = facts.missing - 1
    then = f"Starts only after {others} more." if others > 0 else ""
    text = (
        f"{name}{code(facts.resource_id)} in {code(facts.account, 30)}, {code(facts.region, 20)} {consequence(facts)}. "
        f"{'Change: ' + code(what, 40) + '. ' if what else ''}{then}"
    ).rstrip()
    return {
        "title": plain_text(plain(question, 100)),
        "text": mrkdwn(fit(text, _CONFIRM)),
        "confirm": plain_text("Approve"),
        "deny": plain_text("Not now"),
        "style": "danger" if facts.destructive else "primary",
    }
