"""Columns and sentences about recommendations that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.money import CURRENCY
from finops.domain.recommendation import Recommendation, Status
from finops.domain.report import Savings, StatusSum
from finops.domain.tags import owner_of
from finops.store.recommendations import recommendation_to_json
from finops_operator.cli.filters import Row
from finops_operator.cli.output import Column, Record, amount, field, money_field
from finops_operator.cli.tables import Fit

SHORT_ID: Final = 8
"""Characters of an id in a table; every command takes them, or any other beginning that only one id has."""
STATUS_WORDS: Final[Mapping[str, str]] = {
    Status.ACTIONABLE.value: "ready",
    Status.ADVICE.value: "advice",
    Status.BLOCKED.value: "blocked",
}
POSSIBLE: Final = "possible"
"""Status of what only the mode of an observing policy keeps from being ready, in the report of a scan."""
NOTHING: Final = StatusSum()


def what_of(action: str, action_type: str, parameters: Mapping[str, Any], target: str = "") -> str:
    """Return an act in a few words: `stop`, `resize → m5.xlarge`, `delete`."""
    verb = action.rpartition("_")[2] or action_type.lower()
    aim = target or next((value for value in parameters.values() if isinstance(value, str)), "")
    return f"{verb} → {aim}" if aim else verb


def _what(record: Record) -> str:
    return what_of(record["action"], record["actionType"], record["parameters"], str(record.get("target") or ""))


def _reasons(record: Record) -> str:
    """Return why nobody is asked, or which request asks: for people, in one sentence or a few."""
    blocks = " ".join(block["message"] for block in record["blockedBy"])
    return blocks or record["note"] or record["advice"]


def _once(record: Record) -> str:
    return " once" if record.get("lastsDays") else ""


SAVES: Final = replace(money_field("monthlySavings", heading="SAVES/MONTH"), note=_once)
"""What a recommendation saves in a month; `48.00 once` where AWS undoes the act by itself."""
RECOMMENDATIONS: Final = (
    SAVES,
    Column("what", _what),
    field("name", path="resource.name", fit=Fit.CUT),
    field("resource", path="resource.id"),
    field("status", words=lambda value: STATUS_WORDS.get(value, value)),
    field("id", words=lambda value: str(value)[:SHORT_ID]),
    Column("why", _reasons, wide=True),
    field("summary", wide=True),
    field("check", wide=True),
    field("action", wide=True),
    field("parameters", wide=True),
    money_field("currentMonthlyCost", wide=True),
    money_field("newMonthlyCost", wide=True),
    field("account", path="resource.account", wide=True),
    field("region", path="resource.region", wide=True),
    field("effort", wide=True),
    field("restartNeeded", wide=True),
    field("rollbackPossible", wide=True),
    field("destructive", wide=True),
    field("counted", wide=True),
    field("policy", wide=True),
    field("priceSource", wide=True),
    field("priceAsOf", wide=True),
    money_field("listMonthlySavings", wide=True),
    money_field("netMonthlySavings", wide=True),
    field("netNote", wide=True),
)


def row_of(one: Recommendation) -> Row:
    """Return a recommendation as a row of a listing."""
    return Row(
        record=recommendation_to_json(one),
        account=one.resource.account,
        region=one.resource.region,
        kind=one.resource.kind,
        id=one.resource.id,
        name=one.resource.name,
        statuses=frozenset({one.status.value, STATUS_WORDS[one.status.value]}),
        checks=frozenset({one.check}),
        tags=one.tags,
        owner=owner_of(one.tags),
        savings=one.monthly_savings,
        cost=one.current_monthly_cost,
        once=bool(one.lasts_days),
    )


def ready_first(rows: Iterable[Row]) -> list[Row]:
    """Return rows one can act on first, then by saving; an alternative follows what counts."""
    order = list(STATUS_WORDS)

    def key(row: Row) -> tuple[int, bool, bool, Decimal, str]:
        record, saving = row.record, row.savings
        return (
            order.index(record["status"]),
            not record["counted"],
            saving is None,
            -(saving or Decimal(0)),
            record["id"],
        )

    return sorted(rows, key=key)


def savings_in(rows: Iterable[Row]) -> Savings:
    """Return what the counted ones of these rows save, by status."""
    sums = Savings()
    for row in rows:
        if row.record["counted"]:
            sums = sums.plus(Status(row.record["status"]), row.savings, once=row.once)
    return sums


def total_line(savings: Savings, possible: StatusSum = NOTHING) -> str:
    """Return the figures as one line: `1,373.60 USD ready in 27 · 491.16 advice in 7 · 269.18 blocked in 5`.

    Args:
        savings: by status.
        possible: the part of what is blocked that only waits for a policy that asks for approval; shown apart.
    """
    parts = (
        ("ready", savings.actionable),
        (POSSIBLE, possible),
        ("advice", savings.advice),
        ("blocked", savings.blocked - possible),
    )
    if not savings.count:
        return "Nothing to save was found."
    shown = [
        f"{amount(part.monthly_savings)} {word} in {part.count}{once_in_words(part)}{unknown_in_words(part)}"
        for word, part in parts
        if part.count
    ]
    first, _, rest = shown[0].partition(" ")
    return " · ".join([f"{first} {CURRENCY} {rest}", *shown[1:]])


def once_in_words(part: StatusSum) -> str:
    """Return what comes once beside what comes every month: `, and 48.00 once`; empty when nothing does."""
    return f", and {amount(part.once_savings)} once" if part.once_savings else ""


def unknown_in_words(part: StatusSum) -> str:
    """Return how many of the number have an unknown saving: `, 2 unknown`; empty where none has."""
    return f", {part.unknown} unknown" if part.unknown else ""
