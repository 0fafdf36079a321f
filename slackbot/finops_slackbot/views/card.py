"""The card of one request, as it stands in the channel.

Made for somebody who is woken by it, on a phone: the heading says what would happen to what for how much; what changes,
why, the risk and the buttons follow at once; everything else is in Details. Made by the projection, posted and updated
by the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from finops.domain.decision import IN_FLIGHT, State
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.text import code, fit, plain, quote, stored_length
from finops_slackbot.views.blocks import (
    APPROVE,
    DENY,
    DETAILS,
    RESUME,
    SNOOZE,
    UNDO,
    WAKE,
    Block,
    context,
    date,
    header,
    link,
    mrkdwn,
    plain_text,
    section,
)
from finops_slackbot.views.status import consequence, status, votes
from finops_slackbot.views.wording import (
    OUTSIDE_SLACK,
    downtime,
    expiry,
    kind,
    level,
    named,
    named_code,
    net,
    saving,
    target,
    unknown,
    verb,
    worth,
)

_HEADER: Final = 150
_CONFIRM: Final = 300
_NAME: Final = 60
"""Characters of an id in a heading; those of most services are far shorter."""
_NOTE_CHARACTERS: Final = 240
_PAUSED: Final = (
    "*Paused:* no further act of this kind and policy begins until an approver resumes them. Find out why this one "
    "{what}, then press Resume."
)
_SAY_WHY_THEY_WAIT: Final = frozenset({State.APPROVED, State.SCHEDULED})
"""States whose paragraph says what an approved act waits for."""
STATE_WORDS: Final = {
    State.PENDING: "waiting for a decision",
    State.APPROVED: "approved",
    State.SCHEDULED: "scheduled",
    State.EXECUTING: "running",
    State.VERIFYING: "being verified",
    State.SUCCEEDED: "done",
    State.ROLLED_BACK: "rolled back",
    State.NEEDS_HUMAN: "needs a person",
    State.STALE: "not done, resource changed",
    State.DENIED: "denied",
    State.EXPIRED: "expired",
    State.WITHDRAWN: "withdrawn",
    State.SUPERSEDED: "replaced by a newer proposal",
    State.SNOOZED: "snoozed",
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
    if facts.state is State.PENDING:
        # What is asked first, then how far the vote is: the buttons must be on the first screen of a phone.
        blocks += [section("why", _case(facts)), section("status", status(facts))]
    else:
        blocks += [section("status", status(facts)), section("why", _case(facts))]
    if facts.paused and facts.state not in _SAY_WHY_THEY_WAIT:
        what = "did worse than promised" if facts.state is State.SUCCEEDED else "failed"
        blocks.append(section("paused", _PAUSED.format(what=what)))
    blocks.append({"type": "actions", "block_id": f"act.{facts.revision}", "elements": _elements(facts, buttons)})
    blocks.append(context("terms", *_terms(facts)))
    return Card(_sentence(facts), tuple(blocks))


def gone(text: str, blocks: tuple[Block, ...]) -> Card:
    """Return a card whose request was deleted from the cluster: without buttons, and saying so."""
    kept = [block for block in blocks if block["type"] not in {"actions", "header"} and block["block_id"] != "status"]
    heads = [block for block in blocks if block["type"] == "header"]
    said = section(
        "status", "*No longer in the cluster:* the request was deleted. Nothing will be done; votes do not count."
    )
    return Card(fit(f"Deleted: {text}", 3000), (*heads, said, *kept))


def _labels(facts: CardFacts) -> list[str]:
    labels = []
    if facts.demo:
        labels.append("*Demo:* a simulated AWS account. Nothing real is changed.")
    if facts.dry_run:
        labels.append("*Dry run:* approving checks everything and changes nothing in AWS.")
    if facts.first_of_kind and facts.state in {State.SCHEDULED, *IN_FLIGHT, State.NEEDS_HUMAN}:
        labels.append("*First of its kind:* the others wait until it is verified.")
    if facts.undoes:
        labels.append("*Undo* of the act in this thread.")
    if facts.destructive:
        elsewhere = f", one of them {OUTSIDE_SLACK}" if facts.step_up else ""
        labels.append(f"*Deletes data:* {facts.required} people must approve{elsewhere}.")
    return labels


def _heading(facts: CardFacts) -> str:
    """What the card is about; once it is decided, how it stands comes first, for whoever scrolls by."""
    what = target(facts)
    if facts.state is State.PENDING:
        start, end = f"{verb(facts)} ", f": {_promise(facts)}"
    elif facts.undo.is_done:
        start, end = f"Undone: {verb(facts).lower()} ", ""
    else:
        start = f"{STATE_WORDS[facts.state].capitalize()}: {verb(facts).lower()} "
        end = f", {worth(facts)}" if facts.state is State.SUCCEEDED and not facts.dry_run else ""
    end = f"{f' → {what}' if what else ''}{end}"
    # The name gives way first; the target and the money must stay readable. The whole id is below.
    name = plain(facts.resource_name.strip() or facts.resource_id, _HEADER - stored_length(start + end))
    return plain(f"{start}{name or plain(facts.resource_id, _NAME)}{end}", _HEADER)


def _promise(facts: CardFacts) -> str:
    return worth(facts) if facts.undoes or facts.monthly_savings is None else f"save {saving(facts)}"


def _sentence(facts: CardFacts) -> str:
    """Everything in one sentence; the only part a notification or a screen reader is sure to show."""
    what = target(facts)
    dry = "Dry run: " if facts.dry_run else ""
    demo = "Demo: " if facts.demo else ""
    head = (
        f"{demo}{dry}{verb(facts)} {kind(facts)} {named_code(facts)}{f' → {code(what)}' if what else ''} "
        f"in account {code(facts.account)}, {code(facts.region)}"
    )
    if facts.state is not State.PENDING:
        how = "undone" if facts.undo.is_done else STATE_WORDS[facts.state]
        return fit(f"{head}: {how} ({worth(facts) if facts.undoes else saving(facts)}).", 3000)
    if not facts.missing:
        return fit(f"{head}: {worth(facts)}. Enough approvals; the operator is deciding.", 3000)
    people = "1 approval" if facts.missing == 1 else f"{facts.missing} approvals"
    return fit(f"{head}: {worth(facts)}. Needs {people} by {expiry(facts)}: press Approve or Deny on the card.", 3000)


def _case(facts: CardFacts) -> str:
    """What changes, why, and what it risks; the sentences are the operator's and are still treated as foreign."""
    words = facts.words
    # A done act names its change in the status.
    change = f"*{quote(words.change, 320)}.*" if words.change and facts.state is not State.SUCCEEDED else ""
    lines = [" ".join(part for part in (change, quote(words.expectation, 320)) if part)]
    if facts.summary.strip():
        lines.append(f"*Why:* {quote(facts.summary, 600)}")
    if unknown(facts):
        lines.append(f"*Money:* {quote(unknown(facts), 320)}")
    if facts.net_monthly_savings != facts.list_monthly_savings and net(facts):
        # Where both are alike, Details say why.
        lines.append(f"*Money:* {quote(net(facts), 400)}.")
    if facts.state is State.PENDING:
        lines.append(f"*Risk:* {_risk(facts)}")
        if words.warnings:
            lines.append(f"*Note:* {_notes(words.warnings)}")
    return "\n".join(line for line in lines if line)


def _risk(facts: CardFacts) -> str:
    if facts.destructive and not facts.dry_run:
        return f"{downtime(facts)}. {quote(consequence(facts), 320)}"
    risk = f"performance risk {level(facts.words.performance_risk)}, " if facts.words.performance_risk else ""
    down = downtime(facts)
    return f"{risk}downtime: {down[:1].lower()}{down[1:]}. {quote(consequence(facts), 320)}"


def _notes(warnings: tuple[str, ...]) -> str:
    """As many warnings as fit into a few lines; how many more are in Details."""
    shown: list[str] = []
    for warning in warnings:
        if shown and sum(map(len, shown)) + len(warning) > _NOTE_CHARACTERS:
            break
        shown.append(quote(warning, 320))
    more = len(warnings) - len(shown)
    return " ".join(shown) + (f" {more} more in Details." if more else "")


def _terms(facts: CardFacts) -> list[str]:
    words = facts.words
    limit = f"Expired {expiry(facts)}" if facts.state is State.EXPIRED else f"Decide by {expiry(facts)}"
    decided = f"Decided {date(facts.decided_at)}" if facts.decided_at else "Closed"
    when = limit if facts.state in {State.PENDING, State.EXPIRED} else decided
    place = f"{kind(facts)} {code(facts.resource_id)} · {code(facts.account, 60)} · {code(facts.region, 30)}"
    owner = f" · owner {code(words.owner, 80)}" if words.owner else ""
    console = f" · {link(words.console_url, 'AWS console')}" if words.console_url else ""
    return [f"{votes(facts)} · {when}", f"{place}{owner}{console}"]


def _elements(facts: CardFacts, buttons: Buttons) -> list[Block]:
    value = buttons.value(facts.uid, facts.revision)
    label = plain(named(facts, 30), 50)
    details = _button(DETAILS, "Details", value, f"Details of {label}")
    ending = [_button(RESUME, "Resume…", value, f"Resume acts like: {label}")] if facts.paused else []
    if facts.can_be_undone:
        undo = _button(UNDO, "Undo…", value, f"Undo: {label}")
        undo["confirm"] = _confirm_undo(facts)
        return [undo, *ending, details]
    if facts.state is not State.PENDING:
        ending += [_button(WAKE, "Wake…", value, f"Wake: {label}")] if facts.is_snoozed else []
        return [*ending, details]
    approve = _button(APPROVE, "Approve", value, f"Approve: {label}")
    approve["style"] = "danger" if facts.destructive else "primary"
    if facts.require_reason != "Always":
        # With a reason to give, the modal is the confirmation.
        approve["confirm"] = _confirm(facts)
    deny = _button(DENY, "Deny…", value, f"Deny: {label}")
    # Nobody is asked for an undo but who asked for it: there is nothing to put off.
    snooze = [] if facts.undoes else [_button(SNOOZE, "Snooze…", value, f"Snooze: {label}")]
    return [approve, deny, *snooze, details]


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
    question = f"{verb(facts)} {plain(facts.resource_id, _NAME)}{f' to {what}' if what else ''}?"
    name = f"{code(facts.resource_name, 40)} " if facts.resource_name.strip() else ""
    others = facts.missing - 1
    then = f"Starts only after {others} more." if others > 0 else ""
    down = downtime(facts)
    text = (
        f"{name}{code(facts.resource_id)} in {code(facts.account, 30)}, {code(facts.region, 20)}: "
        f"{quote(consequence(facts), 150)} Downtime: {down[:1].lower()}{down[1:]}. {then}"
    ).rstrip()
    return {
        "title": plain_text(plain(question, 100)),
        "text": mrkdwn(fit(text, _CONFIRM)),
        "confirm": plain_text("Approve"),
        "deny": plain_text("Not now"),
        "style": "danger" if facts.destructive else "primary",
    }


def _confirm_undo(facts: CardFacts) -> Block:
    """Say that nothing is undone yet: the undo is voted on like the act."""
    name = f"{code(facts.resource_name, 40)} " if facts.resource_name.strip() else ""
    people = "1 approval" if facts.required == 1 else f"{facts.required} approvals"
    text = (
        f"{name}{code(facts.resource_id)}: a request to undo it is posted in this thread and needs {people}. "
        f"Nothing changes before."
    )
    return {
        "title": plain_text(plain(f"Undo: {verb(facts).lower()} {facts.resource_id}?", 100)),
        "text": mrkdwn(fit(text, _CONFIRM)),
        "confirm": plain_text("Ask for it"),
        "deny": plain_text("Not now"),
        "style": "primary",
    }
