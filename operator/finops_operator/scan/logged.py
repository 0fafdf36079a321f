"""Metrics that only lines of logs hold: read where the policy wants it, a day's answer at a time.

Used by the judge of a shard, which puts what was read in the place of the metric that is missing. A query is billed, so
that no resource is asked about twice in a day, whatever came of it; only one that could not be begun is tried again by
the next scan. Two scans that begin at the same moment may both ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from finops.domain.logged import Logged
from finops.domain.resource import Gap, Resource, Shard
from finops.domain.utilization import Utilization
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops.store.logged import LoggedStore
from finops_operator.plugins.described import gap_of
from finops_operator.plugins.logged import FROM_LOGS, LoggedMetric, Pause
from finops_operator.scan.policy_rules import PolicyRules


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


class LoggedReading:
    """What logs say of the resources of one shard, as far as one scan needs it."""

    def __init__(
        self, metric: LoggedMetric | None, shard: Shard, reader: PageReader, store: LoggedStore, pause: Pause
    ) -> None:
        self._metric = metric
        self._shard = shard
        self._reader = reader
        self._store = store
        self._pause = pause
        self._refused: Gap | None = None
        self._lost: dict[str, tuple[str, int]] = {}
        self._found: set[str] = set()
        self.scanned_bytes = 0.0

    def page(
        self, resources: Sequence[Resource], measured: Mapping[str, Utilization], now: datetime, least_percent: float
    ) -> dict[str, Utilization]:
        """Return what was measured of a page, with what logs add to it.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        metric, used = self._metric, dict(measured)
        self._found.clear()
        if metric is None:
            return used
        needing = [one for one in resources if metric.needed(one, used[one.id], now)]
        known = self._store.get(self._shard, metric.metric, [one.id for one in needing])
        known |= self._ask(metric, [one for one in needing if one.id not in known], now)
        for one in needing:
            logged = known.get(one.id)
            if logged is None:
                reason = "NotAsked" if self._refused is None else self._refused.code
                logged = Logged(reason=f"its logs could not be read: {reason}")
            elif logged.failed:
                self._lost[logged.failed] = logged.reason, self._lost.get(logged.failed, ("", 0))[1] + 1
            used[one.id] = with_logged(used[one.id], metric.metric, logged, least_percent)
            if metric.metric in used[one.id].metrics:
                self._found.add(one.id)
        return used

    def marked(self, resource: str, answers: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """Return a check's answers about a resource of the last page, with where its metric is from."""
        return marked(answers, self._metric.metric) if self._metric and resource in self._found else answers

    def gaps(self) -> tuple[Gap, ...]:
        """Return why logs could not be read: what was refused, and what queries of the last day did not answer."""
        shard = self._shard
        lost = (
            Gap(
                shard.account,
                shard.region,
                "logs",
                "GetQueryResults",
                code,
                f"{reason}; asked again a day after it was",
                number,
            )
            for code, (reason, number) in self._lost.items()
        )
        return (*lost, *((self._refused,) if self._refused is not None else ()))

    def _ask(self, metric: LoggedMetric, resources: Sequence[Resource], now: datetime) -> dict[str, Logged]:
        """Read what is not known and keep it as it comes; what was refused once is not asked again by this scan."""
        found: dict[str, Logged] = {}
        if not resources or self._refused is not None:
            return found
        try:
            for batch in metric.read(self._reader, self._pause, resources, now):
                self._store.put(self._shard, metric.metric, batch.found)
                self.scanned_bytes += batch.scanned_bytes
                found |= batch.found
        except AwsError as error:
            self._refused = gap_of(error, self._reader)
        return found
