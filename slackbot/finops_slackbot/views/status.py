"""One paragraph per state: where the act stands, who decided, and what happens next.

A card says "verified" only after the result was read back from AWS; before that it says what runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from finops.domain.channels import still_needed
from finops.domain.decision import TERMINAL, State
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.text import code, quote
from finops_slackbot.views.blocks import date
from finops_slackbot.views.wording import money, step, voters


def status(facts: CardFacts) -> str:
    """Return the status paragraph in mrkdwn."""
    return _STATUS[facts.state](facts)


def votes(facts: CardFacts) -> str:
    """Return the standing of the vote as the operator counts it: `1 of 2 approvals: @bob`."""
    noun = "approval" if facts.required == 1 else "approvals"
    text = f"{facts.counted} of {facts.required} {noun}"
    return f"{text}: {voters(facts.deciders)}" if facts.deciders else text


def _pending(facts: CardFacts) -> str:
    if facts.error.strip():
        why = facts.error.strip().removeprefix("Waiting: ")
        return f"*Nothing is decided now:* {quote(why, 1500)} {votes(facts)}."
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
        elsewhere = any(not one.slack_user for one in facts.approvals)
        # Where the operator counts fewer than have voted, whether that one counts is not known here.
        outside = None if elsewhere and not facts.deciders else elsewhere
        lacks = still_needed(facts.missing, step_up=facts.step_up, outside=outside)
        # Who else may give it is in the note, where there is one: it need not be another person.
        others = "." if facts.note else " from other people."
        waiting = f"*Waiting for {lacks}*{others}"
    else:
        people = "a decision" if facts.missing == 1 else f"{facts.missing} approvals from different people"
        waiting = f"*Waiting for {people}.*"
    return " ".join(part for part in (waiting, so_far) if part)


def _approved(facts: CardFacts) -> str:
    if facts.error.strip():
        return _waits(facts)
    by = f" by {voters(facts.deciders)}." if facts.deciders else f". {_deciders(facts)}"
    holds = "limits and freeze switch" if facts.outside_windows else "limits, window and freeze switch"
    return f"*Approved*{by} It starts as soon as {holds} allow."


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


def saved(facts: CardFacts) -> str:
    """Return what came of the promised saving once the request has ended, in one sentence."""
    if facts.undoes:
        again = facts.state is State.SUCCEEDED and not facts.dry_run
        monthly = facts.new_monthly_cost if again else facts.current_monthly_cost
        if monthly is None:
            return "What it costs again is unknown." if again else "Nothing was undone."
        cost = money(monthly, facts.currency)
        return f"It costs {cost} a month again." if again else f"Nothing was undone: it costs {cost} a month."
    if facts.state is State.SUCCEEDED and not facts.dry_run:
        known = facts.realized_monthly_savings
        amount = facts.monthly_savings if known is None else known
        if amount is None:
            return "What it saves is unknown."
        if facts.lasts_days:
            return f"Saves {money(amount, facts.currency)} once: AWS undoes it after {facts.lasts_days} days."
        return f"Saves {money(amount, facts.currency)} a month."
    if facts.current_monthly_cost is None:
        return "Nothing was saved."
    return f"Nothing was saved: it still costs {money(facts.current_monthly_cost, facts.currency)} a month."


def _succeeded(facts: CardFacts) -> str:
    if facts.dry_run:
        why = _because(facts, default="Dry run, nothing was changed.")
        return f"*AWS permits every call.* {why} {_deciders(facts)}"
    what = quote(facts.words.change, 320)
    now = f" {_because(facts)}" if facts.ending.strip() else ""
    done = f"*Done and verified{f': {what}' if what else ''}.* {saved(facts)}{now} {_deciders(facts)}"
    if facts.undo.is_done:
        return f"*Undone{f': {what}' if what else ''}.* {quote(facts.undo.message or '', 500)}".rstrip()
    return " ".join(part for part in (done, _worse(facts), _undo(facts)) if part)


def _worse(facts: CardFacts) -> str:
    """What became worse after the act, if anything did."""
    worse = facts.watch.worse if facts.watch is not None else None
    return f"*Worse than promised:* {quote(worse, 500)}" if worse else ""


def _undo(facts: CardFacts) -> str:
    """Until when it can be undone, and what came of it so far."""
    said = quote(facts.undo.message or "", 500)
    until = f"It can be undone until {date(facts.undo.until)}." if facts.can_be_undone and facts.undo.until else ""
    return " ".join(part for part in (said, until) if part)


def _rolled_back(facts: CardFacts) -> str:
    if facts.dry_run:
        return f"*It would not work.* {_because(facts)}"
    return f"*Rolled back, not done as planned.* {_because(facts)} {saved(facts)}"


def _needs_human(facts: CardFacts) -> str:
    more = code(f"kubectl describe ar {facts.name} -n {facts.namespace}", 200)
    return f"*A person must decide what to do.* {_because(facts)} More: {more}"


def _stale(facts: CardFacts) -> str:
    # Whether anything was called the operator says: a call that AWS rejected changed nothing, and was one.
    default = "The plan no longer fits the resource."
    return f"*Not done.* {_because(facts, default=default)} {saved(facts)}"


def _denied(facts: CardFacts) -> str:
    reasons = [quote(vote.reason, 600) for vote in facts.denials if vote.reason.strip()]
    # Last, because it ends as the person wrote it.
    why = f" Reason: {reasons[0]}" if reasons else ""
    by = voters(facts.denials) or "an approver"
    return f"*Denied* by {by}. {_because(facts, default='Nothing was done.')} {saved(facts)}{why}"


def _expired(facts: CardFacts) -> str:
    missed = "Approved, but not started" if facts.approved else "Without a decision"
    ending = _because(facts, default="Expired; nothing was done.")
    return f"*{missed} by {date(facts.expires_at)}.* {ending} {saved(facts)}"


def _withdrawn(facts: CardFacts) -> str:
    return f"*Withdrawn.* {_because(facts, default='Nothing was changed.')} {saved(facts)}"


def _superseded(facts: CardFacts) -> str:
    default = "Nothing was done here; votes on this card no longer count."
    return f"*Replaced by a newer proposal.* {_because(facts, default=default)}"


def _snoozed(facts: CardFacts) -> str:
    return f"*Not now.* {_because(facts, default='Nothing was done.')} {saved(facts)}"


def _deciders(facts: CardFacts) -> str:
    """Who approved, in a sentence; the operator's own one where the votes alone do not show it."""
    if facts.deciders:
        return f"Approved by {voters(facts.deciders)}."
    return quote(facts.decision, 500) if facts.decision.strip() else "Approved by approvers named by the policy."


def _because(facts: CardFacts, default: str = "The operator gave no reason.") -> str:
    said = facts.ending if facts.state in TERMINAL or facts.state is State.NEEDS_HUMAN else facts.error
    return quote(said, 1500) if said.strip() else default


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
    State.SNOOZED: _snoozed,
}


def consequence(facts: CardFacts) -> str:
    """Return what approving leads to, in sentences."""
    return "It is only checked: a dry run changes nothing in AWS." if facts.dry_run else facts.words.consequence
