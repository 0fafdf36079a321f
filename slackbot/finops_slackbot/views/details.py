"""The modal behind "Details": evidence, the exact plan, the price's source and the command that says the same."""

from __future__ import annotations

from typing import Any, Final

from finops.crds.approver import Approver
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.text import code, fit
from finops_slackbot.views.blocks import Block, plain_text, section
from finops_slackbot.views.wording import expiry, kind, kubectl, money, named_code, seen

CALLBACK: Final = "finops_details_view"
_EVIDENCE: Final = 30


def details(facts: CardFacts) -> dict[str, Any]:
    """Return the modal."""
    blocks: list[Block] = [
        section("resource", f"*{kind(facts)}* {named_code(facts)}\n{code(facts.resource_arn, 300)}"),
        section("evidence", _evidence(facts)),
        section("plan", _plan(facts)),
        section("price", _price(facts)),
        section("approvers", _approvers(facts)),
        section("command", f"*Without Slack*\n{code(kubectl(facts), 300)}\n{code(kubectl(facts, 'deny'), 300)}"),
    ]
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain_text("Details"),
        "close": plain_text("Close"),
        "blocks": blocks,
    }


def _evidence(facts: CardFacts) -> str:
    metrics = seen(facts)
    lines = [f"*Evidence* (check {code(facts.check, 60)}{f'; metrics: {metrics}' if metrics else ''})"]
    for key, value in sorted(facts.evidence.items())[:_EVIDENCE]:
        lines.append(f"• {code(key, 60)} {code(value, 80)}")
    left_out = len(facts.evidence) - _EVIDENCE
    if left_out > 0:
        lines.append(f"and {left_out} more: {code(f'kubectl get ar {facts.name} -n {facts.namespace} -o yaml', 200)}")
    return fit("\n".join(lines), 2900)


def _plan(facts: CardFacts) -> str:
    lines = ["*Plan* (nothing but these calls, in this order)"]
    for number, step in enumerate(facts.steps, start=1):
        call = f"{code(step.operation, 80)} {code(step.parameters, 160)}" if step.operation else "wait and check"
        lines.append(f"{number}. {code(step.id, 40)} {call}")
    lines.append(f"Plan hash {code(facts.plan_hash, 64)}")
    if facts.dry_run:
        lines.append("Dry run: the changing calls are left out.")
    return fit("\n".join(lines), 2900)


def _price(facts: CardFacts) -> str:
    return (
        f"*Price*\n{money(facts.current_monthly_cost, facts.currency)} a month now, "
        f"{money(facts.new_monthly_cost, facts.currency)} after, {money(facts.monthly_savings, facts.currency)} saved. "
        f"Source {code(facts.price_source, 120)}, as of {code(facts.price_date, 12)}."
    )


def _approvers(facts: CardFacts) -> str:
    who = (
        ", ".join(approver_text(approver) for approver in facts.approvers[:20]) or "nobody named: only an error can be"
    )
    return f"*Who may decide*\n{who}\n{facts.required} needed by {expiry(facts)}."


def approver_text(approver: Approver) -> str:
    """Return one line of the terms for mrkdwn shown to one person only: mentions there notify nobody."""
    if approver.slack_user:
        return f"<@{approver.slack_user}>"
    if approver.slack_user_group:
        return f"<!subteam^{approver.slack_user_group}>"
    if approver.kubernetes_user:
        return f"{code(approver.kubernetes_user)} by kubectl"
    return f"group {code(approver.kubernetes_group or '')} by kubectl"
