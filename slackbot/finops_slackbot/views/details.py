"""The modal behind "Details": evidence in words, cost, risk, undo, the exact plan and the same vote by command."""

from __future__ import annotations

from typing import Any, Final

from finops.crds.approver import Approver
from finops.domain.money import annual_from_monthly
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.text import code, fit, quote
from finops_slackbot.views.blocks import Block, link, plain_text, section
from finops_slackbot.views.status import consequence
from finops_slackbot.views.wording import (
    OUTSIDE_SLACK,
    downtime,
    expiry,
    kind,
    kubectl,
    level,
    money,
    named_code,
    net,
    undo,
    unknown,
)

CALLBACK: Final = "finops_details_view"


def details(facts: CardFacts) -> dict[str, Any]:
    """Return the modal."""
    words = facts.words
    console = f"\n{link(words.console_url, 'Open in the AWS console')}" if words.console_url else ""
    blocks: list[Block] = [
        section("resource", f"*{kind(facts)}* {named_code(facts)}\n{code(facts.resource_arn, 300)}{console}"),
        *([section("change", _change(facts))] if words.change or words.expectation else []),
        section("evidence", _evidence(facts)),
        section("price", _price(facts)),
        section("risk", _risk(facts)),
        section("undo", f"*Undo*\n{undo(facts)}"),
        section("plan", _plan(facts)),
        section("approvers", _approvers(facts)),
        section("origin", _origin(facts)),
        section("command", f"*Without Slack*\n{code(kubectl(facts), 300)}\n{code(kubectl(facts, 'deny'), 300)}"),
    ]
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain_text("Details"),
        "close": plain_text("Close"),
        "blocks": blocks,
    }


def _change(facts: CardFacts) -> str:
    return f"*Change*\n{quote(facts.words.change, 320)}\n{quote(facts.words.expectation, 320)}".rstrip()


def _evidence(facts: CardFacts) -> str:
    lines = ["*Evidence*"]
    lines += [f"• {quote(fact.label, 90)}: {quote(fact.value, 220)}" for fact in facts.words.evidence]
    if not facts.words.evidence:
        lines.append(code(f"kubectl get ar {facts.name} -n {facts.namespace} -o yaml", 200))
    return fit("\n".join(lines), 2900)


def _risk(facts: CardFacts) -> str:
    words = facts.words
    lines = ["*Risk*", f"Downtime: {downtime(facts)}. {quote(consequence(facts), 320)}"]
    if words.performance_risk:
        lines.append(f"Performance risk: {level(words.performance_risk)}.")
    lines += [f"• {quote(warning, 320)}" for warning in words.warnings]
    return fit("\n".join(lines), 2900)


def _plan(facts: CardFacts) -> str:
    lines = ["*Plan* (nothing but these calls, in this order)"]
    for number, step in enumerate(facts.steps, start=1):
        call = f": {code(step.operation, 80)} {code(step.parameters, 160)}" if step.operation else ""
        lines.append(f"{number}. {quote(step.title, 90) if step.title else code(step.id, 40)}{call}")
    lines.append(f"Plan hash {code(facts.plan_hash, 64)}")
    if facts.dry_run:
        lines.append("Dry run: the changing calls are left out.")
    return fit("\n".join(lines), 2900)


def _origin(facts: CardFacts) -> str:
    return (
        f"*Origin*\nPolicy {code(facts.policy, 60)}, check {code(facts.check, 60)}, request {code(facts.name, 70)}, "
        f"account {code(facts.account, 60)} ({facts.account_id}). Effort: {level(facts.effort)}."
    )


def _price(facts: CardFacts) -> str:
    saving, now_known, then_known = facts.monthly_savings, facts.current_monthly_cost, facts.new_monthly_cost
    if saving is None or now_known is None or then_known is None:
        cost = "" if now_known is None else f"It costs {money(now_known, facts.currency)} a month now. "
        return f"*Cost*\n{cost}{quote(unknown(facts), 320)}"
    now, then = money(now_known, facts.currency), money(then_known, facts.currency)
    amount, year = money(saving, facts.currency), money(annual_from_monthly(saving), facts.currency)
    often = f"a month: saves {amount} a month, {year} a year."
    if facts.lasts_days:
        # AWS bills it in full again once it has undone the act.
        often = f"in the month of the act: saves {amount} once, in at most {facts.lasts_days} days."
    beside = f"\n{quote(net(facts), 400)}." if net(facts) else ""
    prices = f"Prices: {code(facts.price_source, 120)} of {code(facts.price_date, 12)}."
    return f"*Cost*\n{now} → {then} {often} {prices}{beside}"


def _approvers(facts: CardFacts) -> str:
    who = ", ".join(approver_text(approver) for approver in facts.approvers[:20]) or "nobody is named"
    elsewhere = f", one of them {OUTSIDE_SLACK}" if facts.step_up else ""
    return f"*Who may decide*\n{who}\n{facts.required} needed by {expiry(facts)}{elsewhere}."


def approver_text(approver: Approver) -> str:
    """Return one line of the terms for mrkdwn shown to one person only: mentions there notify nobody."""
    if approver.slack_user:
        return f"<@{approver.slack_user}>"
    if approver.slack_user_group:
        return f"<!subteam^{approver.slack_user_group}>"
    if approver.kubernetes_user:
        return f"{code(approver.kubernetes_user)} by kubectl"
    return f"group {code(approver.kubernetes_group or '')} by kubectl"
