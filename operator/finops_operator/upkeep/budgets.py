"""Judges budgets against the daily cost history, and announces each threshold once a month; a duty of housekeeping.

A budget counts what the policies of its own namespace select: nobody learns from a budget what an
account costs that their policies may not scan. An alert is durable before the status names it, and its id holds for
budget, month and threshold, so that a crash between the two repeats nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from finops.crds.budget import Budget
from finops.crds.scan_policy import ScanPolicy
from finops.domain.budget import Reached, drivers, judge, month_forecast, month_so_far
from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import CostOfDay, Tag
from finops.errors import Conflict, FinopsError, InvalidInput, Refused
from finops.k8s.connection import NotFound
from finops.k8s.events import Events
from finops.k8s.kinds import KindApi
from finops.ports.clock import Clock
from finops.ports.notifier import Notifier
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore
from finops.store.inventory import InventoryStore
from finops.store.resource_costs import ResourceCostStore
from finops.store.selected_costs import days_counted, keep_selected, tagged_days_counted
from finops.store.slack_status import SlackProblem
from finops.store.tag_costs import TagCostStore
from finops_operator.cluster.cache import KindCache
from finops_operator.rules.alert_channels import channels_of, is_loudest
from finops_operator.rules.budget_notice import BehindAlert, notice_of
from finops_operator.rules.budget_status import NO_ALERTS, judged, scope_of, tag_of, unknown_of, unseen_by
from finops_operator.upkeep.channels import known_problems, problem_of_channel
from finops_operator.upkeep.covered import Covered, covered, existing_in

logger = logging.getLogger(__name__)
HISTORY_DAYS: Final = 120
"""As much as a forecast of a month leans on."""


@dataclass(slots=True)
class Budgets:
    """Judges each budget when it, a scan or the day has changed.

    Attributes:
        policies: all that exist in the watched namespaces.
        calls: kind → the calls that list it.
    """

    api: KindApi[Budget]
    policies: KindCache[ScanPolicy]
    store: Store
    notifier: Notifier
    events: Events
    calls: Mapping[str, frozenset[str]]
    clock: Clock
    _marks: dict[str, str] = field(default_factory=dict)
    _problems: Mapping[str, SlackProblem] = field(default_factory=dict)
    """What does not reach Slack, by channel, as the bot said last."""

    def judge(self) -> None:
        """Bring every budget up to date.

        Raises:
            StoreUnavailable, ClusterUnavailable, Refused: what was not reached is judged at the next pass.
        """
        found = [one for where in self.policies.namespaces or (None,) for one in self.api.list(where)]
        self._marks = {uid: mark for uid, mark in self._marks.items() if uid in {one.metadata.uid for one in found}}
        if not found:
            return
        today = self.clock.now().date()
        problems = known_problems(self.store)
        self._problems = self._problems if problems is None else problems
        # Where the watch has not read all policies yet, one might be missed: the next pass judges those budgets.
        found = [one for one in found if self.policies.is_complete_in(one.metadata.namespace or "")]
        names = {one.metadata.namespace or "" for one in found}
        seen = {name: covered(self.store, name, existing_in(self.policies, name)) for name in names}
        due = [one for one in found if self._marks.get(one.metadata.uid or "") != self._mark(one, seen, today)]
        if not due:
            return
        self._measure_tags(due, seen, today)
        for budget in due:
            if self._judge(budget, seen[budget.metadata.namespace or ""], today):
                self._marks[budget.metadata.uid or ""] = self._mark(budget, seen, today)

    def _mark(self, budget: Budget, seen: Mapping[str, Covered], today: date) -> str:
        mark = seen[budget.metadata.namespace or ""].mark
        return f"{budget.metadata.generation} {today} {mark} {self._unreached(budget)}"

    def _unreached(self, budget: Budget) -> str:
        """Return why no alert reaches the budget's own channel; those of the policies are said on the policies."""
        own = budget.spec.notify.slack
        return "" if own is None else problem_of_channel(own.channel, self._problems)

    def _judge(self, budget: Budget, seen: Covered, today: date) -> bool:
        scope, spec, now = scope_of(budget), budget.spec, self.clock.now()
        expected = frozenset(shard for shard in seen.shards if scope.takes(shard))
        costs = tuple(one for one in self._costs(seen, tag_of(budget), today) if one.shard in expected)
        month = month_so_far(costs, expected, today)
        gaps = unseen_by(scope, seen.gaps, self.calls)
        found = judge(
            spec.amount,
            month,
            month_forecast(costs, expected, month),
            spec.alerts.actual_percent,
            spec.alerts.forecast_percent,
            unseen=len(gaps),
        )
        dear, named = drivers(costs, expected, month), today.strftime("%Y-%m")
        self._announce(budget, found.reached, BehindAlert(named, month, unknown_of(month, gaps), dear, seen.as_of))
        unreached = self._unreached(budget)
        status = judged(budget, found, month, gaps, today, now, unreached)
        if unreached and not any(unreached in one.message for one in budget.status.conditions):
            # Before the status, which says from then on that it was said.
            note = f"{NO_ALERTS.strip()} {unreached}"
            logger.warning("budget %s: %s", budget.metadata.name, note)
            self._publish(budget, note, reason="NoAlertReachesSlack", action="Notify")
        return status == budget.status or self._write(budget, status.to_dict())

    def _announce(self, budget: Budget, reached: tuple[Reached, ...], behind: BehindAlert) -> None:
        channels, now = channels_of(budget, self.policies.all()), self.clock.now()
        for one in reached:
            notice = notice_of(budget, one, behind, channels if is_loudest(one, reached) else (), now)
            if self.notifier.announce(notice):
                self._publish(budget, notice.text)

    def _costs(self, seen: Covered, tag: Tag | None, today: date) -> Iterable[CostOfDay]:
        first = today - timedelta(days=HISTORY_DAYS)
        if tag is None:
            yield from days_counted(self.store, first, today, seen.selecting)
            return
        for value, one in tagged_days_counted(self.store, first, today, tag[0], seen.selecting):
            if value == tag[1]:
                yield one

    def _measure_tags(self, budgets: Iterable[Budget], seen: Mapping[str, Covered], today: date) -> None:
        """Add up what carries the tags that budgets name, in the shards that were scanned whole today."""
        wanted: dict[Shard, set[Tag]] = {}
        for budget in budgets:
            tag, scope = tag_of(budget), scope_of(budget)
            if tag is not None:
                for shard in seen[budget.metadata.namespace or ""].shards:
                    if scope.takes(shard):
                        wanted.setdefault(shard, set()).add(tag)
        if not wanted:
            return
        whole = {Shard(one.account, one.region, one.kind) for one in CostHistoryStore(self.store).between(today, today)}
        sums: dict[tuple[Shard, Tag], ShardCost] = {}
        shards = sorted(wanted.keys() & whole, key=str)
        for shard in shards:
            sums |= {(shard, tag): cost for tag, cost in self._by_tag(shard, wanted[shard]).items()}
        # Parts before the whole, as a scan does.
        keep_selected(self.store, today, {shard: wanted[shard] for shard in shards})
        TagCostStore(self.store).put(today, sums)

    def _by_tag(self, shard: Shard, tags: set[Tag]) -> dict[Tag, ShardCost]:
        inventory, kept = InventoryStore(self.store), ResourceCostStore(self.store)
        head = inventory.head(shard)
        if head is None or head.gaps:
            # A listing with gaps replaced the whole one of today: what was counted of that stays.
            return {}
        sums = dict.fromkeys(tags, ShardCost())
        for page in inventory.pages(shard, head.generation):
            carrying = [(one.id, tag) for one in page for tag in tags if one.tags.get(tag[0]) == tag[1]]
            costs = kept.many(shard, [resource_id for resource_id, _ in carrying], DEFAULT_HOURS_PER_MONTH)
            for resource_id, tag in carrying:
                sums[tag] = sums[tag].plus(costs[resource_id])
        return sums

    def _publish(self, budget: Budget, text: str, *, reason: str = "BudgetAlert", action: str = "Alert") -> None:
        try:
            self.events.publish(budget, reason=reason, note=text, action=action, type_="Warning")
        except FinopsError as error:
            logger.info("event about Budget %s not written: %s", budget.metadata.name, error)

    def _write(self, budget: Budget, status: dict[str, Any]) -> bool:
        """Write the status; return whether it stands, or will be tried again at the next pass."""
        try:
            self.api.replace_status(budget, status)
        except (NotFound, Conflict, InvalidInput, Refused) as error:
            # Most often it changed or went since it was listed; what the cluster refuses must not keep the others.
            logger.info("status of Budget %s not written: %s", budget.metadata.name, error)
            return False
        return True
