"""Words for resources, money, steps and people, used by card, thread, modals and answers alike.

Every word about an act and its resource comes from the request's presentation; none of a service stands here.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from finops.domain.net_saving import net_in_words
from finops.domain.quantity import words as in_words
from finops_slackbot.card_facts import CardFacts, VoteFact
from finops_slackbot.text import code, plain, quote
from finops_slackbot.views.blocks import date

OUTSIDE_SLACK: Final = "by kubectl or in the dashboard"
_SYMBOLS: Final = {"USD": "$"}


def kind(facts: CardFacts) -> str:
    """Return the kind of resource for mrkdwn, such as EC2 instance."""
    return quote(facts.words.kind, 60)


def verb(facts: CardFacts) -> str:
    """Return what is done, plain, such as Resize."""
    return plain(facts.words.verb, 40)


def target(facts: CardFacts) -> str:
    """Return what the resource becomes, plain; empty when there is nothing to name."""
    return plain(facts.words.target, 60)


def named(facts: CardFacts, limit: int = 60) -> str:
    """Return the resource as people know it, plain: `web-1 (i-0abc)`, or the id alone."""
    name = plain(facts.resource_name, limit)
    return f"{name} ({facts.resource_id})" if name else facts.resource_id


def named_code(facts: CardFacts) -> str:
    """Return the resource for mrkdwn: the id as code, and its untrusted name as code too."""
    name = f" {code(facts.resource_name, 80)}" if facts.resource_name.strip() else ""
    return code(facts.resource_id) + name


def money(amount: Decimal, currency: str) -> str:
    """Return an amount to the cent: `$1,234.50`, `1,234.50 EUR`."""
    text = f"{amount.quantize(Decimal('0.01'), rounding=ROUND_HALF_UP):,}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{text}" if symbol else f"{text} {currency}"


def worth(facts: CardFacts) -> str:
    """Return what the act is worth: `saves $70.00 a month`, or that nobody knows; an undo, or a start, costs more."""
    if facts.undoes or facts.extra_monthly_cost:
        if facts.extra_monthly_cost is None:
            return "costs more, how much is unknown"
        often = f"once (at most {_days(facts.lasts_days)})" if facts.lasts_days else "a month"
        return f"costs {money(facts.extra_monthly_cost, facts.currency)} more {often}"
    return saving(facts) if facts.monthly_savings is None else f"saves {saving(facts)}"


def saving(facts: CardFacts) -> str:
    """Return the promised saving and how often it comes: `$70.08 a month`, `$23.00 once (7 days)`.

    Where nobody can know it, `saving unknown`: no amount stands there that could be read as one.
    """
    if facts.monthly_savings is None:
        return "saving unknown"
    amount = money(facts.monthly_savings, facts.currency)
    return f"{amount} once ({_days(facts.lasts_days)})" if facts.lasts_days else f"{amount} a month"


def unknown(facts: CardFacts) -> str:
    """Return why the saving is not known, plain, as a sentence; empty where it is."""
    return "" if facts.monthly_savings is not None else f"Saving unknown: {plain(facts.saving_unknown, 256)}."


def net(facts: CardFacts) -> str:
    """Return the saving at list price and net of commitments, plain; empty where there is nothing to say."""
    words = net_in_words(
        facts.list_monthly_savings,
        facts.net_monthly_savings,
        facts.net_note,
        lambda amount: money(amount, facts.currency),
    )
    return f"Saves {words}" if words else ""


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def level(word: str) -> str:
    """Return a level of effort or risk in lower-case words: `very low`."""
    return plain(in_words(word), 20)


def downtime(facts: CardFacts) -> str:
    """Return how long the resource is down, for mrkdwn."""
    return "None: a dry run changes nothing" if facts.dry_run else quote(facts.words.downtime, 100)


def undo(facts: CardFacts) -> str:
    """Return what happens on a failure and how a person undoes the act, for mrkdwn."""
    return "Not needed: a dry run changes nothing." if facts.dry_run else quote(facts.words.undo, 500)


def step(facts: CardFacts) -> str:
    """Return the step that runs in words, plain, with the attempt from the second on."""
    titles = {one.id: one.title for one in facts.steps}
    back = {one.id: one.title for one in facts.words.rollback}
    words = titles.get(facts.step) or back.get(facts.step) or facts.step.replace("_", " ")
    if facts.step in back and facts.step not in titles:
        words = f"Rolling back: {words}"
    return f"{plain(words, 120)} (attempt {facts.attempt})" if facts.attempt > 1 else plain(words, 120)


def voter(vote: VoteFact) -> str:
    """Return who voted, for mrkdwn."""
    return f"<@{vote.slack_user}>" if vote.slack_user else f"{code(vote.username)} (kubectl)"


def voters(votes: tuple[VoteFact, ...]) -> str:
    """Return all of them in one phrase."""
    return ", ".join(voter(vote) for vote in votes)


def expiry(facts: CardFacts) -> str:
    """Return when the request stops waiting."""
    return date(facts.expires_at)


def kubectl(facts: CardFacts, choice: str = "approve") -> str:
    """Return the command that says the same without Slack."""
    until = " --until DATE" if choice == "snooze" else ""
    reason = "" if choice == "approve" else ' --reason "…"'
    return f"kubectl finops {choice} {facts.name} -n {facts.namespace}{until}{reason}"
