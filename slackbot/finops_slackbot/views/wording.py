"""Words for acts, money and evidence, used by card, thread, modals and answers alike.

An act that is not in the table still reads well: its id is turned into words.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from finops_slackbot.card_facts import CardFacts, VoteFact
from finops_slackbot.text import code, plain
from finops_slackbot.views.blocks import date

_SYMBOLS: Final = {"USD": "$"}
_EFFORTS: Final = {"VeryLow": "very low", "Low": "low", "Medium": "medium", "High": "high", "VeryHigh": "very high"}


@dataclass(frozen=True, slots=True)
class Act:
    """How people say an act.

    Attributes:
        verb: opens a heading.
        downtime: for how long the resource is not there.
        consequence: what the resource goes through, as the end of a sentence about it.
    """

    verb: str
    downtime: str
    consequence: str


_ACTS: Final = {
    "ec2_instance_stop": Act(
        "Stop",
        "until somebody starts it",
        "is stopped and stays stopped until somebody starts it: whatever runs on it is down",
    ),
    "ec2_instance_resize": Act(
        "Resize", "some minutes", "is stopped, changed and started again: it is down for some minutes"
    ),
    "ebs_volume_modify": Act("Modify", "none", "is changed in place: it stays attached and in use"),
    "ebs_volume_delete": Act(
        "Delete", "for good", "is deleted after a snapshot of it has completed: it is gone, the snapshot stays"
    ),
}
_STOPPED: Final = Act("Resize", "none, it is not running", "is changed while it is stopped, and stays stopped")
_STEPS: Final = {
    "stop": "stopping",
    "wait_stopped": "waiting until it is stopped",
    "modify_type": "changing the type",
    "restore_type": "setting the type back",
    "modify": "changing it",
    "wait_modified": "waiting until AWS has taken the change",
    "start": "starting",
    "wait_running": "waiting until it runs",
    "wait_healthy": "waiting until it runs and its status checks pass",
    "create_snapshot": "taking a snapshot",
    "wait_snapshot": "waiting until the snapshot is complete",
    "delete_volume": "deleting the volume",
}
_ROLLING_BACK: Final = "_again"


def act(facts: CardFacts) -> Act:
    """Return the words for the act."""
    known = _ACTS.get(facts.action)
    if known is not None:
        stops = any(step.operation == "ec2:StopInstances" for step in facts.steps)
        return known if stops or facts.action != "ec2_instance_resize" else _STOPPED
    verb = facts.action.rsplit("_", 1)[-1].replace("_", " ").capitalize()
    if facts.restart_needed:
        return Act(verb, "yes, it restarts", "is changed as the plan in Details says: it restarts on the way")
    return Act(verb, "none expected", "is changed as the plan in Details says: no restart is needed")


def kind(facts: CardFacts) -> str:
    """Return the kind of resource in words: EC2 instance, EBS volume."""
    service, _, rest = facts.resource_kind.partition("-")
    words = rest.replace("-", " ")
    return f"{service.upper()} {words}" if service in {"ec2", "ebs", "rds", "nat", "s3"} else facts.resource_kind


def target(facts: CardFacts) -> str:
    """Return what would change in words, plain: `t3.large → t3.small`; empty when the act has no parameters."""
    several = len(facts.changes) > 1
    parts = []
    # What stays as it is comes last and is the first to be cut.
    for change in sorted(facts.changes, key=lambda one: one.before == one.after):
        before, after = plain(change.before, 40), plain(change.after, 40)
        name = f"{plain(change.name, 40)} " if several else ""
        parts.append(f"{name}{before} → {after}" if before and before != after else f"{name}{after}")
    return ", ".join(parts)


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


def effort(facts: CardFacts) -> str:
    """Return the effort in lower case words."""
    return _EFFORTS.get(facts.effort, facts.effort)


def step(facts: CardFacts) -> str:
    """Return the step that runs in words, with the attempt from the second on."""
    name = facts.step.removesuffix(_ROLLING_BACK)
    words = _STEPS.get(name, name.replace("_", " "))
    if name != facts.step or name == "restore_type":
        words = f"rolling back, {words}"
    return f"{words} (attempt {facts.attempt})" if facts.attempt > 1 else words


def voter(vote: VoteFact) -> str:
    """Return who voted, for mrkdwn."""
    return f"<@{vote.slack_user}>" if vote.slack_user else f"{code(vote.username)} (kubectl)"


def voters(votes: tuple[VoteFact, ...]) -> str:
    """Return all of them in one phrase."""
    return ", ".join(voter(vote) for vote in votes)


def metric(facts: CardFacts, name: str) -> str:
    """Return the best figure of a metric (`cpu`, `memory`) for mrkdwn: its P99.5, else its maximum.

    The key tells what the figure is; a metric that was not measured is said to be unknown, never shown as zero.
    """
    keys = [key for key in facts.evidence if name in key.lower()]
    for mark, label in (("p99_5", "P99.5"), ("p99", "P99"), ("maximum", "maximum")):
        for key in keys:
            # Thresholds carry the same words; they are not measurements.
            if mark in key.lower() and not any(word in key.lower() for word in ("threshold", "target", "needed")):
                value = _rounded(facts.evidence[key])
                return f"{value} % ({label})" if value else "not measured"
    return "not measured"


def measured(facts: CardFacts) -> bool:
    """Return whether CPU and memory mean anything for this kind of resource."""
    return facts.resource_kind != "ebs-volume"


def _rounded(text: str) -> str:
    """One decimal; empty when it is no number ("unknown")."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        return ""
    return f"{value.quantize(Decimal('0.1'), rounding=ROUND_HALF_UP):f}" if value.is_finite() else ""


def seen(facts: CardFacts) -> str:
    """Return the window looked at and how much of it was really seen."""
    window = f"{facts.window_days} days" if facts.window_days else "none needed"
    if facts.coverage_percent is None:
        return window
    return f"{window}, {_rounded(str(facts.coverage_percent))} % of the data points"


def expiry(facts: CardFacts) -> str:
    """Return when the request stops waiting."""
    return date(facts.expires_at)


def kubectl(facts: CardFacts, choice: str = "approve") -> str:
    """Return the command that says the same without Slack."""
    reason = ' --reason "…"' if choice == "deny" else ""
    return f"kubectl finops {choice} {facts.name} -n {facts.namespace}{reason}"
