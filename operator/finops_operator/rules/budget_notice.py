"""The alert of a budget in words: for somebody who is woken by it, and for programs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from finops.crds.budget import Budget
from finops.domain.budget import Basis, MonthSoFar, Reached, share_of
from finops.domain.money import to_cents
from finops.domain.notice import Notice
from finops.domain.resource import Shard
from finops_operator.rules.notice_lines import as_of_lines

ALERT: Final = "budget.alert"
_DRIVERS: Final = 3


@dataclass(frozen=True, slots=True)
class BehindAlert:
    """What an alert leans on.

    Attributes:
        named: the month, such as 2026-11.
        month: what is known of it.
        unknown: what is not, in one phrase; empty when all is.
        drivers: shards and what they cost in the month so far, the dearest first.
        as_of: when the oldest of the last scans ended.
    """

    named: str
    month: MonthSoFar
    unknown: str
    drivers: tuple[tuple[Shard, Decimal], ...]
    as_of: datetime | None


def notice_of(budget: Budget, one: Reached, behind: BehindAlert, channels: tuple[str, ...], now: datetime) -> Notice:
    """Return the alert of a threshold; its id holds for the budget, the month and the threshold."""
    namespace, name, amount = budget.metadata.namespace or "", budget.metadata.name, budget.spec.amount
    month = behind.named
    words = "has cost" if one.basis is Basis.ACTUAL else "is forecast to cost"
    least = "at least " if behind.unknown else ""
    return Notice(
        id=f"budget:{budget.metadata.uid}:{month}:{one.basis.value}:{one.percent}",
        type=ALERT,
        namespace=namespace,
        subject=f"Budget/{name}",
        time=now,
        text=f"Budget {name}: {month} {words} {least}{one.cost:,.2f} of {amount:,.2f} USD, {one.percent} % or more.",
        data=_data(budget, one, behind),
        title=_title(name, one, least, share_of(amount, one.cost)),
        lines=tuple(_lines(amount, one, behind)),
        commands=(f"kubectl -n {namespace} get budget {name} -o yaml", "finops costs --by service"),
        page="/budgets",
        channels=channels,
    )


def _title(name: str, one: Reached, least: str, share: int | None) -> str:
    if one.basis is Basis.FORECAST:
        return f"Budget {name}: the month is forecast to cost {least}{share} % of it"
    return f"Budget {name}: {least}{share} % of the month's budget is spent"


def _lines(amount: Decimal, one: Reached, behind: BehindAlert) -> list[tuple[str, str]]:
    month, known = behind.month, to_cents(behind.month.known)
    least = "at least " if behind.unknown else ""
    through = f"from the first through {month.through}"
    if one.basis is Basis.ACTUAL:
        much = f"{least}{one.cost:,.2f} of {amount:,.2f} USD, actual cost {through}; the threshold is {one.percent} %."
    else:
        much = (
            f"{least}{one.cost:,.2f} of {amount:,.2f} USD, forecast for the whole month; the threshold is "
            f"{one.percent} %. So far it has cost {least}{known:,.2f} USD, {through}."
        )
    found = [("How much", much)]
    if behind.unknown:
        found.append(("Not known", f"{behind.unknown}. The cost may be higher."))
    if behind.drivers:
        parts = [
            f"{shard.kind} in {shard.region} of {shard.account} {cost:,.2f} USD"
            for shard, cost in behind.drivers[:_DRIVERS]
        ]
        rest = len(behind.drivers) - _DRIVERS
        found.append(("What drives it", f"{'; '.join(parts)}{f'; {rest} more' if rest > 0 else ''}."))
    return [*found, *as_of_lines(behind.as_of)]


def _data(budget: Budget, one: Reached, behind: BehindAlert) -> dict[str, Any]:
    through = behind.month.through
    return {
        "budget": budget.metadata.name,
        "month": behind.named,
        "basis": one.basis.value,
        "percent": one.percent,
        "amount": f"{budget.spec.amount:f}",
        "cost": f"{one.cost:f}",
        "currency": budget.spec.currency.value,
        "through": through.isoformat() if through else None,
        "asOf": behind.as_of.isoformat() if behind.as_of else None,
        "unknown": behind.unknown,
        "drivers": [
            {"account": shard.account, "region": shard.region, "service": shard.kind, "cost": f"{to_cents(cost):f}"}
            for shard, cost in behind.drivers[:_DRIVERS]
        ],
    }
