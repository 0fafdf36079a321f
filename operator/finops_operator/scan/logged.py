"""Metrics that only lines of logs hold: read where the policy wants it, a day's answer at a time.

Used by the judge of a shard, which puts what was read in the place of the metric that is missing. A query is billed,
so that no resource is asked about twice in a day, whatever came of it; only one that could not be begun is tried again
by the next scan. A scan reads no more than its policy lets it. What it leaves out is kept with what its logs hold, and
measured again a day later; those that the ceiling leaves out go first in the policy's next scan, within their account
and region the longest waiting before all.
Two scans that begin at the same moment may both ask.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.domain.logged import LeftOut, Logged, LoggedBatch
from finops.domain.price import Cost
from finops.domain.resource import Gap, Resource, Shard
from finops.domain.utilization import Utilization
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops.store.logged import KEPT_SECONDS, LEFT_OUT_SECONDS, LoggedStore
from finops_operator.plugins.described import gap_of
from finops_operator.plugins.kind import PriceLookup
from finops_operator.plugins.logged import (
    FROM_LOGS,
    SAVING_UNKNOWN,
    Asking,
    ByteBudget,
    LoggedMetric,
    Pause,
    first_in_turn,
)
from finops_operator.scan.policy_rules import PolicyRules

READINGS_A_MONTH: Final = Decimal(30)
BYTES_PER_GB: Final = Decimal(10**9)
"""The smaller of what a GB may mean: an estimate is no lower than the bill."""
_BEGUN: Final = "logs:StartQuery"
_ANSWERED: Final = "logs:GetQueryResults"
_KEPT: Final = "; asked again a day after it was"
_MEASURED_FOR: Final = timedelta(seconds=KEPT_SECONDS)
_WAITS_FOR: Final = timedelta(seconds=LEFT_OUT_SECONDS)


def logged_metric(rules: PolicyRules, kind: str) -> LoggedMetric | None:
    """Return what logs are read for, of a kind; None where the policy does not want it or has its check off."""
    logged = rules.kinds[kind].logged
    if logged is None or not logged.wanted(rules.spec_policy.spec.metrics):
        return None
    return logged if any(one.check.id == logged.check for one in rules.enabled) else None


def with_logged(utilization: Utilization, metric: str, logged: Logged, least_percent: float) -> Utilization:
    """Return what was measured with what logs say of a metric: a summary where enough is covered, else the reason."""
    if logged.summary is None or logged.covered_percent < least_percent:
        return replace(utilization, unknown={**utilization.unknown, metric: logged.reason})
    unknown = {name: reason for name, reason in utilization.unknown.items() if name != metric}
    return replace(utilization, metrics={**utilization.metrics, metric: logged.summary}, unknown=unknown)


def marked(answers: Mapping[str, frozenset[str]], metric: str) -> dict[str, frozenset[str]]:
    """Return a check's answers that say as well where a metric is from."""
    return {**answers, FROM_LOGS: frozenset({metric})}


def most_bytes(metric: LoggedMetric, resource: Resource, cost: Cost | None, lookup: PriceLookup) -> float | None:
    """Return the bytes above which reading the logs each day costs more than the check could save; None: not known."""
    saved, price = None if cost is None else metric.most_saved(resource, cost), lookup(metric.price(resource.region))
    if saved is None or price is None or price.amount <= 0:
        return None
    return float(saved / (price.amount * READINGS_A_MONTH) * BYTES_PER_GB)


@dataclass(frozen=True, slots=True)
class KeptOfLogs:
    """What is kept of the logs of a page's resources.

    Attributes:
        metric: our name of what was read, empty for nothing.
        used: id → what was measured with what logs say, of those that the logs decide.
        unknown: ids of those that a scan would read the logs of, and of which nothing is kept.
    """

    metric: str = ""
    used: Mapping[str, Utilization] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()

    def lacking(self, resource: str) -> frozenset[str]:
        """Return what a scan would ask about a resource."""
        return frozenset({f"{self.metric} of logs"}) if resource in self.unknown else frozenset()


def kept_of_logs(
    rules: PolicyRules, shard: Shard, page: Sequence[Resource], used: Mapping[str, Utilization], store: LoggedStore
) -> KeptOfLogs:
    """Return what scans of the last day read of the logs of a page, where the policy wants that; asks nothing.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    metric = logged_metric(rules, shard.kind)
    if metric is None:
        return KeptOfLogs()
    needing = [one.id for one in page if one.id in used and metric.needed(one, used[one.id], rules.now)]
    known, least = store.get(shard, metric.metric, needing), float(rules.settings.minimum_coverage_percent)
    added = {one: with_logged(used[one], metric.metric, logged, least) for one, logged in known.items()}
    return KeptOfLogs(metric.metric, added, frozenset(needing) - known.keys())


@dataclass(frozen=True, slots=True)
class LogSource:
    """How one scan reads the logs of a shard: by what, how it waits for queries, what these may read, and for whom.

    `policy`: (namespace, name).
    """

    reader: PageReader
    pause: Pause
    budget: ByteBudget
    policy: tuple[str, str]


class Kept:
    """What the store keeps of the logs of one shard: what was read, and what a policy's scans left out on purpose.

    Every method but `still` and `had_their_turn` raises StoreUnavailable.
    """

    def __init__(self, metric: str, shard: Shard, policy: tuple[str, str], store: LoggedStore) -> None:
        self._of = (shard, metric)
        self._left_by = (shard, metric, policy)
        self._store = store
        self._unseen: set[str] = set()
        self._known: dict[str, LeftOut] | None = None
        self.held: dict[str, float] = {}

    def begin(self, now: datetime, bytes_left: float) -> None:
        """Before the first page, hold bytes for those whose turn it is; those not measured for long are forgotten."""
        if self._known is None:
            self._known = self._store.left_out(*self._left_by)
            self.forget([one for one, kept in self._known.items() if now - kept.measured >= _WAITS_FOR])
            self._unseen = set(self._known)
            self.held |= first_in_turn(self._known, bytes_left)

    def read(self, ids: Sequence[str]) -> dict[str, Logged]:
        """Return id → what was read less than a day ago."""
        return self._store.get(*self._of, ids)

    def still(self, asking: Asking) -> dict[str, Logged]:
        """Return the resources that are left out without measuring them, with why and since when."""
        found = {}
        for one in (resource.id for resource in asking.resources):
            kept = self._left_out.get(one)
            if kept is not None and asking.now - kept.measured < _MEASURED_FOR:
                why = asking.too_much(one, kept.size_bytes)
            else:
                why = SAVING_UNKNOWN if asking.most_bytes.get(one) is None else ""
            if why:
                found[one] = Logged(reason=why if kept is None else f"{why}; left out since {_minute(kept.since)}")
        return found

    def note(self, batch: LoggedBatch, now: datetime) -> None:
        """Keep what was read, and what was left out or measured anew; what was asked about is left out no more.

        What failed before anything was read keeps its turn for the scans of a day, and goes to the end then.
        """
        self._store.put(*self._of, batch.found)
        left = {name: self._anew(name, batch.left_out[name].reason, size, now) for name, size in batch.sizes.items()}
        self._store.leave_out(*self._left_by, left)
        self._left_out.update(left)
        unread = {name for name, one in batch.left_out.items() if one.failed}
        self._to_the_end([name for name in unread if name in self._left_out], now)
        self.had_their_turn(unread)
        self.forget([name for name in (*batch.found, *batch.left_out) if name not in left and name not in unread])

    def _to_the_end(self, ids: Iterable[str], now: datetime) -> None:
        """Let those wait anew that failed on the day before as well: others need the bytes that are held for them."""
        kept = {name: self._left_out[name] for name in ids}
        late = {name: replace(one, since=now) for name, one in kept.items() if now - one.measured >= 2 * _MEASURED_FOR}
        self._store.leave_out(*self._left_by, late)
        self._left_out.update(late)

    def forget(self, ids: Iterable[str]) -> None:
        """Keep no more that these were left out, and hold nothing for them."""
        gone = [one for one in ids if self._left_out.pop(one, None) is not None]
        self._store.forget_left_out(*self._left_by, gone)
        self.had_their_turn(gone)

    def passed(self, resources: Sequence[Resource], readable: Collection[str]) -> None:
        """Take a page: nothing is held for those of it whose logs this scan does not want or may not read."""
        self._unseen.difference_update(one.id for one in resources)
        self.forget(one.id for one in resources if one.id not in readable)

    def had_their_turn(self, ids: Iterable[str]) -> None:
        """Hold nothing for these any more in this scan."""
        for one in ids:
            self.held.pop(one, None)

    def forget_gone(self) -> None:
        """Keep no more what no page had."""
        self.forget(sorted(self._unseen))

    @property
    def _left_out(self) -> dict[str, LeftOut]:
        return {} if self._known is None else self._known

    def _anew(self, name: str, reason: str, size: float, now: datetime) -> LeftOut:
        before = self._left_out.get(name)
        since = before.since if before is not None and before.reason == reason else now
        return LeftOut(reason, size, now, since)


class LoggedReading:
    """What logs say of the resources of one shard, as far as one scan needs it."""

    def __init__(self, metric: LoggedMetric | None, shard: Shard, source: LogSource, store: LoggedStore) -> None:
        self._metric = metric
        self._shard = shard
        self._source = source
        self._kept = Kept("" if metric is None else metric.metric, shard, source.policy, store)
        self._refused: Gap | None = None
        self._lost: dict[tuple[str, str, bool], tuple[str, int]] = {}
        self._found: set[str] = set()
        self._left: set[str] = set()
        self._denied = ""
        self.scanned_bytes = 0.0

    def page(
        self,
        resources: Sequence[Resource],
        measured: Mapping[str, Utilization],
        costs: Mapping[str, Cost],
        rules: PolicyRules,
    ) -> dict[str, Utilization]:
        """Return what was measured of a page, with what logs add to it; `costs` are a month's, by id.

        What was not measured, because the policy does not select it, is not asked about either.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        metric, used, now = self._metric, dict(measured), rules.now
        self._found.clear()
        if metric is None:
            return used
        needing = [one for one in resources if one.id in used and metric.needed(one, used[one.id], now)]
        budget, kept = self._source.budget, self._kept
        kept.begin(now, budget.bytes_left)
        known = kept.read([one.id for one in needing])
        self._denied = self._denied or next((one.failed for one in known.values() if one.denied), "")
        wanted = [one for one in needing if one.id not in known]
        most = {one.id: most_bytes(metric, one, costs.get(one.id), rules.lookup) for one in wanted}
        kept.passed(resources, {one for one, size in most.items() if size is not None})
        known |= self._ask(metric, Asking(wanted, now, most, budget, kept.held))
        kept.had_their_turn(most)
        least_percent = float(rules.settings.minimum_coverage_percent)
        for one in needing:
            logged = known.get(one.id)
            if logged is None:
                reason = self._denied or ("NotAsked" if self._refused is None else self._refused.code)
                logged = Logged(reason=f"its logs could not be read: {reason}")
            elif logged.failed:
                left = one.id in self._left
                kind = logged.operation or (_BEGUN if left else _ANSWERED), logged.failed, left
                self._lost[kind] = logged.reason, self._lost.get(kind, ("", 0))[1] + 1
            used[one.id] = with_logged(used[one.id], metric.metric, logged, least_percent)
            if metric.metric in used[one.id].metrics:
                self._found.add(one.id)
        return used

    def forget_gone(self) -> None:
        """After the last page of a whole listing: what was left out and is in none of them is gone.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        self._kept.forget_gone()

    def marked(self, resource: str, answers: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """Return a check's answers about a resource of the last page, with where its metric is from."""
        return marked(answers, self._metric.metric) if self._metric and resource in self._found else answers

    def gaps(self) -> tuple[Gap, ...]:
        """Return why logs could not be read: what was refused, not begun, or not answered by queries of the last day.

        What was left out for what it would cost is none: a place with a gap counts as not seen wholly, and it was seen.
        """
        lost = (
            self._gap(operation, code, reason if left else f"{reason}{_KEPT}", number)
            for (operation, code, left), (reason, number) in self._lost.items()
        )
        return (*lost, *((self._refused,) if self._refused is not None else ()))

    def _gap(self, call: str, code: str, reason: str, number: int) -> Gap:
        service, _, operation = call.partition(":")
        return Gap(self._shard.account, self._shard.region, service, operation, code, reason, number)

    def _ask(self, metric: LoggedMetric, asking: Asking) -> dict[str, Logged]:
        """Read what is not known and keep it as it comes; what was refused once is not asked again by this scan.

        Where the answer of a query may not be read, no other is begun, by this scan and those that find it kept.
        """
        found = self._kept.still(asking)
        asking = replace(asking, resources=[one for one in asking.resources if one.id not in found])
        if not asking.resources or self._refused is not None or self._denied:
            return found
        try:
            for batch in metric.read(self._source.reader, self._source.pause, asking):
                self._kept.note(batch, asking.now)
                self.scanned_bytes += batch.scanned_bytes
                found |= batch.found | batch.left_out
                self._left |= batch.left_out.keys()
                self._denied = self._denied or next((one.failed for one in batch.found.values() if one.denied), "")
        except AwsError as error:
            # A refusal that is kept beside its resources is said with them.
            self._refused = None if self._denied else gap_of(error, self._source.reader)
        return found


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
