"""Words for acts, money and evidence, used by card, thread, modals and answers alike.

An act that is not in the table still reads well: its id is turned into words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from finops_slackbot.card_facts import CardFacts, Change, VoteFact
from finops_slackbot.text import code, plain
from finops_slackbot.views.blocks import date, day

_SYMBOLS: Final = {"USD": "$"}
_EFFORTS: Final = {"VeryLow": "very low", "Low": "low", "Medium": "medium", "High": "high", "VeryHigh": "very high"}


@dataclass(frozen=True, slots=True)
class Act:
    """How people say an act.

    Attributes:
        verb: opens a heading.
        downtime: for how long the resource is not there.
        consequence: what the resource goes through, as the end of a sentence about it.
        way_back: what a person does to undo it, in the operator's own words; empty when only the request can tell.
    """

    verb: str
    downtime: str
    consequence: str
    way_back: str = ""


_ACTS: Final = {
    "ec2_instance_stop": Act(
        "Stop",
        "until somebody starts it",
        "is stopped and stays stopped until somebody starts it: whatever runs on it is down",
        "start it by hand",
    ),
    "ec2_instance_resize": Act(
        "Resize",
        "some minutes",
        "is stopped, changed and started again: it is down for some minutes",
        "set its type back by hand while it is stopped",
    ),
    "ebs_volume_modify": Act(
        "Modify",
        "none",
        "is changed in place: it stays attached and in use",
        "change it back by hand; AWS allows four changes a day",
    ),
    "ebs_volume_delete": Act(
        "Delete",
        "for good",
        "is deleted after a snapshot of it has completed: it is gone, the snapshot stays",
        "make a new volume from the snapshot by hand",
    ),
}
_STOPPED: Final = replace(
    _ACTS["ec2_instance_resize"],
    downtime="none, it is not running",
    consequence="is changed while it is stopped, and stays stopped",
)
_UNITS: Final = {"iops": "IOPS", "throughput": "MiB/s", "sizeGiB": "GiB"}
_NAMELESS: Final = frozenset({"instanceType", "volumeType", "state"})
"""What speaks for itself, and matters most: it comes first."""
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


def target(facts: CardFacts, *, before: bool = False) -> str:
    """Return what would change in words, plain: `gp2 → gp3, 3000 IOPS`; empty when the act has no parameters.

    Args:
        facts: of the request.
        before: say of every figure what it is now.
    """
    return change_words(facts.changes, before=before)


def change_words(changes: Iterable[Change], *, before: bool) -> str:
    """Return changes in one phrase, the one that matters most first and what stays as it is last: it is cut first."""
    ordered = sorted(changes, key=lambda one: (one.name not in _NAMELESS, one.before == one.after))
    return ", ".join(_change(one, before=before, alone=len(ordered) == 1) for one in ordered)


def _change(change: Change, *, before: bool, alone: bool) -> str:
    old, new = plain(change.before, 40), plain(change.after, 40)
    plainly = change.name in _NAMELESS
    figures = f"{old} → {new}" if old and old != new and (before or plainly or alone) else new
    if change.name in _UNITS:
        return f"{figures} {_UNITS[change.name]}"
    return figures if plainly or alone else f"{plain(change.name, 40)} {figures}"


def way_back(facts: CardFacts) -> str:
    """Return what a person does to undo the act once it is done."""
    if facts.dry_run:
        return "not needed, dry run"
    return act(facts).way_back or ("by hand, as the plan in Details says" if facts.rollback_possible else "none")


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
    """Return the window that metrics were read for, and how much of it was really seen; empty when none is named.

    Where the absence of metrics is the proof, since when they are silent is what counts.
    """
    if not facts.window_days:
        return ""
    window = f"{facts.window_days} days"
    silent, answered = _moment(facts.evidence.get("noActivitySince", "")), facts.evidence.get("windowAnsweredPercent")
    if silent is not None:
        share = _rounded(answered or "")
        return f"no activity since {day(silent)} ({window}{f', {share} % answered' if share else ''})"
    if facts.coverage_percent is None:
        return window
    return f"{window}, {_rounded(str(facts.coverage_percent))} % of the data points"


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def expiry(facts: CardFacts) -> str:
    """Return when the request stops waiting."""
    return date(facts.expires_at)


def kubectl(facts: CardFacts, choice: str = "approve") -> str:
    """Return the command that says the same without Slack."""
    reason = ' --reason "…"' if choice == "deny" else ""
    return f"kubectl finops {choice} {facts.name} -n {facts.namespace}{reason}"
