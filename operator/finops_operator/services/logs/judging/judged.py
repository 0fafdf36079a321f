"""Which log groups may be judged at all, and what their data costs. Pure; shared by the checks."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.quantity import GIB
from finops_operator.plugins.check import Facts
from finops_operator.services.logs.log_group import DELIVERY, LogGroupFacts, storage_query
from finops_operator.services.logs.rules.retention import KEPT_BY_CLASS

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB")
_STEP: Final = 1024


def not_judged(own: LogGroupFacts, least_gib: Decimal) -> str:
    """Return why nothing may be said about the log group, empty when something may: it keeps `least_gib` for ever."""
    if not own.tags_known:
        return "its tags could not be read, so it may be protected"
    if own.retention_policy:
        return "a policy of the account decides its retention"
    if own.retention_days is None or own.stored_bytes is None:
        return "its retention or how much it stores is not known"
    if own.log_group_class == DELIVERY:
        return KEPT_BY_CLASS
    if own.retention_days:
        return f"its data is removed after {own.retention_days} days"
    return "" if own.stored_bytes >= least_gib * GIB else f"it stores {size(own.stored_bytes)}, {least_gib} GiB count"


def without_storage(facts: Facts[LogGroupFacts], remaining_bytes: Decimal) -> Decimal | None:
    """Return what the log group costs when it stores no more than so many bytes; None when that is not known."""
    price = facts.lookup(storage_query(facts.resource.region))
    current, stored = facts.cost.unrounded_monthly, facts.own.stored_bytes
    if price is None or current is None or stored is None:
        return None
    return current - max(Decimal(0), stored - remaining_bytes) / GIB * price.amount


def size(number: float) -> str:
    """Return a number of bytes in words: `3.2 GiB`."""
    left, at = float(number), 0
    while left >= _STEP and at < len(_UNITS) - 1:
        left, at = left / _STEP, at + 1
    return f"{left:,.1f}".removesuffix(".0") + f" {_UNITS[at]}"
