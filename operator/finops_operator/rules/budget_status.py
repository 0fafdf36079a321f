"""A budget's scope as the history spells it, and its judgement as a status and in words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.crds.budget import ALERTS, Budget, BudgetAlert, BudgetStatus
from finops.crds.conditions import ConditionStatus, with_condition
from finops.domain.budget import Basis, BudgetState, Judgement, MonthSoFar, Scope, share_of
from finops.domain.quantity import counted
from finops.domain.resource import Gap

NO_ALERTS: Final = " No alert reaches Slack: "
_MEASURES: Final = frozenset({"cloudwatch", "pricing", "ce"})
"""Gaps of these hide no resource where no kind is listed by their call: what they leave without a price is counted."""
OF_OUR_OWN: Final = "store"
"""Service of gaps in what the store holds of a policy's last scan; their account is `OF_POLICY` and its name."""
OF_POLICY: Final = "policy "
NEVER_SCANNED: Final = "NeverScanned"
_REGIONS: Final = ":DescribeRegions"
"""Which regions there are hides resources of every kind."""
_FIGURES: Final = frozenset({"cloudwatch:GetMetricData"})
_NAMES_OF_FIGURES: Final = frozenset({"cloudwatch:ListMetrics"})
"""Names what agents measure of a kind; CloudWatch's own kinds are listed by it."""


def scope_of(budget: Budget) -> Scope:
    """Return which shards a budget is for; its tag is not part of that."""
    scope = budget.spec.scope
    return Scope(frozenset(scope.accounts), frozenset(scope.regions), frozenset(scope.services))


def tag_of(budget: Budget) -> tuple[str, str] | None:
    """Return key and value of the tag the resources carry, None for whatever tags."""
    tag = budget.spec.scope.tag
    return None if tag is None else (tag.key, tag.value)


def unseen_by(scope: Scope, gaps: Iterable[Gap], calls: Mapping[str, frozenset[str]]) -> tuple[Gap, ...]:
    """Return the gaps that may hide resources of a scope, each once.

    Args:
        scope: of the budget.
        gaps: of the last scans. A gap of a whole account may name the account object instead of its id: then it may
            be any account.
        calls: kind → the calls that list it, as `listing_calls` has them.
    """
    return tuple(dict.fromkeys(gap for gap in gaps if _may_hide(gap, scope, calls)))


def listing_calls(service: str, calls: Collection[str]) -> frozenset[str]:
    """Return the calls without which resources of a kind of this AWS service may be missed, of all that it makes."""
    others = {one for one in calls if one.partition(":")[0] in _MEASURES - {service}}
    regions = {one for one in calls if one.endswith(_REGIONS)}
    figures = _FIGURES if service == "cloudwatch" else _FIGURES | _NAMES_OF_FIGURES
    return frozenset(calls) - others - figures - regions


def _may_hide(gap: Gap, scope: Scope, calls: Mapping[str, frozenset[str]]) -> bool:
    account = gap.account if gap.account.isdecimal() else next(iter(scope.accounts), "")
    if not scope.takes_place(account, gap.region):
        return False
    call = f"{gap.service}:{gap.operation}"
    listed = {kind for kind, of_kind in calls.items() if call in of_kind}
    if listed:
        return not scope.kinds or not scope.kinds.isdisjoint(listed)
    if gap.service in _MEASURES:
        return False
    # A gap of the identity or of the regions (sts, account, DescribeRegions) hides every kind; of a call that no
    # kind is known to make, the service says which.
    wanted = {one.partition(":")[0] for kind in scope.kinds for one in calls.get(kind, ())}
    is_wide = (
        not gap.region
        or call.endswith(_REGIONS)
        or all(gap.service != one.partition(":")[0] for of_kind in calls.values() for one in of_kind)
    )
    return is_wide or not wanted or gap.service in wanted


def judged(
    budget: Budget,
    found: Judgement,
    month: MonthSoFar,
    gaps: tuple[Gap, ...],
    today: date,
    now: datetime,
    unreached: str = "",
) -> BudgetStatus:
    """Return the status that says so; thresholds reached earlier in the month stay, whatever the cost is by now.

    `unreached` is why no alert reaches the budget's own channel, empty when nothing is known to fail.
    """
    named, amount = today.strftime("%Y-%m"), budget.spec.amount
    before = budget.status.alerts if budget.status.month == named else ()
    known = {(one.basis, one.percent) for one in before}
    news = tuple(
        BudgetAlert(basis=one.basis, percent=one.percent, cost=one.cost, time=now.replace(microsecond=0))
        for one in found.reached
        if (one.basis, one.percent) not in known
    )
    is_known = found.state is not BudgetState.UNKNOWN
    note = f"{NO_ALERTS}{unreached}" if unreached else ""
    return BudgetStatus(
        observed_generation=budget.metadata.generation,
        conditions=with_condition(
            budget.status.conditions,
            "Ready",
            is_known or ConditionStatus.UNKNOWN,
            found.state.value if is_known else "CostUnknown",
            f"{summary(amount, found, month, gaps)}{note}",
            now=now,
            observed_generation=budget.metadata.generation,
        ),
        state=found.state,
        month=named,
        actual=found.actual,
        actual_percent=share_of(amount, found.actual),
        known_cost=found.known,
        forecast=found.forecast,
        forecast_percent=share_of(amount, found.forecast),
        through=month.through.isoformat() if month.through else None,
        unpriced_resources=month.unpriced,
        missing_days=month.missing_days,
        unseen=len(gaps),
        alerts=_that_fit((*before, *news), budget),
    )


def _that_fit(alerts: tuple[BudgetAlert, ...], budget: Budget) -> tuple[BudgetAlert, ...]:
    """Return as many as a status holds: all that the budget still asks for, and the newest of those it did before.

    Whoever changes the thresholds again and again must not make a status that cannot be written.
    """
    asked = budget.spec.alerts
    wanted = {(Basis.ACTUAL, one) for one in asked.actual_percent}
    wanted |= {(Basis.FORECAST, one) for one in asked.forecast_percent}
    former = [one for one in alerts if (one.basis, one.percent) not in wanted]
    dropped = former[: max(0, len(alerts) - 2 * ALERTS)]
    return tuple(one for one in alerts if one not in dropped)


def summary(amount: Decimal, found: Judgement, month: MonthSoFar, gaps: tuple[Gap, ...]) -> str:
    """Return how the month stands as sentences, with the next step where not all is known."""
    if month.through is None:
        unseen = f": {_in_words(gaps)}" if gaps else ""
        step = _next_step(gaps) if gaps else "check the policies of the namespace and the scope"
        return f"No day of this month was scanned for this scope{unseen}. Next: {step}."
    problems = unknown_of(month, gaps)
    if problems:
        step = f" Next: {_next_step(gaps)}." if gaps else ""
        much = f"At least {found.known:,.2f} of {amount:,.2f} USD through {month.through}."
        end = "" if found.forecast is None else f" Forecast for the month: at least {found.forecast:,.2f} USD."
        return f"{much}{end} Unknown: {problems}.{_whole_again(month)}{step}"
    ahead = "" if found.forecast is None else f" Forecast for the month: {found.forecast:,.2f} USD."
    short = "" if ahead else " No forecast: fewer than 28 days with all prices are known."
    return f"{found.known:,.2f} of {amount:,.2f} USD through {month.through}.{ahead}{short}"


def _whole_again(month: MonthSoFar) -> str:
    """Return from when on the cost can be whole, where days of this month never will be known."""
    if month.through is None or not month.missing_days:
        return ""
    following = (month.through.replace(day=1) + timedelta(days=31)).replace(day=1)
    return f" These days stay unknown: the first month that can be known is that from {following} on."


def unknown_of(month: MonthSoFar, gaps: tuple[Gap, ...]) -> str:
    """Return what is not known of the month's cost, in one phrase; empty when all is."""
    unknown = [
        f"{counted(month.missing_days, 'day')} of the month not scanned whole" if month.missing_days else "",
        f"{counted(month.unpriced, 'resource')} not fully priced" if month.unpriced else "",
        _in_words(gaps) if gaps else "",
    ]
    return ", ".join(one for one in unknown if one)


def _in_words(gaps: tuple[Gap, ...]) -> str:
    """Return what the first gap leaves out, and how many others there are."""
    (first, *others) = gaps
    more = f", and {counted(len(others), 'more gap')} of the last scans" if others else ""
    return f"{_left_out(first)}{more}"


def _left_out(gap: Gap) -> str:
    message = gap.message.rstrip(".")
    if gap.service == OF_OUR_OWN:
        return message
    place = f"list in {gap.region}" if gap.region else "show"
    return f"what {gap.service}:{gap.operation} would {place} of account {gap.account} ({gap.code}: {message})"


def _next_step(gaps: tuple[Gap, ...]) -> str:
    first, policy = gaps[0], gaps[0].account.removeprefix(OF_POLICY)
    if first.service != OF_OUR_OWN:
        return "the page Policies and kubectl describe scanpolicy list every gap"
    if first.code == NEVER_SCANNED:
        return f"kubectl describe scanpolicy {policy} says what its scan waits for"
    return f"the next scan of the policy {policy} writes it anew"
