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
    """Return the standing of the vote: `1 of 2 approvals: @bob`."""
    noun = "approval" if facts.required == 1 else "approvals"
    text = f"{len(facts.approvals)} of {facts.required} {noun}"
    return f"{text}: {voters(facts.approvals)}" if facts.approvals else text


def changed(facts: CardFacts) -> str:
    """Return what differs between before and after, `instanceType t3.large → t3.small`; empty when nothing is known."""
    parts = [
        f"{code(key, 40)} {code(facts.before.get(key, ''), 60)} → {code(value, 60)}"
        for key, value in sorted(facts.after.items())
        if facts.before.get(key) != value
    ]
    return ", ".join(parts[:5])


def _pending(facts: CardFacts) -> str:
    missing = facts.required - len(facts.approvals)
    if facts.approvals:
        return (
            f"*Waiting for {missing} more {'approval' if missing == 1 else 'approvals'}* from other people. "
            f"Approved so far by {voters(facts.approvals)}. Nothing has been done."
        )
    people = "a decision" if missing == 1 else f"{missing} approvals from different people"
    return f"*Waiting for {people}.* Nothing has been done; without a decision nothing will be."


def _approved(facts: CardFacts) -> str:
    return f"*Approved* by {_deciders(facts)}. It starts as soon as limits, window and freeze switch allow."


def _scheduled(facts: CardFacts) -> str:
    when = f"for {date(facts.scheduled_for)}" if facts.scheduled_for else "and about to start"
    return f"*Approved and scheduled* {when}, by {_deciders(facts)}. Just before, the resource is read again."


def _executing(facts: CardFacts) -> str:
    now = f": {step(facts)}" if facts.step else ""
    return f"*Running*{now}. Approved by {_deciders(facts)}."


def _verifying(facts: CardFacts) -> str:
    return f"*All steps done, verifying:* the result is read back from AWS. Approved by {_deciders(facts)}."


def _succeeded(facts: CardFacts) -> str:
    if facts.dry_run:
        return "*Dry run finished:* everything was checked and nothing was changed in AWS."
    what = changed(facts)
    savings = facts.monthly_savings if facts.realized_monthly_savings is None else facts.realized_monthly_savings
    saves = f"Saves {money(savings, facts.currency)} a month."
    return f"*Done and verified*{': ' + what if what else ''}. {saves} Approved by {_deciders(facts)}."


def _rolled_back(facts: CardFacts) -> str:
    return f"*Rolled back:* the resource is as it was before. {_because(facts)}"


def _needs_human(facts: CardFacts) -> str:
    return (
        f"*A person must look.* {_because(facts)} Nothing new is started for it; more: "
        f"{code(f'kubectl describe ar {facts.name} -n {facts.namespace}', 200)}"
    )


def _stale(facts: CardFacts) -> str:
    return (
        "*Not done:* the resource changed after this was proposed, so the plan no longer fits. Nothing was called. "
        f"{_because(facts, default='If it still pays, the next scan proposes it anew.')}"
    )


def _denied(facts: CardFacts) -> str:
    reasons = [quote(vote.reason, 600) for vote in facts.denials if vote.reason.strip()]
    why = f" Reason: {reasons[0]}" if reasons else ""
    by = voters(facts.denials) or "an approver"
    return f"*Denied* by {by}. Nothing was done.{why}"


def _expired(facts: CardFacts) -> str:
    how = "before it could start" if facts.approvals and facts.decided_at else "without a decision"
    return f"*Expired* {date(facts.expires_at)} {how}. Nothing was done."


def _withdrawn(facts: CardFacts) -> str:
    by = f" by {voters(facts.withdrawals)}" if facts.withdrawals else ""
    return f"*Withdrawn*{by}. Nothing was done. {_because(facts, default='')}".rstrip()


def _superseded(facts: CardFacts) -> str:
    return (
        "*Replaced by a newer proposal* for the same resource. Nothing was done here. "
        f"{_because(facts, default='Votes on this card no longer count.')}"
    )


def _deciders(facts: CardFacts) -> str:
    return voters(facts.approvals) or "approvers named by the policy"


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
