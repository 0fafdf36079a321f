"""One paragraph per state: where the act stands, who decided, and what happens next.

A card says "verified" only after the result was read back from AWS; before that it says what runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from finops.domain.decision import State
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.text import code, quote
from finops_slackbot.views.blocks import date
from finops_slackbot.views.wording import act, money, step, voters


def status(facts: CardFacts) -> str:
    """Return the status paragraph in mrkdwn."""
    return _STATUS[facts.state](facts)


def votes(facts: CardFacts) -> str:
    """Return the standing of the vote as the operator counts it: `1 of 2 approvals: @bob`."""
    noun = "approval" if facts.required == 1 else "approvals"
    text = f"{facts.counted} of {facts.required} {noun}"
    return f"{text}: {voters(facts.deciders)}" if facts.deciders else text


def changed(facts: CardFacts) -> str:
    """Return what differs between before and after, `instanceType t3.large → t3.small`; empty when nothing is known."""
    parts = [
        f"{code(key, 40)} {code(facts.before.get(key, ''), 60)} → {code(value, 60)}"
        for key, value in sorted(facts.after.items())
        if facts.before.get(key) != value
    ]
    return ", ".join(parts[:5])


def _pending(facts: CardFacts) -> str:
    if not facts.missing:
        return "*Enough approvals*, the operator is deciding. Nothing has been done yet."
    if facts.deciders:
        so_far = f"Approved so far by {voters(facts.deciders)}."
    elif facts.note:
        so_far = f"Votes to approve by {voters(facts.approvals)}. {quote(facts.note, 500)}"
    else:
        # A vote that is not counted yet, or not any more: which, only the operator knows.
        so_far = ""
    if facts.counted:
        noun = "approval" if facts.missing == 1 else "approvals"
        waiting, rest = f"*Waiting for {facts.missing} more {noun}* from other people.", "Nothing has been done."
    else:
        people = "a decision" if facts.missing == 1 else f"{facts.missing} approvals from different people"
        waiting, rest = f"*Waiting for {people}.*", "Nothing has been done; without a decision nothing will be."
    return " ".join(part for part in (waiting, so_far, rest) if part)


def _approved(facts: CardFacts) -> str:
    if facts.error.strip():
        return _waits(facts)
    by = f" by {voters(facts.deciders)}." if facts.deciders else f". {_deciders(facts)}"
    return f"*Approved*{by} It starts as soon as limits, window and freeze switch allow."


def _scheduled(facts: CardFacts) -> str:
    if facts.error.strip():
        return _waits(facts)
    when = f"for {date(facts.scheduled_for)}" if facts.scheduled_for else "and about to start"
    return f"*Approved and scheduled* {when}. {_deciders(facts)} Just before, the resource is read again."


def _waits(facts: CardFacts) -> str:
    why = facts.error.strip().removeprefix("Waiting: ")
    return f"*Approved, and waits:* {quote(why, 1500)} Nothing has been done yet. {_deciders(facts)}"


def _executing(facts: CardFacts) -> str:
    if facts.error.strip():
        at = f", step: {step(facts)}" if facts.step else ""
        return f"*Under way*{at}. {_because(facts)} {_deciders(facts)}"
    now = f": {step(facts)}" if facts.step else ""
    return f"*Running*{now}. {_deciders(facts)}"


def _verifying(facts: CardFacts) -> str:
    return f"*All steps done, verifying:* the result is read back from AWS. {_deciders(facts)}"


def _succeeded(facts: CardFacts) -> str:
    if facts.dry_run:
        return f"*Dry run finished:* AWS permits every call, and nothing was changed. {_deciders(facts)}"
    what = changed(facts)
    savings = facts.monthly_savings if facts.realized_monthly_savings is None else facts.realized_monthly_savings
    saves = f"Saves {money(savings, facts.currency)} a month."
    return f"*Done and verified*{': ' + what if what else ''}. {saves} {_deciders(facts)}"


def _rolled_back(facts: CardFacts) -> str:
    if facts.dry_run:
        return f"*Dry run finished, it would not work:* {_because(facts)}"
    # What the resource is like now only AWS can tell: somebody else may have changed it meanwhile.
    now = ", ".join(f"{code(key, 40)} {code(value, 60)}" for key, value in sorted(facts.after.items())[:5])
    return f"*Rolled back, not done as planned.* {_because(facts)}{f' AWS shows: {now}.' if now else ''}"


def _needs_human(facts: CardFacts) -> str:
    return (
        f"*A person must look.* {_because(facts)} The operator keeps looking and goes on when it can; more: "
        f"{code(f'kubectl describe ar {facts.name} -n {facts.namespace}', 200)}"
    )


def _stale(facts: CardFacts) -> str:
    # Whether anything was called the operator says: a call that AWS rejected changed nothing, and was one.
    default = "The resource changed after this was proposed. If it still pays, the next scan proposes it anew."
    return f"*Not done:* the plan no longer fits the resource. {_because(facts, default=default)}"


def _denied(facts: CardFacts) -> str:
    reasons = [quote(vote.reason, 600) for vote in facts.denials if vote.reason.strip()]
    why = f" Reason: {reasons[0]}" if reasons else ""
    by = voters(facts.denials) or "an approver"
    return f"*Denied* by {by}. Nothing was done.{why}"


def _expired(facts: CardFacts) -> str:
    if not facts.approved:
        return f"*Expired* {date(facts.expires_at)} without a decision. Nothing was done."
    return f"*Expired* {date(facts.expires_at)} before it could start. {_because(facts, default='Nothing was done.')}"


def _withdrawn(facts: CardFacts) -> str:
    return f"*Withdrawn.* Nothing was changed. {_because(facts, default='')}".rstrip()


def _superseded(facts: CardFacts) -> str:
    return (
        "*Replaced by a newer proposal* for the same resource. Nothing was done here. "
        f"{_because(facts, default='Votes on this card no longer count.')}"
    )


def _deciders(facts: CardFacts) -> str:
    """Who approved, in a sentence; the operator's own one where the votes alone do not tell."""
    if facts.deciders:
        return f"Approved by {voters(facts.deciders)}."
    return quote(facts.decision, 500) if facts.decision.strip() else "Approved by approvers named by the policy."


def _because(facts: CardFacts, default: str = "The operator gave no reason.") -> str:
    return quote(facts.error, 1500) if facts.error.strip() else default


_STATUS: Final[Mapping[State, Callable[[CardFacts], str]]] = {
    State.PENDING: _pending,
    State.APPROVED: _approved,
    State.SCHEDULED: _scheduled,
    State.EXECUTING: _executing,
    State.VERIFYING: _verifying,
    State.SUCCEEDED: _succeeded,
    State.ROLLED_BACK: _rolled_back,
    State.NEEDS_HUMAN: _needs_human,
    State.STALE: _stale,
    State.DENIED: _denied,
    State.EXPIRED: _expired,
    State.WITHDRAWN: _withdrawn,
    State.SUPERSEDED: _superseded,
}


def consequence(facts: CardFacts) -> str:
    """Return what approving leads to, as the end of a sentence whose subject is the resource."""
    return "is only checked: a dry run changes nothing in AWS" if facts.dry_run else act(facts).consequence
