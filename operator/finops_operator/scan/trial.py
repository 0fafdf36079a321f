"""What a policy would say of resources that were read before, without asking AWS: `finops policy test`, what-ifs.

Judges as a scan does, from the store or from a report, and compares with the advice that stands. Writes nothing. What
needs new data (other kinds, regions, a longer window) only a scan can show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.domain.canonical import canonical_json
from finops.domain.price import Cost
from finops.domain.recommendation import Finding, Recommendation
from finops.domain.report import Change
from finops.domain.resource import Resource, Shard
from finops.domain.utilization import HourPoints, Utilization
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.inventory import InventoryStore
from finops.store.logged import LoggedStore
from finops.store.offerings import OfferingStore
from finops.store.recommendations import RecommendationStore
from finops.store.resource_costs import ResourceCostStore
from finops.store.utilization import UtilizationStore
from finops_operator.plugins.check import Facts
from finops_operator.plugins.facts import facts_of
from finops_operator.plugins.kind import ResourceKind
from finops_operator.scan.check import EnabledCheck, evaluate, keep_targets
from finops_operator.scan.custom.checks import INSUFFICIENT
from finops_operator.scan.listed_prices import kept_prices
from finops_operator.scan.logged import kept_of_logs, marked
from finops_operator.scan.metrics.summarize import hour_points
from finops_operator.scan.overlapping import GroupAdvice, advice_of_group, counted_once
from finops_operator.scan.policy_rules import Offered, PolicyRules, policy_rules
from finops_operator.scan.price import MemoizedPrices, SharedUnits, UnitsOfAll
from finops_operator.scan.recommend import Declarations, recommend


@dataclass(frozen=True, slots=True)
class Observed:
    """One resource as it was read, with all that a check may know of it.

    Attributes:
        answers: as in `Facts`.
        targets: check → target of its last advice for the resource.
        shared: as in `PolicyRules`, of its account and region.
        lacking: what a scan would ask AWS about it, and what is not kept any more: ids of questions, or `HOURS`.
    """

    resource: Resource
    utilization: Utilization
    cost: Cost
    answers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    shared: SharedUnits = field(default_factory=SharedUnits)
    lacking: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compared:
    """One piece of advice: as the policy would give it, and as it stands; one of the two may be absent."""

    change: Change
    now: Recommendation | None
    before: Recommendation | None

    @property
    def shown(self) -> Recommendation:
        """The newer of the two."""
        one = self.now or self.before
        if one is None:  # no path makes one of neither
            raise AssertionError
        return one


@dataclass(slots=True)
class Trial:
    """What a policy would say.

    Attributes:
        resources: how many it selects.
        recommendations: its advice.
        undecided: check of the policy's own → resources of which too little is known.
        lacking: what a scan would ask AWS, see `Observed` → resources without it.
        unsure: (check, ARN) of what was not recommended about a resource that lacks something.
    """

    resources: int = 0
    recommendations: list[Recommendation] = field(default_factory=list)
    undecided: Counter[str] = field(default_factory=Counter)
    lacking: Counter[str] = field(default_factory=Counter)
    unsure: set[tuple[str, str]] = field(default_factory=set)


_ORDER: Final = tuple(Change)
HOURS: Final = "hours one by one"
"""Of metrics by the clock."""


def try_policy(rules: PolicyRules, enabled: Sequence[EnabledCheck], observed: Iterable[Observed]) -> Trial:
    """Return what `enabled` checks of a policy say about resources; those it does not select are left out."""
    trial, groups = Trial(), list[GroupAdvice]()
    for one in observed:
        resource = one.resource
        if resource.kind not in rules.kinds or not rules.reaches(resource.shard) or not rules.selects(resource):
            continue
        trial.resources += 1
        trial.lacking.update(one.lacking)
        facts = _facts(replace(rules, shared=one.shared), one)
        verdicts = evaluate(enabled, facts)
        findings = [verdict for verdict in verdicts if isinstance(verdict, Finding)]
        declared = Declarations(rules.kinds[resource.kind], rules.checks, rules.actions)
        made = recommend(resource, one.cost, findings, declared, rules.terms(resource.account), at_margin=facts.cost)
        trial.recommendations += made
        if made and one.cost.group is not None:
            groups.append(advice_of_group(made[0], one.cost, findings))
        if one.lacking:
            trial.unsure |= {(found.check, resource.arn) for found in verdicts if not isinstance(found, Finding)}
        trial.undecided.update(
            verdict.check
            for verdict in verdicts
            if not isinstance(verdict, Finding) and verdict.reason.startswith(INSUFFICIENT)
        )
    settled = counted_once(groups, trial.recommendations, lambda account: rules.terms(account).acts)
    instead = {one.before.id: one.after for one in settled}
    trial.recommendations = [instead.get(one.id, one) for one in trial.recommendations]
    return trial


def try_on_store(
    policy: ScanPolicy,
    accounts: Mapping[str, AwsAccount],
    offered: Offered,
    store: Store,
    clock: Clock,
    live: tuple[str, str],
    watched: Callable[[Iterable[Observed]], Iterable[Observed]] = lambda observed: observed,
) -> tuple[Trial, list[Compared]]:
    """Return what `policy` says of the data of the last scan of `live`, and how that differs from its advice.

    Args:
        policy: what is tried.
        accounts: AwsAccount objects by name.
        offered: what the release offers.
        store: read, never written.
        clock: the time of judging.
        live: (namespace, name) of the policy whose scan is meant.
        watched: passes the resources on; may end the trial by an error of its own.

    Raises:
        InvalidInput: a check of the policy is wrong.
        StoreUnavailable: the store does not answer.
    """
    rules = policy_rules(policy, accounts, offered, clock.now())
    sources = (*kept_prices(policy, offered.kinds, store, clock), *offered.price_sources)
    rules = replace(rules, lookup=MemoizedPrices(sources).lookup)
    trial = try_policy(rules, rules.enabled, watched(stored_resources(rules, live, store)))
    return trial, compare(trial.recommendations, RecommendationStore(store).stream(live), unsure=trial.unsure)


def _facts(rules: PolicyRules, one: Observed) -> Facts[object]:
    at_margin = rules.at_margin(one.resource, one.utilization)
    return Facts(
        resource=one.resource,
        own=facts_of(rules.kinds[one.resource.kind].facts, one.resource),
        utilization=one.utilization,
        cost=one.cost if at_margin is None else at_margin(one.resource),
        cost_of=at_margin or (lambda changed: rules.cost(changed, one.utilization)),
        lookup=rules.lookup,
        settings=rules.settings,
        now=rules.now,
        answers=one.answers,
        previous_target=next(iter(one.targets.values()), ""),
        shown_cost=one.cost,
    )


def stored_resources(rules: PolicyRules, live: tuple[str, str], store: Store) -> Iterator[Observed]:
    """Yield what the last scan of the policy `live` read and `rules` reach, as far as the store still holds it.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    recommendations, inventory = RecommendationStore(store), InventoryStore(store, prolongs=False)
    utilizations, costs, offerings = UtilizationStore(store), ResourceCostStore(store), OfferingStore(store)
    logs = LoggedStore(store)
    head = recommendations.head(live)
    for shard, judged in head.shards if head is not None else ():
        if shard.kind not in rules.kinds or not rules.reaches(shard):
            continue
        newest = inventory.head(shard)
        ours = keep_targets(rules.enabled, shard.kind)
        generation = newest.generation if newest is not None else judged
        shared = _shared(rules.kinds[shard.kind], shard, inventory.pages(shard, generation), utilizations)
        for page in inventory.pages(shard, generation):
            ids = [one.id for one in page]
            used = utilizations.summaries(shard, ids)
            logged = kept_of_logs(rules, shard, page, used, logs)
            clocked = _by_the_clock(rules, shard, page, utilizations)
            priced = costs.many(shard, ids, rules.hours_per_month)
            targets = recommendations.previous_targets(live, [(check, one) for one in ids for check in ours])
            for resource in page:
                utilization = logged.used.get(resource.id) or used.get(resource.id) or Utilization(resource.id)
                utilization = replace(utilization, hours=clocked.get(resource.id, {}))
                answers, unasked = _answers(rules, shard, resource, utilization, offerings)
                answers = marked(answers, logged.metric) if resource.id in logged.used else answers
                yield Observed(
                    rules.kinds[shard.kind].as_it_ran(resource, utilization),
                    utilization,
                    priced[resource.id],
                    answers,
                    {check: target for (check, named), target in targets.items() if named == resource.id},
                    shared,
                    unasked | _without_hours(rules, resource, utilization) | logged.lacking(resource.id),
                )


def _shared(
    kind: ResourceKind[Any], shard: Shard, pages: Iterable[Sequence[Resource]], utilizations: UtilizationStore
) -> SharedUnits:
    """Return what a shard used of prices that fall with the amount, as its last scan measured it."""
    units = UnitsOfAll()
    for page in pages if kind.steps_from else ():
        used = utilizations.summaries(shard, [one.id for one in page]) if kind.read_by_day else {}
        for one in page:
            units.add(one, kind.billed_parts, used.get(one.id))
    return units.shared()


def _by_the_clock(
    rules: PolicyRules, shard: Shard, page: Sequence[Resource], utilizations: UtilizationStore
) -> dict[str, dict[str, HourPoints]]:
    """Return resource id → the hours that its checks get one by one, which no summary holds."""
    specs = {one.name: one for one in rules.kinds[shard.kind].metrics if one.by_the_clock}
    since = {one.id: rules.kinds[shard.kind].since(one) for one in page}
    hours = rules.spec_policy.spec.metrics.lookback_days * 24
    found: dict[str, dict[str, HourPoints]] = {}
    for (resource, name), ring in utilizations.rings(shard, list(specs), list(since)).items():
        found.setdefault(resource, {})[name] = hour_points(specs[name], ring, hours, since[resource])
    return found


def _answers(
    rules: PolicyRules, shard: Shard, resource: Resource, utilization: Utilization, offerings: OfferingStore
) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """Return the answers that are kept to what a scan would ask about a resource, and the questions without one."""
    found: dict[str, frozenset[str]] = {}
    unasked = set[str]()
    for question in rules.kinds[shard.kind].listing.questions:
        place = question.place(resource)
        if place and question.needed(resource, utilization):
            answer = offerings.in_place(shard.account, shard.region, question.id, place)
            if answer is None:
                unasked.add(question.id)
            elif answer:
                found[question.id] = answer
    return found, frozenset(unasked)


def _without_hours(rules: PolicyRules, resource: Resource, utilization: Utilization) -> frozenset[str]:
    """Return `HOURS` where days decided nothing and the hours by the clock, which a scan would read, are not kept."""
    clocked = (one for one in rules.kinds[resource.kind].metrics if one.by_the_clock)
    missing = any(
        one.applies(resource) and one.name in utilization.metrics and one.name not in utilization.hours
        for one in clocked
    )
    return frozenset({HOURS}) if missing and not utilization.least else frozenset()


def compare(
    now: Iterable[Recommendation],
    before: Iterable[Recommendation],
    *,
    whole: bool = True,
    unsure: Collection[tuple[str, str]] = (),
) -> list[Compared]:
    """Return all advice of both sides in the order of `Change`; the largest saving first in each.

    Args:
        now: as the policy would give it.
        before: as it stands.
        whole: whether all checks of the policy ran, so that which advice counts for a resource can be compared too.
        unsure: (check, ARN) where something is not known that a scan would know.
    """
    ours, theirs = ({_key(one): one for one in side} for side in (now, before))
    ours = {key: _as_net_as(one, theirs.get(key)) for key, one in ours.items()}
    made = [_compared(ours.get(key), theirs.get(key), whole=whole) for key in {**ours, **theirs}]
    made = [_unless_unsure(one, unsure) for one in made]
    return sorted(made, key=_rank)


def _unless_unsure(one: Compared, unsure: Collection[tuple[str, str]]) -> Compared:
    if one.change is not Change.GONE or (one.shown.check, one.shown.resource.arn) not in unsure:
        return one
    return replace(one, change=Change.UNDECIDED)


def _as_net_as(now: Recommendation, before: Recommendation | None) -> Recommendation:
    """Return `now` with the net saving that stands: commitments are not read again, and the same act keeps the same."""
    if before is None or now.net_monthly_savings is not None or now.list_monthly_savings != before.list_monthly_savings:
        return now
    discount = now.attributes.get("discountPercent")
    if before.attributes.get("discountPercent", discount) != discount:
        return now
    return replace(
        now,
        monthly_savings=before.monthly_savings,
        net_monthly_savings=before.net_monthly_savings,
        net_note=before.net_note,
    )


def _key(one: Recommendation) -> tuple[str, str, str, bytes]:
    """What makes two pieces of advice the same whatever the policy's name; its id contains that name."""
    return one.check, one.resource.arn, one.action, canonical_json(dict(one.parameters))


def _compared(now: Recommendation | None, before: Recommendation | None, *, whole: bool) -> Compared:
    if before is None:
        return Compared(Change.NEW, now, None)
    if now is None:
        return Compared(Change.GONE, None, before)
    # Statuses are left out: whether an act is allowed depends on accounts that the file need not name.
    alike = now.monthly_savings == before.monthly_savings and (now.counted == before.counted or not whole)
    return Compared(Change.SAME if alike else Change.CHANGED, now, before)


def _rank(one: Compared) -> tuple[int, bool, float, str, str]:
    saving = one.shown.monthly_savings
    return _ORDER.index(one.change), saving is None, -float(saving or 0), one.shown.check, one.shown.resource.arn
