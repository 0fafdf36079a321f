"""What a person who clicked reads, one sentence or two per case; only they see it.

Every sentence says whether the vote was recorded, and what to do next if it was not.
"""

from __future__ import annotations

from finops.crds.approval import Approval
from finops.domain.decision import IN_FLIGHT, LONGEST_SNOOZE, NO_VOTES, Choice, RefusalReason, State, VoteResult
from finops_slackbot.card_facts import CardFacts, remark
from finops_slackbot.text import code, quote
from finops_slackbot.views.blocks import date
from finops_slackbot.views.details import approver_text
from finops_slackbot.views.wording import expiry, kubectl, named_code

_VERBS = {
    Choice.APPROVE.value: "approval",
    Choice.DENY.value: "denial",
    Choice.WITHDRAW.value: "withdrawal",
    Choice.SNOOZE.value: "snooze",
    Choice.RESUME.value: "word to resume",
    Choice.WAKE.value: "word to end the snooze",
    Choice.UNDO.value: "request to undo",
}


def unknown_button() -> str:
    """The value was not made with this bot's key."""
    return (
        "Not recorded: this button was not made by this installation. If two installations share one Slack app, "
        "give each its own."
    )


def unknown_request() -> str:
    """The request is not in the cluster (any more)."""
    return "Not recorded: this request no longer exists in the cluster. Nothing will happen."


def starting() -> str:
    """The bot has not read the cluster yet."""
    return "Not recorded: the bot has just started and is still reading the cluster. Click again in a few seconds."


def changed_plan() -> str:
    """The card shows another plan than the request has."""
    return "Not recorded: this card shows an older plan than the request has now. Use the newest card."


def store_down() -> str:
    """Redis does not answer."""
    return (
        "Not recorded, and nothing will happen: the bot's store does not answer, so it could not make sure that your "
        "click counts once. Try again in a minute, or vote with kubectl finops."
    )


def cluster_down(facts: CardFacts, choice: str) -> str:
    """Kubernetes does not answer."""
    return (
        "Not recorded, and nothing will happen: Kubernetes does not answer. Try again in a minute, or use "
        f"{code(kubectl(facts, choice), 300)}. If it was recorded after all, you will see it here."
    )


def cluster_refused(message: str) -> str:
    """Kubernetes did not let the bot create the vote."""
    return f"Not recorded: Kubernetes refused the bot's vote for you. Ask an administrator: {quote(message, 600)}"


def slack_down() -> str:
    """Slack did not say who the voter is."""
    return (
        "Not recorded, and nothing will happen: Slack does not answer, so the bot does not know who you are and "
        "which groups you are in. Try again in a minute, or vote with kubectl finops."
    )


def not_a_person(why: str) -> str:
    """Guest, bot, stranger, deactivated, other workspace."""
    return f"Not recorded: {why} cannot decide about AWS resources here."


def busy() -> str:
    """Too many clicks at once."""
    return "Not recorded: the bot has too much to do right now. Click again in a few seconds."


def modal_failed() -> str:
    """Slack did not open the window."""
    return "Nothing was recorded: Slack did not open the window in time. Press the button again."


def closed(facts: CardFacts, link: str = "") -> str:
    """The request no longer takes votes; `link` leads to a newer card."""
    what = named_code(facts)
    if facts.state is State.SUPERSEDED:
        newer = f" <{link}|Go to the newer card.>" if link else " The newer card is in this channel."
        return f"Not recorded: the proposal for {what} was replaced by a newer one.{newer}"
    if facts.state is State.EXPIRED:
        return expired(facts)
    if facts.state in {State.EXECUTING, State.VERIFYING, State.NEEDS_HUMAN}:
        return f"Not recorded: {what} is being worked on already; follow the card."
    return (
        f"Not recorded: it is already decided. The request for {what} is {_ended(facts)}; a vote would change nothing."
    )


def expired(facts: CardFacts) -> str:
    """Nobody decided in time."""
    return f"Not recorded: the request for {named_code(facts)} expired {expiry(facts)}. Nothing will happen."


def unusable_date() -> str:
    """The day of a snooze has passed or is too far away; shown in the modal."""
    return f"Choose a day from tomorrow on, at most {LONGEST_SNOOZE.days} days from now."


def reason_missing() -> str:
    """Only blanks where a reason is required; shown in the modal."""
    return "Write why, in a few words."


def not_paused(facts: CardFacts) -> str:
    """Somebody has resumed the acts already."""
    return f"Not recorded: acts of the kind of the one on {named_code(facts)} are not paused any more."


def not_snoozed(facts: CardFacts) -> str:
    """The snooze was ended, or its date has come."""
    return f"Not recorded: {named_code(facts)} is not snoozed any more."


def cannot_undo(facts: CardFacts) -> str:
    """There is nothing to undo, or not any more."""
    what = named_code(facts)
    if facts.undo.is_done:
        return f"Not recorded: {what} was undone already."
    if facts.undo.is_open:
        return (
            f"Not recorded: a request to undo it waits in this thread already ({code(facts.undo.request or '', 80)})."
        )
    if facts.undo.until is not None and facts.state is State.SUCCEEDED:
        return f"Not recorded: the act on {what} could be undone until {date(facts.undo.until)}."
    return f"Not recorded: the operator cannot undo this act on {what}. Details says how to undo it by hand."


def already(facts: CardFacts, decision: str) -> str:
    """The same person said the same before."""
    return f"You have voted already on {named_code(facts)}; your {_VERBS[decision]} counts once. {standing(facts)}"


def closed_to_you(facts: CardFacts) -> str:
    """The operator refused this person several times."""
    return f"Not recorded: the operator has refused your vote on {named_code(facts)} several times. Use kubectl finops."


def waiting(hint: str) -> str:
    """The vote is in the cluster and the operator has not judged it yet."""
    text = "Your vote is recorded; the operator has not answered yet. You will see its answer here."
    return f"{text} {hint}" if hint else text


def lost() -> str:
    """The bot died between click and vote."""
    return "Not recorded: the bot was restarted at the moment of your click. Nothing will happen. Please click again."


def not_listed(facts: CardFacts) -> str:
    """A hint before the operator's verdict: the voter is in none of the Slack groups named."""
    return f"By what Slack says you are not among the approvers: {_approvers(facts)}."


def verdict(approval: Approval, facts: CardFacts | None, *, settled: bool = True) -> str:
    """The operator's answer. `settled`: what the request shows counts this vote already."""
    status, spec = approval.status, approval.spec
    on = f" on {named_code(facts)}" if facts is not None else ""
    if status.result is VoteResult.COUNTED:
        if spec.decision is Choice.DENY:
            return f"Your denial{on} counts: the request is closed and nothing will be done."
        if spec.decision is Choice.WITHDRAW:
            return f"Your approval{on} is taken back."
        if spec.decision is Choice.SNOOZE and spec.until is not None:
            return f"Your snooze{on} counts: nothing is done, and nobody is asked before {date(spec.until)}."
        if spec.decision is Choice.WAKE:
            return f"The snooze{on} is ended: it is asked again after the next scan, if it is still recommended."
        if spec.decision is Choice.RESUME:
            return "Acts of this kind are resumed: those that wait begin within a minute."
        if spec.decision is Choice.UNDO:
            return f"You asked to undo the act{on}: {remark(approval)}"
        return _approval(approval, facts, settled=settled)
    if status.reason == RefusalReason.NOT_ELIGIBLE and facts is not None and spec.decision not in NO_VOTES:
        return f"Not counted{on}: you are not an approver of this policy. Approvers: {_approvers(facts)}."
    if status.reason == RefusalReason.ALREADY_VOTED and facts is not None:
        return already(facts, spec.decision.value)
    return f"Your {_VERBS[spec.decision.value]}{on} is not counted: {quote(status.message or 'no reason given', 800)}"


def _approval(approval: Approval, facts: CardFacts | None, *, settled: bool) -> str:
    """An approval that was counted: how many count now, and what follows, is the operator's word in the request."""
    note = quote(remark(approval), 800)
    if facts is None:
        return f"Your approval counts. {note}".rstrip()
    counts = f"Your approval on {named_code(facts)} counts"
    figure = f"{facts.counted} of {facts.required}"
    if facts.state in {State.APPROVED, State.SCHEDULED}:
        waits = facts.error.strip().removeprefix("Waiting: ")
        then = f"It is approved and waits: {quote(waits, 800)}" if waits else "It is approved; follow the card."
        return f"{counts}: {figure}. {then}"
    if facts.state in IN_FLIGHT:
        return f"{counts}: {figure}. It is being carried out; follow the card."
    if facts.state is not State.PENDING:
        return f"{counts}. The request is {_ended(facts)} by now; the card says why."
    if note:
        return f"Your approval on {named_code(facts)} is taken: {figure} so far. {note}"
    if not settled or not facts.missing:
        return f"{counts}. The card shows how many more are needed."
    return f"{counts}: {figure}. Others must approve before it starts."


def standing(facts: CardFacts) -> str:
    """How the vote stands."""
    return f"{facts.counted} of {facts.required} approvals so far."


def _ended(facts: CardFacts) -> str:
    return {State.ROLLED_BACK: "rolled back", State.SUCCEEDED: "done"}.get(facts.state, facts.state.value.lower())


def _approvers(facts: CardFacts) -> str:
    return ", ".join(approver_text(approver) for approver in facts.approvers[:20]) or "nobody"
