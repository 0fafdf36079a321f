"""One scan of one policy: discover → measure → price → check → recommend → store.

Called by the scheduler and by `finops scan`; runs in the caller's thread and a pool it is given. Shards (account,
region, kind) run in parallel, each streams its pages through; nothing here grows with the fleet. Generations become
visible by swaps, so a scan that dies leaves what was visible before.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ExecutionMode, ScanPolicy
from finops.domain.money import to_cents
from finops.domain.price import PriceQuery
from finops.domain.report import Savings, ScanSummary, ShardCost
from finops.domain.resource import Gap, Shard
from finops.errors import AwsDenied, AwsError
from finops.ports.aws_access import Tenant
from finops.ports.clock import Clock
from finops.store.cost_history import CostHistoryStore
from finops.store.inventory import InventoryStore, new_generation
from finops.store.logged import LoggedStore
from finops.store.offerings import OfferingStore
from finops.store.recommendations import HeadUnreadable, PolicyHead, RecommendationStore
from finops.store.resource_costs import ResourceCostStore
from finops.store.selected_costs import keep_selected
from finops.store.utilization import UtilizationStore
from finops_operator.aws.counting import USUAL_LOGS_PRICE, USUAL_METRIC_PRICE, CallCounter
from finops_operator.aws.regions import enabled_regions
from finops_operator.killpoint import killpoint
from finops_operator.plugins.logged import ByteBudget
from finops_operator.rules.access import Asked, GrantedAccount, granted_accounts
from finops_operator.scan.coverage import REQUEST_PRICE, SERVICE, ask_coverage
from finops_operator.scan.dependencies import ScanDependencies
from finops_operator.scan.discover import ShardTask, account_gap, choose_regions, shard_tasks
from finops_operator.scan.judging import Brief, ShardTotals, Stores
from finops_operator.scan.listed_prices import scan_prices
from finops_operator.scan.logged import BYTES_PER_GB
from finops_operator.scan.overlapping import counted_once
from finops_operator.scan.policy_rules import policy_rules
from finops_operator.scan.progress import FinishedShard
from finops_operator.scan.recommend import savings_of
from finops_operator.scan.shards import JudgedShard, scan_shards
from finops_operator.scan.spread import Failed, Work, scan_in_pods
from finops_operator.scan.unlisted import Wanted, unlisted


@dataclass(frozen=True, slots=True)
class MetricEffort:
    """What was asked of CloudWatch: series of days, hours and 5 minutes apart, the points of all together."""

    points: int = 0
    day_series: int = 0
    day_requests: int = 0
    hourly_series: int = 0
    hourly_requests: int = 0
    fine_series: int = 0
    fine_requests: int = 0


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What a scan returns to its caller.

    Attributes:
        summary: the figures that status, report and Redis share.
        brief: what the report needs to stream the resources back.
        shards: the inventory generations that were judged.
        metric_effort: series and requests.
    """

    summary: ScanSummary
    brief: Brief
    shards: tuple[tuple[Shard, str], ...]
    metric_effort: MetricEffort = field(default_factory=MetricEffort)


@dataclass(slots=True)
class _Progress:
    """What a running scan has gathered; touched by the scanning thread only."""

    gaps: list[Gap] = field(default_factory=list)
    counters: list[CallCounter] = field(default_factory=list)
    metrics: Counter[str] = field(default_factory=Counter)
    """Region → metrics that CloudWatch was asked for there."""
    totals: list[ShardTotals] = field(default_factory=list)
    shards: list[tuple[Shard, str]] = field(default_factory=list)
    whole: dict[Shard, ShardCost] = field(default_factory=dict)
    twice: Savings = field(default_factory=Savings)
    """What groups and their members would both save, as the totals have it twice."""
    unlisted: tuple[Shard, ...] = ()


def scan(policy: ScanPolicy, accounts: Mapping[str, AwsAccount], deps: ScanDependencies, clock: Clock) -> ScanOutcome:
    """Scan once. `accounts` are all AwsAccount objects by name; grants are checked here, before the first request.

    Raises:
        InvalidInput: a check or parameter of the policy is unknown or out of range, or a check of its own is wrong;
            names the field.
        StoreUnavailable: the store went away; nothing half-done is visible.
        Refused: demo mode and an endpoint that is not on this machine.
    """
    started = clock.now()
    progress = _Progress()
    names = [reference.name for reference in policy.spec.accounts]
    asked = Asked(tuple(policy.spec.regions), deps.own_region)
    granted, refused = granted_accounts(names, accounts, policy.metadata.namespace or "default", asked)
    progress.gaps += refused
    listed = scan_prices(policy, granted, deps, clock)
    priced = replace(deps, price_sources=(*listed.sources, *deps.price_sources))
    brief = brief_of(policy, accounts, priced, started, new_generation(started))
    tasks = _tasks(policy, granted, deps, brief, progress)
    covered = ask_coverage(policy, granted, deps, clock)
    progress.counters.append(covered.counter)
    progress.gaps += covered.gaps
    deps.progress.planned([task.shard for task in tasks])
    work = Work(policy, accounts, started, brief.generation)
    for task, judged in _scanned(tasks, work, deps, brief, clock, progress):
        _collect(task, judged, deps, progress)
    progress.gaps += listed.gaps
    progress.counters.append(listed.counter)
    twice = _counted_twice(brief, progress)
    killpoint("scan.publish")
    missing = _unlisted(policy, granted, tasks, brief, progress)
    return _publish(brief, deps, started, clock.now(), replace(progress, twice=twice, unlisted=missing))


def _unlisted(
    policy: ScanPolicy, granted: Sequence[GrantedAccount], tasks: Sequence[ShardTask], brief: Brief, progress: _Progress
) -> tuple[Shard, ...]:
    """Return what the scan before could list, or could not either, and this one cannot."""
    try:
        before = brief.stores.recommendations.head(brief.policy)
    except HeadUnreadable:
        # This scan writes it anew; what one before listed is not known.
        before = None
    wanted = Wanted(
        {one.access.account_id: policy.spec.regions or one.regions for one in granted},
        {name: kind.is_global for name, kind in brief.kinds.items()},
        frozenset(task.shard for task in tasks),
    )
    listed = [shard for shard, _ in progress.shards]
    return unlisted(wanted, before.covered if before is not None else (), listed, progress.gaps)


def _scanned(
    tasks: list[ShardTask], work: Work, deps: ScanDependencies, brief: Brief, clock: Clock, progress: _Progress
) -> Iterator[tuple[ShardTask, JudgedShard]]:
    """Scan all shards, here or in pods; what a pod could not scan is a gap."""
    if deps.pods is None or work.policy.spec.execution.mode is not ExecutionMode.JOB:
        # Accounts and regions take turns: no account meets all of our threads at once.
        random.Random(brief.generation).shuffle(tasks)  # noqa: S311 - order, not secrecy
        yield from scan_shards(tasks, deps, brief, clock, generation=brief.generation)
        return
    for place in scan_in_pods(tasks, work, deps):
        if isinstance(place, Failed):
            for task in place.tasks:
                brief.stores.inventory.note_failure(task.shard, [place.gap], clock.now())
            progress.gaps.append(place.gap)
        else:
            progress.gaps += place.gaps
            progress.counters.append(place.counter)
            yield from place.shards


def _counted_twice(brief: Brief, progress: _Progress) -> Savings:
    """Take out of the count what a group and its members would both save; return what that was."""
    groups = [one for totals in progress.totals for one in totals.groups]
    if not groups:
        return Savings()
    kept = brief.stores.recommendations
    advice = kept.stream(brief.policy, brief.generation)
    settled = counted_once(groups, advice, lambda account: brief.terms(account).acts)
    kept.add(brief.policy, brief.generation, [one.after for one in settled], ())
    return savings_of(one.before for one in settled) - savings_of(one.after for one in settled)


def brief_of(
    policy: ScanPolicy,
    accounts: Mapping[str, AwsAccount],
    deps: ScanDependencies,
    started: datetime,
    generation: str,
    parts: int = 1,
) -> Brief:
    """Return what judging needs to know about one scan. Raises InvalidInput as `scan` does.

    `parts`: how many processes do a part of the scan each. They cannot see what the others read of logs, so that each
    may read its share of the ceiling, and no more.
    """
    rules = policy_rules(policy, accounts, deps, started)
    return Brief(
        **{one.name: getattr(rules, one.name) for one in fields(rules)},
        generation=generation,
        stores=Stores(
            InventoryStore(deps.store),
            UtilizationStore(deps.store),
            ResourceCostStore(deps.store),
            RecommendationStore(deps.store),
            OfferingStore(deps.store),
            LoggedStore(deps.store),
        ),
        metric_requests=deps.metric_requests,
        log_bytes=ByteBudget(policy.spec.metrics.logs_max_gb * float(BYTES_PER_GB) / parts),
    )


def _tasks(
    policy: ScanPolicy, granted: Sequence[GrantedAccount], deps: ScanDependencies, brief: Brief, progress: _Progress
) -> list[ShardTask]:
    """Ask each account for its regions, in parallel, and return the shards to list."""
    tenant = Tenant(namespace=brief.policy[0], policy=brief.policy[1])
    waiting: list[tuple[GrantedAccount, CallCounter, Future[frozenset[str]]]] = []
    for one in granted:
        counter = CallCounter()
        progress.counters.append(counter)
        reader = deps.readers.reader(one.access, one.access.entry, tenant, counter)
        waiting.append((one, counter, deps.pool.submit(enabled_regions, reader)))
    tasks: list[ShardTask] = []
    for one, _, future in waiting:
        enabled: frozenset[str] | None = None
        try:
            enabled = future.result()
        except AwsError as error:
            # Whoever may not list regions can still read those that were named.
            if not (isinstance(error, AwsDenied) and (policy.spec.regions or one.regions)):
                progress.gaps.append(account_gap(error, one.access))
                continue
        regions, gaps = choose_regions(policy.spec.regions, one.regions, enabled, one.access)
        progress.gaps += gaps
        tasks += shard_tasks(one.access, regions, brief.kinds.values())
    return tasks


def _collect(task: ShardTask, judged: JudgedShard, deps: ScanDependencies, progress: _Progress) -> None:
    progress.counters.append(judged.counter)
    progress.metrics[task.region] += judged.counter.metrics_requested
    progress.totals.append(judged.totals)
    progress.gaps += judged.totals.gaps
    if judged.generation:
        progress.shards.append((task.shard, judged.generation))
        if judged.whole:
            progress.whole[task.shard] = judged.totals.whole
    selected = judged.totals.selected
    deps.progress.finished(
        FinishedShard(
            task.shard,
            selected.resources,
            selected.monthly_cost,
            selected.unpriced,
            len(judged.totals.gaps),
            judged.totals.savings.count,
        )
    )


def _publish(
    brief: Brief, deps: ScanDependencies, started: datetime, completed: datetime, progress: _Progress
) -> ScanOutcome:
    shards = tuple(sorted(progress.shards, key=lambda pair: str(pair[0])))
    summary = _summary(brief, started, completed, progress)
    if not summary.complete_failure:
        brief.stores.recommendations.swap(brief.policy, _head(brief, summary, shards, progress))
        # Parts before the whole: whoever is stopped between the two leaves no day that is there without its parts.
        keep_selected(deps.store, started.date(), dict.fromkeys(progress.whole, (None,)))
        CostHistoryStore(deps.store).put(started.date(), progress.whole)
    efforts = [totals.failures.asked for totals in progress.totals if totals.failures is not None]
    return ScanOutcome(
        summary=summary,
        brief=brief,
        shards=shards,
        metric_effort=MetricEffort(
            points=sum(one.points for one in efforts),
            day_series=sum(one.day_series for one in efforts),
            day_requests=sum(one.day_requests for one in efforts),
            hourly_series=sum(one.hourly_series for one in efforts),
            hourly_requests=sum(one.hourly_requests for one in efforts),
            fine_series=sum(one.fine_series for one in efforts),
            fine_requests=sum(one.fine_requests for one in efforts),
        ),
    )


def _head(brief: Brief, summary: ScanSummary, shards: tuple[tuple[Shard, str], ...], progress: _Progress) -> PolicyHead:
    selector = brief.spec_policy.spec.selector
    return PolicyHead(
        brief.generation,
        summary,
        shards,
        costs={one.shard: one.selected for one in progress.totals if one.selected.resources},
        include_tags=selector.include_tags,
        exclude_tags=selector.exclude_tags,
        hours_per_month=brief.spec_policy.spec.pricing.hours_per_month,
        uid=brief.spec_policy.metadata.uid or "",
        unlisted=progress.unlisted,
    )


def _summary(brief: Brief, started: datetime, completed: datetime, progress: _Progress) -> ScanSummary:
    calls: Counter[str] = Counter()
    for counter in progress.counters:
        calls.update(counter.calls)
    gaps = tuple(sorted(progress.gaps, key=lambda gap: (gap.account, gap.region, gap.service, gap.operation, gap.code)))
    every = progress.totals
    return ScanSummary(
        policy="/".join(brief.policy),
        start_time=started,
        completion_time=completed,
        resources=sum(one.selected.resources for one in every),
        monthly_cost=to_cents(sum((one.selected.monthly_cost for one in every), Decimal(0))),
        unpriced_resources=sum(one.selected.unpriced for one in every),
        unknown_resources=sum(one.unknown for one in every),
        groups=sum(one.selected.groups for one in every),
        savings=sum((one.savings for one in every), Savings()) - progress.twice,
        gaps=gaps,
        api_calls=dict(sorted(calls.items())),
        estimated_api_cost=_metrics_cost(brief, progress.metrics) + _requests_cost(calls) + logs_cost(brief, every),
        complete_failure="" if progress.shards else _why_nothing(gaps),
    )


def _metrics_cost(brief: Brief, metrics: Mapping[str, int]) -> Decimal:
    """Return what CloudWatch bills for `metrics` (region → metrics asked for) at list price, unrounded."""
    total = Decimal(0)
    for region, asked in metrics.items():
        price = brief.lookup(PriceQuery("cloudwatch", region, "get_metric_data_metric"))
        # An estimate of our own bill, no figure about a resource: the usual price stands in for one not known.
        total += asked * (USUAL_METRIC_PRICE if price is None else price.amount)
    return total


def _requests_cost(calls: Mapping[str, int]) -> Decimal:
    """Return what AWS bills for requests as such, of all that a scan sends those to Cost Explorer alone."""
    return REQUEST_PRICE * sum(count for name, count in calls.items() if name.startswith(f"{SERVICE}:"))


def logs_cost(brief: Brief, shards: Sequence[ShardTotals]) -> Decimal:
    """Return what AWS bills for the logs that were read, at list price, unrounded."""
    total = Decimal(0)
    for one in shards:
        if one.scanned_bytes:
            price = brief.lookup(PriceQuery("cloudwatch", one.shard.region, "logs_insights_scanned"))
            # As for metrics, an estimate of our own bill.
            gigabytes = Decimal(one.scanned_bytes) / BYTES_PER_GB
            total += gigabytes * (USUAL_LOGS_PRICE if price is None else price.amount)
    return total


def _why_nothing(gaps: Sequence[Gap]) -> str:
    """Return why nothing at all could be scanned, with the most important cause first."""
    if not gaps:
        return "nothing could be scanned: no region is enabled in the policy's accounts"
    causes = list(dict.fromkeys(gap.message for gap in gaps))
    more = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
    return f"nothing could be scanned: {causes[0]}{more}"
