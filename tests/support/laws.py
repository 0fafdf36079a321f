"""What holds for every finding of every check: it rests on what was measured, work takes it away, prices scale it.

The tests of a check submit the findings that they see (`tests/unit/services/conftest.py`), so that a new check is held
to these laws by its own examples. Nothing here knows a check or a metric: what matters is tried out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fnmatch import fnmatch
from functools import cache, partial
from typing import Any, Final

from finops.domain.price import Attributed, Cost, Price, PriceQuery
from finops.domain.recommendation import ActionType, Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import HourPoints, MetricSummary, MonthlyUse, Utilization
from finops_operator.plugins.check import Check, Facts
from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.loaded import load_checks, load_kinds
from finops_operator.scan.price import cost_of

MORE_TAKES_NOTHING_AWAY: Final[Mapping[tuple[str, str], str]] = {
    ("dynamodb_table_to_provisioned", "consumed*"): "steady work is what it is after; with less of it it is not found",
    ("ebs_volume_magnetic", "*"): "the busier the volume, the more its operations cost that gp3 has in its price",
    ("ebs_volume_overprovisioned", "*"): "where IOPS or throughput alone is lowered, the other's use says nothing",
    ("ec2_instance_overprovisioned", "*Bytes"): "where the smaller type carries as much, its use says nothing",
    (
        "ec2_instance_overprovisioned",
        "memoryPercent",
    ): "seen for a part of the window it says nothing: no less is given",
    ("ec2_instance_underprovisioned", "*"): "more work is what it is after",
    ("ec2_instance_surplus_credits", "*"): "work above the baseline is what it is after",
    ("elasticache_cluster_idle", "cacheConnections"): "Memcached counts its own threads, so that commands decide",
    ("fsx_file_system_storage", "freeStorageBytes"): "what is free is the opposite of use",
    ("kinesis_stream_unread", "recordsPut"): "records that are put are those that nobody fetches",
    ("lambda_function_graviton", "*"): "the longer it runs, the more Arm saves",
    ("lambda_function_memory", "invocations"): "more invocations show the more surely how much memory they need",
    ("nat_gateway_s3", "*"): "much traffic is what it is after",
    ("load_balancer_idle", "classicProcessedBytes"): "where every listener speaks HTTP, requests say all",
    ("log_group_infrequent_access", "*"): "the more arrives, the more the other class saves",
    ("rds_cluster_auto_pause", "serverlessCapacity"): "connections say whether it is used, capacity what it costs",
    ("rds_instance_storage_gp2", "*"): "gp3 gives no less than gp2 for the same or a lower price",
    ("rds_instance_storage_overprovisioned", "*Throughput"): "the smaller storage carries as much",
    ("rds_instance_storage_overprovisioned", "freeStorageSpace"): "what is free is the opposite of use",
    ("redshift_cluster_underused", "databaseConnections"): "people are connected; the CPU says how much they do",
    ("route53_health_check_unused", "*"): "its status shows its age, and who refers to it its use",
    ("s3_bucket_*", "*Bytes"): "what is stored is no use; it says what there is to save",
    ("vpn_connection_idle", "tunnelState"): "a tunnel that is up carries nothing; the bytes say so",
}
"""Check and metric, as patterns → why a finding stays however much there is of the metric.

For all others holds: where a metric must be known, enough of it takes the finding away.
"""
Judge = Callable[[Facts[Any]], Finding | NotRecommended]
_Change = Callable[[float], float]
FACTOR: Final = Decimal(3)
_MUCH: Final = 1e15
"""More of anything than a resource can do in five minutes, bytes among it."""
_DAY_SECONDS: Final = 86_400
_STEPS: Final = (1, 2, 5, 10, 30)
"""How often a level is doubled or halved; thirty times is a billion."""
IDLE_DAYS: Final = "minimumIdleDays"
_ROUNDING: Final = Decimal("0.000001")
_LONGEST_REASON: Final = 256
MEASURED_FOR_ITS_AGE: Final = {
    "route53_health_check_unused": "Route 53 does not say when a check was made: two weeks of its status show its age"
}
"""Checks that ask for a metric whose level says nothing, and why."""


def broken_laws(check: str, facts: Facts[Any], judge: Judge) -> Iterator[str]:
    """Yield which laws a finding breaks, in a sentence each.

    Args:
        check: id of the check.
        facts: what it finds something in.
        judge: its judgement, with the parameters of the finding.
    """
    known = facts.utilization
    names = sorted({*known.metrics, *known.fine, *known.month})

    def with_use(use: Utilization) -> Finding | NotRecommended:
        return judge(_measuring(facts, use))

    decisive = [name for name in names if isinstance(with_use(_without(known, [name])), NotRecommended)]
    yield from _gap_laws(known, names, decisive, with_use)
    yield from _use_laws(check, known, names, decisive, with_use)
    yield from _lost_day_law(check, facts, names, judge)
    yield from _price_law(facts, judge)
    yield from _unknown_law(check, facts, judge)


def _unknown_law(check: str, facts: Facts[Any], judge: Judge) -> Iterator[str]:
    """A check that says why no source can know a saving states none: people are asked on the strength of that."""
    declared, found = getattr(load_checks().get(check), "saving_unknown", ""), judge(facts)
    if not declared or isinstance(found, NotRecommended):
        return
    known = facts.cost.at_stake is not None and found.new_monthly_cost is not None
    if known and not found.saving_knowable:
        yield f"it states a saving, of which the check says that nobody can know it: {declared}"
    if len(declared) > _LONGEST_REASON or declared.endswith("."):
        yield f"the reason is no end of a sentence of {_LONGEST_REASON} characters at most: {declared}"


_WithUse = Callable[[Utilization], Finding | NotRecommended]


def _gap_laws(known: Utilization, names: list[str], decisive: list[str], with_use: _WithUse) -> Iterator[str]:
    """What is not known never helps: a metric that may be missing is one of which no amount matters."""
    for name in decisive:
        half, never = _halves(known, name), _without(known, [name], reason="NotPublished")
        if isinstance(found := with_use(half), Finding) and not _says_the_same(found, with_use(never)):
            yield f"half of {name} missing says more than if it had never been published: {found.target}"
    for name in (one for one in names if one not in decisive):
        for words, change in _EXTREMES.items():
            other = with_use(_changed(known, [name], change))
            if isinstance(other, NotRecommended):
                yield f"it is found without {name}, and not with {words} of it: {other.reason}"
    blind = with_use(_without(known, names))
    if names and isinstance(blind, Finding) and "windowStart" in blind.evidence:
        yield "with nothing measured it states a window"


def _halves(use: Utilization, name: str) -> Utilization:
    """Return a use with every second point of a metric lost, and what the last 30 days brought of it as well."""
    seen = _summarized(use, [name], _half_seen)
    return replace(seen, month={key: one for key, one in use.month.items() if key != name})


def calls_idle(check: Check[Any]) -> bool:
    """Return whether a check says that nobody needs a resource: it stops or deletes, or counts idle days."""
    by_days = any(spec.name == IDLE_DAYS for spec in check.parameters)
    return by_days or check.action_type in {ActionType.STOP, ActionType.DELETE}


def _lost_day_law(check: str, facts: Facts[Any], names: list[str], judge: Judge) -> Iterator[str]:
    """A day of which nothing is known may have been the day of work, whatever coverage a policy asks for."""
    declared = load_checks().get(check)
    if declared is not None and not calls_idle(declared):
        return
    anyhow = replace(facts, settings=replace(facts.settings, minimum_coverage_percent=Decimal(0)))

    def with_day(name: str, change: Callable[[MetricSummary], MetricSummary]) -> Finding | NotRecommended:
        return judge(_measuring(anyhow, _summarized(facts.utilization, [name], change)))

    for name in names:
        lost = with_day(name, _lost_day)
        if isinstance(lost, NotRecommended) or isinstance(with_day(name, _busy_day), Finding):
            continue
        never = judge(_measuring(anyhow, _without(facts.utilization, [name], reason="NotPublished")))
        if not _says_the_same(lost, never):
            yield f"one day of much {name} takes the finding away, and where that day is not known it is found"


def _says_the_same(found: Finding, other: Finding | NotRecommended) -> bool:
    return isinstance(other, Finding) and (found.target, found.parameters, found.new_monthly_cost) == (
        other.target,
        other.parameters,
        other.new_monthly_cost,
    )


def _use_laws(
    check: str, known: Utilization, names: list[str], decisive: list[str], with_use: _WithUse
) -> Iterator[str]:
    """Some use takes a measured finding away, and more of the same never brings it back."""
    taken, matters = False, set[str]()
    for name in names:
        for words, factor in (("doubled", 2.0), ("halved", 0.5)):
            gone = ""
            for step in _STEPS:
                other = with_use(_changed(known, [name], partial(_times, factor**step)))
                if isinstance(other, NotRecommended):
                    gone = gone or f"{step} times it is not found ({other.reason})"
                elif gone:
                    yield f"with {name} {words} {gone}, {step} times it is found again"
            taken = taken or bool(gone)
            if gone and factor > 1:
                matters.add(name)
    for some in (*([name] for name in names), names):
        for change in _EXTREMES.values():
            gone_at_all = isinstance(with_use(_changed(known, some, change)), NotRecommended)
            taken = taken or gone_at_all
            if gone_at_all and change is _very_much and len(some) == 1:
                matters.update(some)
    if decisive and not taken and check not in MEASURED_FOR_ITS_AGE:
        yield f"it is not found without {', '.join(decisive)}, and no amount of that matters"
    for name in (one for one in decisive if one not in matters and not _excepted(check, one)):
        yield f"it is not found without {name}, and stays found however much there is of it"


def _excepted(check: str, metric: str) -> bool:
    return any(fnmatch(check, some) and fnmatch(metric, one) for some, one in MORE_TAKES_NOTHING_AWAY)


def _price_law(facts: Facts[Any], judge: Judge) -> Iterator[str]:
    """What costs three times as much saves three times as much."""

    def dearer(query: PriceQuery) -> Price | None:
        price = facts.lookup(query)
        return None if price is None else replace(price, amount=price.amount * FACTOR)

    found = judge(_measuring(facts, facts.utilization))
    members = _members_at(FACTOR, facts.cost)
    other = judge(_measuring(replace(facts, lookup=dearer, cost=members), facts.utilization))
    if isinstance(found, NotRecommended) or isinstance(other, NotRecommended):
        yield f"priced anew, or at three times the prices, it is not found: {found}; {other}"
        return
    before, after = found.new_monthly_cost, other.new_monthly_cost
    if before is not after and (before is None or after is None or abs(after - FACTOR * before) > _ROUNDING):
        yield f"it leaves {before} a month, at three times the prices {after}"


def _members_at(factor: Decimal, cost: Cost) -> Cost:
    """Return the cost of a group whose members cost so many times as much; any other as it is."""
    if cost.attributed is None or cost.attributed.members is None:
        return cost
    dearer = (
        (name, one if one.monthly is None else replace(one, monthly=one.monthly * factor))
        for name, one in cost.attributed.members
    )
    return replace(cost, attributed=Attributed(tuple(dearer)))


def _measuring(facts: Facts[Any], use: Utilization) -> Facts[Any]:
    """Return the facts with another use, priced anew with it."""
    kind, hours = _kinds()[facts.resource.kind], facts.settings.hours_per_month

    def cost(resource: Resource) -> Cost:
        if kind.members is not None and not kind.members.billed_itself:
            return facts.cost
        own = cost_of(resource, kind.billed_parts, facts.lookup, hours, use)
        return replace(own, group=facts.cost.group, attributed=facts.cost.attributed)

    return replace(facts, utilization=use, cost=cost(facts.resource), cost_of=cost)


@cache
def _kinds() -> Mapping[str, ResourceKind[Any]]:
    return load_kinds()


def _without(use: Utilization, names: Collection[str], *, reason: str = "Throttled") -> Utilization:
    def others(known: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in known.items() if key not in names}

    return replace(
        use,
        metrics=others(use.metrics),
        fine=others(use.fine),
        month=others(use.month),
        least=others(use.least),
        hours=others(use.hours),
        unknown={**use.unknown, **dict.fromkeys(names, reason)},
    )


def _changed(use: Utilization, names: Collection[str], change: _Change) -> Utilization:
    """Return another use with every point of some metrics changed, also in what the last 30 days brought."""
    month = {key: MonthlyUse(change(one.amount), one.hours) if key in names else one for key, one in use.month.items()}
    hours = {key: _hours(one, change) if key in names else one for key, one in use.hours.items()}
    return replace(_summarized(use, names, partial(_level, change)), month=month, hours=hours)


def _hours(points: HourPoints, change: _Change) -> HourPoints:
    return replace(points, peaks=tuple(None if one is None else change(one) for one in points.peaks))


def _summarized(
    use: Utilization, names: Collection[str], change: Callable[[MetricSummary], MetricSummary]
) -> Utilization:
    def some(known: Mapping[str, MetricSummary]) -> dict[str, MetricSummary]:
        return {key: change(one) if key in names else one for key, one in known.items()}

    least = {key: one for key, one in use.least.items() if key not in names}
    return replace(use, metrics=some(use.metrics), fine=some(use.fine), least=least)


def _level(change: _Change, summary: MetricSummary) -> MetricSummary:
    """Return a summary whose points are all changed; the change leaves them in their order, or makes them equal."""
    average, maximum = change(summary.average), change(summary.maximum)
    same = average == maximum
    in_a_day = min(_DAY_SECONDS / summary.period_seconds, summary.points)
    return replace(
        summary,
        maximum=maximum,
        p99_5=change(summary.p99_5),
        p99=change(summary.p99),
        p95=change(summary.p95),
        p90=change(summary.p90),
        average=average,
        lowest=change(summary.lowest),
        total=None if summary.total is None else average * summary.points,
        busiest_day=None
        if summary.busiest_day is None
        else average * in_a_day
        if same
        else change(summary.busiest_day),
        near_maximum=summary.points if same else summary.near_maximum,
    )


def _half_seen(summary: MetricSummary) -> MetricSummary:
    return replace(summary, points=summary.points // 2, missing_at_end=None)


def _busy_day(summary: MetricSummary) -> MetricSummary:
    """Return a summary of which the last day had very much in every period."""
    of_a_day = min(round(_DAY_SECONDS / summary.period_seconds), summary.points)
    share = 100 * of_a_day / summary.points

    def rank(percent: float, level: float) -> float:
        return _MUCH if 100 - percent < share else level

    return replace(
        summary,
        maximum=_MUCH,
        p99_5=rank(99.5, summary.p99_5),
        p99=rank(99, summary.p99),
        p95=rank(95, summary.p95),
        p90=rank(90, summary.p90),
        average=summary.average + _MUCH * share / 100,
        total=None if summary.total is None else summary.total + _MUCH * of_a_day,
        busiest_day=None if summary.busiest_day is None else _MUCH * of_a_day,
        near_maximum=of_a_day,
    )


def _lost_day(summary: MetricSummary) -> MetricSummary:
    """Return a summary of which one day in the middle of the window is not known."""
    of_a_day = round(_DAY_SECONDS / summary.period_seconds)
    return replace(summary, points=max(1, summary.points - of_a_day), missing_at_end=None)


def _times(factor: float, level: float) -> float:
    return level * factor


def _none(_level: float) -> float:
    return 0.0


def _very_much(_level: float) -> float:
    return _MUCH


_EXTREMES: Final[Mapping[str, _Change]] = {"nothing": _none, "very much": _very_much}
