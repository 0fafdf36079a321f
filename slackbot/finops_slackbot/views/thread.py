"""The messages in a card's thread: one line per vote and per step of the act, each posted once.

The lines are a projection too: derived from what the request shows now. The outbox keeps by key which were posted;
what happened while the bot was away is posted together in one message.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from finops.domain.decision import IN_FLIGHT, TERMINAL, Choice, State
from finops.domain.quantity import counted
from finops_slackbot.card_facts import CardFacts, VoteFact
from finops_slackbot.reminders import Reminder
from finops_slackbot.text import quote
from finops_slackbot.views.blocks import Block, date, mrkdwn
from finops_slackbot.views.status import saved, status
from finops_slackbot.views.wording import expiry, named, step, verb, voter

_HOUR: Final = timedelta(hours=1)
Line = tuple[str, str]
"""Key and text of a line."""


def thread_lines(facts: CardFacts) -> tuple[Line, ...]:
    """Return every line that should have been said by now, in order."""
    lines = [(f"vote:{vote.name}", _vote_line(vote)) for vote in facts.votes]
    if facts.approved or facts.state in {State.APPROVED, State.SCHEDULED, *IN_FLIGHT}:
        lines.append(("approved", "Enough approvals. Nothing but the plan shown is carried out."))
    if facts.scheduled_for is not None and facts.state in {State.SCHEDULED, *IN_FLIGHT}:
        lines.append(("scheduled", f"Scheduled for {date(facts.scheduled_for)}."))
    if facts.state in IN_FLIGHT and facts.step:
        lines.append((f"step:{facts.step}:{facts.attempt}", f"Step: {step(facts)}."))
    if facts.state is State.VERIFYING:
        lines.append(("verifying", "All steps done. Reading the result back from AWS."))
    if facts.state is State.NEEDS_HUMAN:
        lines.append((f"needs-human:{facts.step}:{facts.attempt}", status(facts)))
    if facts.state in TERMINAL and not (facts.state is State.DENIED and facts.denials):
        lines.append((f"end:{facts.state.value}", _end(facts)))
    if facts.state in TERMINAL and facts.ledger_hash:
        lines.append(("recorded", _recorded(facts)))
    if facts.state in TERMINAL and facts.checkpoint_root:
        lines.append(("checkpoint", _checkpoint(facts)))
    lines += _watch_lines(facts)
    lines += _undo_lines(facts)
    about = _about(facts)
    return tuple((key, f"{about}{text}") for key, text in lines)


def reminder_line(facts: CardFacts, reminder: Reminder) -> Line:
    """Return the line of a reminder: that it is one, what lacks, until when, and whom it mentions."""
    verb_form = "is" if facts.missing == 1 else "are"
    lacks = f"{counted(facts.missing, 'approval')} {verb_form} missing; people can vote until {expiry(facts)}."
    if facts.note:
        # More people have approved than count: without the reason the next one does the same in vain.
        lacks = f"{lacks} {quote(facts.note, 500)}"
    if not reminder.mentions:
        return reminder.key, f"{_about(facts)}Reminder: {lacks}"
    people = ", ".join(
        f"<!subteam^{one.slack_user_group}>" if one.slack_user_group else f"<@{one.slack_user}>"
        for one in reminder.mentions
    )
    waited = counted(reminder.after // _HOUR, "hour") if reminder.after >= _HOUR else "less than an hour"
    return reminder.key, (
        f"{_about(facts)}{people} Reminder: this has waited for {waited}, and {lacks} "
        "Only the policy's approvers can vote; being mentioned here gives no vote."
    )


def _about(facts: CardFacts) -> str:
    """The cards of a digest share its thread, as an act and its undo do: every line says which one it is about."""
    return f"*{verb(facts)} {quote(named(facts))}:* " if facts.digest is not None or facts.undoes else ""


def _watch_lines(facts: CardFacts) -> list[Line]:
    """What the hours after the act have shown: a worse state as soon as it is found, and how it ended."""
    watch = facts.watch
    if watch is None:
        return []
    worse = [("watch:worse", f"*Worse than promised:* {quote(watch.worse, 1500)}")] if watch.worse else []
    return worse + ([("watch:end", quote(watch.message, 1500))] if watch.message else [])


def _undo_lines(facts: CardFacts) -> list[Line]:
    """What came of it when somebody asked for the undo."""
    undo = facts.undo
    if not undo.message or not undo.answered:
        return []
    return [(f"undo:{undo.answered}:{undo.state or ''}", quote(undo.message, 600))]


def thread_blocks(lines: tuple[Line, ...]) -> tuple[Block, ...]:
    """Return one message that says several lines."""
    return tuple({"type": "section", "text": mrkdwn(text)} for _, text in lines)


def _vote_line(vote: VoteFact) -> str:
    """What was said when the vote was counted; a figure is left to the card, where it is the operator's."""
    match vote.choice:
        case Choice.APPROVE:
            note = f" {quote(vote.note, 500)}" if vote.note else ""
            return f"Approved by {voter(vote)}.{note}{_why(vote)}"
        case Choice.DENY:
            return f"Denied by {voter(vote)}.{_why(vote)}"
        case Choice.WITHDRAW:
            return f"Vote withdrawn by {voter(vote)}.{_why(vote)}"
        case Choice.SNOOZE:
            return f"Snoozed by {voter(vote)}.{_why(vote)}"
        case Choice.WAKE:
            return f"The snooze was ended by {voter(vote)}.{_why(vote)}"
        case Choice.RESUME:
            return f"Acts of this kind were resumed by {voter(vote)}.{_why(vote)}"
        case Choice.UNDO:
            return f"Undo asked for by {voter(vote)}.{_why(vote)}"


def _why(vote: VoteFact) -> str:
    return f" Reason: {quote(vote.reason, 600)}" if vote.reason.strip() else ""


def _recorded(facts: CardFacts) -> str:
    """Slack keeps what nobody who owns the ledger can change: the hash names every record up to the act's end."""
    return (
        f"Recorded in the ledger as number {facts.ledger_sequence:,}: `{quote(facts.ledger_hash, 64)}`. "
        "A ledger that does not have this record was changed: `finops audit verify --expected-head`."
    )


def _checkpoint(facts: CardFacts) -> str:
    """A line to copy: `finops audit verify --checkpoint` takes it as it stands."""
    return f"`Ledger checkpoint {facts.checkpoint_size:,} · sha256:{quote(facts.checkpoint_root, 64)}`"


def _end(facts: CardFacts) -> str:
    if facts.state is State.SUCCEEDED and not facts.dry_run:
        what = quote(facts.words.change, 320)
        return f"Verified{f': {what}' if what else ''}. {saved(facts)} {quote(facts.ending, 1500)}".rstrip()
    return status(facts)
