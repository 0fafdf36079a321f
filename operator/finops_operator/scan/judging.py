"""Judge one shard: its pages come back from the store, are measured, priced, checked and turned into recommendations.

Called by the pipeline in a worker thread after the shard was listed; only one page is in memory. The pure stages are
called from here, the store is written here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Final

from finops.domain.price import Cost
from finops.domain.recommendation import Finding, NotRecommended, Recommendation
from finops.domain.report import Savings, ShardCost
from finops.domain.resource import Gap, Resource, Shard
from finops.domain.utilization import Utilization
from finops.ports.aws_read import PageReader
from finops.ports.clock import Clock
from finops.store.inventory import InventoryStore
from finops.store.logged import LoggedStore
from finops.store.offerings import OfferingStore
from finops.store.recommendations import RecommendationStore
from finops.store.resource_costs import ResourceCostStore
from finops.store.utilization import UtilizationStore
from finops_operator.killpoint import killpoint
from finops_operator.plugins.check import Facts, Pictures, Settled
from finops_operator.plugins.facts import facts_of
from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.logged import ByteBudget
from finops_operator.plugins.sufficiency import insufficient
from finops_operator.scan.check import evaluate, keep_targets, required_window_days, settled_by_days, wants_fine
from finops_operator.scan.committed import ShardCommitments
from finops_operator.scan.logged import LoggedReading, LogSource, logged_metric
from finops_operator.scan.metrics.failures import Failures
from finops_operator.scan.metrics.first_days import DaysPicture
from finops_operator.scan.metrics.measure import Measurer, MeasureSettings, Wishes
from finops_operator.scan.offerings import OfferingAnswers
from finops_operator.scan.overlapping import GroupAdvice, advice_of_group
from finops_operator.scan.policy_rules import PolicyRules
from finops_operator.scan.price import UnitsOfAll
from finops_operator.scan.recommend import Declarations, recommend, savings_of

_SHARED: Final = 500
"""What checks keep for later resources is thrown away when it is more, so that it does not grow with the fleet."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores a scan writes."""

    inventory: InventoryStore
    utilization: UtilizationStore
    costs: ResourceCostStore
    recommendations: RecommendationStore
    offerings: OfferingStore
    logged: LoggedStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief(PolicyRules):
    """All that judging needs to know about one scan of one policy; shared by all its threads.

    Attributes:
        generation: name of the scan's generation.
        metric_requests: threads that ask CloudWatch.
        log_bytes: what queries of logs may read.
    """

    generation: str
    stores: Stores
    metric_requests: Executor
    log_bytes: ByteBudget


@dataclass(slots=True)
class ShardTotals:
    """What one shard adds to the scan's summary.

    Attributes:
        selected: of what the policy selects of the shard.
        whole: of all its resources, selected or not, in a month of 730 hours: for the history that all policies share.
        unknown: how many of the selected cannot be judged, because their first metric is missing or too thin.
        groups: the best advice for each group, which shares its cost with its members.
        scanned_bytes: what queries of logs read, which AWS bills.
    """

    shard: Shard
    selected: ShardCost = field(default_factory=ShardCost)
    whole: ShardCost = field(default_factory=ShardCost)
    unknown: int = 0
    savings: Savings = field(default_factory=Savings)
    gaps: list[Gap] = field(default_factory=list)
    groups: list[GroupAdvice] = field(default_factory=list)
    failures: Failures | None = None
    scanned_bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class _OfPage:
    """What is known of a page's resources by their ids: costs, and the targets of their last recommendations."""

    costs: Mapping[str, Cost] = field(default_factory=dict)
    previous: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What AWS is asked beside listing and metrics, each where a resource needs it."""

    answers: OfferingAnswers
    logged: LoggedReading
    committed: ShardCommitments


class ShardJudge:
    """Judges the pages of one shard."""

    def __init__(self, brief: Brief, shard: Shard, reader: PageReader, generation: str, clock: Clock) -> None:
        """`generation`: the one whose pages are judged; `clock` waits for queries of logs."""
        kind = brief.kinds[shard.kind]
        lookback = brief.spec_policy.spec.metrics.lookback_days
        settings = MeasureSettings(brief.now, lookback, required_window_days(brief.enabled, shard.kind, lookback))
        # Checks of other kinds are left out once and not for each resource.
        self._brief = replace(brief, enabled=tuple(one for one in brief.enabled if shard.kind in one.check.kinds))
        self._settings = brief.settings
        self._declared = Declarations(kind, brief.checks, brief.actions)
        self._terms = brief.terms(shard.account)
        self._known = _OfPage()
        self._shared: dict[Hashable, Any] = {}
        self._asked = _Asked(
            OfferingAnswers(kind.listing.questions, reader, brief.stores.offerings),
            LoggedReading(
                logged_metric(self._brief, shard.kind),
                shard,
                LogSource(reader, clock.sleep, brief.log_bytes, brief.policy),
                brief.stores.logged,
            ),
            ShardCommitments(
                kind, reader, brief.lookup, brief.now, lambda: _all_of(brief.stores, kind, shard, generation)
            ),
        )
        wishes = Wishes(self._wants_fine, self._settled_by_days)
        self._measurer = Measurer(
            shard, kind, reader, brief.stores.utilization, settings, wishes, brief.metric_requests
        )
        self.totals = ShardTotals(shard, failures=self._measurer.failures)

    def share(self, pages: Iterable[Sequence[Resource]], count: int) -> None:
        """Add up, before the first of `count` resources is judged, what they use of prices that fall with the amount.

        AWS counts it over the account and region, so no page alone knows the price. What is billed by use is measured
        for it, and asked of the store when it is judged.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        kind = self._declared.kind
        if not kind.steps_from or count < kind.steps_from:
            return
        units = UnitsOfAll()
        for resources in pages:
            used: Mapping[str, Utilization] = {}
            if kind.read_by_day:
                used = self._used(
                    resources, self._measurer.page([one for one in resources if self._brief.selects(one)])
                )
            for one in resources:
                units.add(one, kind.billed_parts, used.get(one.id))
        self._measurer.failures.forget()
        self._brief = replace(self._brief, shared=units.shared())

    def page(self, resources: Sequence[Resource]) -> None:
        """Judge one page and write what it brought.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        brief = self._brief
        if len(self._shared) > _SHARED:
            self._shared.clear()
        chosen = [one for one in resources if brief.selects(one)]
        # What is billed by use is measured before it is priced; all else is priced first, for the 5-minute picture.
        measured = self._measurer.page(chosen) if self._declared.kind.read_by_day else {}
        priced = self._priced(resources, measured)
        costs = {one.id: priced[one.id].over(brief.hours_per_month) for one in chosen}
        if self._declared.kind.members is not None:
            # Members are priced before their groups are judged.
            costs = brief.stores.costs.many(self.totals.shard, [one.id for one in chosen], brief.hours_per_month)
        keeping = keep_targets(brief.enabled, self._declared.kind.id)
        pairs = [(check, one.id) for one in chosen for check in keeping]
        targets = brief.stores.recommendations.previous_targets(brief.policy, pairs)
        self._known = _OfPage(costs, {resource_id: target for (_, resource_id), target in targets.items()})
        if not self._declared.kind.read_by_day:
            measured = self._measurer.page(chosen)
        measured = self._asked.logged.page(resources, measured, costs, brief)
        ran = self._as_they_ran(resources, measured, priced)
        chosen = [ran.get(one.id, one) for one in chosen]
        recommended: list[Recommendation] = []
        reasons: list[NotRecommended] = []
        for resource in chosen:
            made, why = self._judge(resource, measured[resource.id])
            recommended += made
            reasons += why
        brief.stores.recommendations.add(brief.policy, brief.generation, recommended, reasons)
        killpoint("scan.judged")

    def _priced(self, resources: Sequence[Resource], measured: Mapping[str, Utilization]) -> dict[str, Cost]:
        """Price a page and keep the costs; what this policy does not select was used as another policy measured it."""
        brief, shard = self._brief, self.totals.shard
        used = self._used(resources, measured) if self._declared.kind.read_by_day else measured
        priced = {one.id: brief.shared_cost(one, used.get(one.id)) for one in resources}
        brief.stores.costs.put(shard, priced)
        return priced

    def _as_they_ran(
        self, resources: Sequence[Resource], measured: Mapping[str, Utilization], priced: Mapping[str, Cost]
    ) -> dict[str, Resource]:
        """Return those of a page that were stopped for a part of their window, which are billed the hours they ran.

        Their costs are kept anew. Another policy may have measured what this one does not select.
        """
        brief, kind, shard = self._brief, self._declared.kind, self.totals.shard
        used = {} if kind.pauses is None else self._used(resources, measured)
        ran = {one.id: changed for one in resources if (changed := kind.as_it_ran(one, used.get(one.id))) is not one}
        anew = {one.id: brief.shared_cost(one, used.get(one.id)) for one in ran.values()}
        if anew:
            brief.stores.costs.put(shard, anew)
        for cost in {**priced, **anew}.values():
            self.totals.whole = self.totals.whole.plus(cost)
        over = {one: cost.over(brief.hours_per_month) for one, cost in anew.items() if one in self._known.costs}
        self._known = replace(self._known, costs={**self._known.costs, **over})
        if kind.pauses is not None:
            self._asked.committed.seen(ran.get(one.id, one) for one in resources)
        return ran

    def _used(self, resources: Sequence[Resource], measured: Mapping[str, Utilization]) -> dict[str, Utilization]:
        others = [one.id for one in resources if one.id not in measured]
        return {**self._brief.stores.utilization.summaries(self.totals.shard, others), **measured}

    def close(self, *, whole: bool) -> ShardTotals:
        """Return the totals with the gaps of measuring, of the kind's questions, of its logs and its commitments.

        `whole`: whether the pages were all that there is.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        if whole:
            self._asked.logged.forget_gone()
        parts = (self._measurer, self._asked.answers, self._asked.logged, self._asked.committed)
        self.totals.gaps += (gap for part in parts for gap in part.gaps())
        self.totals.scanned_bytes = self._asked.logged.scanned_bytes
        return self.totals

    def _judge(
        self, resource: Resource, utilization: Utilization
    ) -> tuple[tuple[Recommendation, ...], list[NotRecommended]]:
        cost = self._known.costs[resource.id]
        answers = self._asked.logged.marked(resource.id, self._asked.answers.about(resource, utilization))
        facts = self._facts(resource, utilization, answers)
        verdicts = evaluate(self._brief.enabled, facts)
        findings = [one for one in verdicts if isinstance(one, Finding)]
        made = recommend(
            resource, cost, findings, self._declared, self._terms, self._asked.committed.beside, facts.cost
        )
        self._asked.committed.count(resource, made)
        if made and cost.group is not None:
            self.totals.groups.append(advice_of_group(made[0], cost, findings))
        self._count(resource, utilization, cost, made)
        return made, [one for one in verdicts if isinstance(one, NotRecommended)]

    def _count(
        self, resource: Resource, utilization: Utilization, cost: Cost, made: tuple[Recommendation, ...]
    ) -> None:
        sums = self.totals
        sums.selected = sums.selected.plus(cost)
        sums.unknown += self._is_unknown(resource, utilization)
        sums.savings += savings_of(made)

    def _is_unknown(self, resource: Resource, utilization: Utilization) -> bool:
        """Return whether the kind's first metric should be there and is not, or is too thin to judge by."""
        read = (spec for spec in self._declared.kind.metrics if spec.hourly or spec.daily)
        first = next((spec for spec in read if spec.applies(resource)), None)
        if first is None:
            return False
        # What CloudWatch confirmed over the whole window is knowledge, not ignorance.
        if (
            utilization.unknown.get(first.name) == "NotPublished"
            and resource.state in self._declared.kind.states.unmeasured
        ):
            return False
        return bool(insufficient(utilization, first.name, self._settings))

    def _wants_fine(self, resource: Resource, utilization: Utilization) -> bool:
        return wants_fine(self._brief.enabled, self._facts(resource, utilization))

    def _settled_by_days(self, resource: Resource, picture: DaysPicture) -> Settled:
        ends = (picture.days, picture.least, picture.most)

        def beside(answers: Mapping[str, frozenset[str]]) -> Settled:
            pictures = Pictures(*(self._facts(resource, one, answers or None) for one in ends))
            return settled_by_days(self._brief.enabled, pictures)

        answers = self._asked.answers.at_hand(resource, picture.most)
        settled = beside(answers or {})
        if answers is not None or settled is not Settled.BY_BOUNDS:
            return settled
        # AWS is asked only for those that need it, and then judged once more.
        answers = self._asked.answers.about(resource, picture.most)
        return beside(answers) if answers else settled

    def _facts(
        self, resource: Resource, utilization: Utilization, answers: Mapping[str, frozenset[str]] | None = None
    ) -> Facts[Any]:
        """Return what checks may know; without `answers` those that come before all judgement."""
        # What is measured before it is priced has no cost yet when the 5-minute picture is chosen.
        shown = self._known.costs.get(resource.id) or self._brief.cost(resource, utilization)
        at_margin = self._brief.at_margin(resource, utilization)
        return Facts(
            resource=resource,
            own=facts_of(self._declared.kind.facts, resource),
            utilization=utilization,
            cost=shown if at_margin is None else at_margin(resource),
            cost_of=at_margin or (lambda changed: self._brief.cost(changed, utilization)),
            lookup=self._brief.lookup,
            settings=self._settings,
            now=self._brief.now,
            answers=self._asked.answers.first(resource) if answers is None else answers,
            previous_target=self._known.previous.get(resource.id, ""),
            shared=self._shared,
            shown_cost=shown,
        )


def _all_of(stores: Stores, kind: ResourceKind[Any], shard: Shard, generation: str) -> Iterator[Resource]:
    """Yield all resources of a shard, each as it ran; what is not measured yet as the last scan saw it."""
    for page in stores.inventory.pages(shard, generation):
        used = {} if kind.pauses is None else stores.utilization.summaries(shard, [one.id for one in page])
        for one in page:
            yield kind.as_it_ran(one, used.get(one.id))
