"""What the thread under a card says: one line per vote and per step of the act, each said once.

The lines are a projection too: derived from what the request shows now. The outbox keeps by key which were said; what
happened while the bot was away is told together in one message.
"""

from __future__ import annotations

from finops.domain.decision import IN_FLIGHT, TERMINAL, State
from finops_slackbot.card_facts import CardFacts, VoteFact
from finops_slackbot.text import quote
from finops_slackbot.views.blocks import Block, date, mrkdwn
from finops_slackbot.views.status import changed, status
from finops_slackbot.views.wording import money, step, voter

Line = tuple[str, str]
"""Key and text of a line."""


def thread_lines(facts: CardFacts) -> tuple[Line, ...]:
    """Return every line that should have been said by now, in order."""
    lines = [*_vote_lines(facts)]
    if facts.state in {State.APPROVED, State.SCHEDULED, *IN_FLIGHT} or (
        facts.state in {State.SUCCEEDED, State.ROLLED_BACK} and facts.approvals
    ):
        lines.append(("approved", "Enough approvals. The plan runs exactly as shown, or not at all."))
    if facts.scheduled_for is not None and facts.state in {State.SCHEDULED, *IN_FLIGHT}:
        lines.append(("scheduled", f"Scheduled for {date(facts.scheduled_for)}."))
    if facts.state in IN_FLIGHT and facts.step:
        lines.append((f"step:{facts.step}:{facts.attempt}", f"Step: {step(facts)}."))
    if facts.state is State.VERIFYING:
        lines.append(("verifying", "All steps done. Reading the result back from AWS."))
    if facts.state is State.NEEDS_HUMAN:
        lines.append((f"needs-human:{facts.step}:{facts.attempt}", status(facts)))
    if facts.state in TERMINAL and not facts.denials:
        lines.append((f"end:{facts.state.value}", _end(facts)))
    return tuple(lines)


def thread_blocks(lines: tuple[Line, ...]) -> tuple[Block, ...]:
    """Return one message that says several lines."""
    return tuple({"type": "section", "text": mrkdwn(text)} for _, text in lines)


def _vote_lines(facts: CardFacts) -> list[Line]:
    lines: list[Line] = []
    for number, vote in enumerate(facts.approvals, start=1):
        lines.append((f"vote:{vote.name}", f"Approved by {voter(vote)} ({number} of {facts.required}).{_why(vote)}"))
    for vote in facts.denials:
        lines.append((f"vote:{vote.name}", f"Denied by {voter(vote)}.{_why(vote)}"))
    for vote in facts.withdrawals:
        lines.append((f"vote:{vote.name}", f"Approval taken back by {voter(vote)}.{_why(vote)}"))
    return lines


def _why(vote: VoteFact) -> str:
    return f" Reason: {quote(vote.reason, 600)}" if vote.reason.strip() else ""


def _end(facts: CardFacts) -> str:
    if facts.state is State.SUCCEEDED and not facts.dry_run:
        what = changed(facts)
        return f"Verified{': ' + what if what else ''}. Saves {money(facts.monthly_savings, facts.currency)} a month."
    return status(facts)
