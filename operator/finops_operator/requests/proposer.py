"""The propose stage's edge: after each scan, open requests are checked again and new ones are made.

For each new request: read the resource, refuse what must not be done, make the plan. Then, the best saving last: make
it. Requests that undo an act are made when somebody asks (`requests.undo_proposals`) and only reviewed here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, Final

from finops.crds.action_request import ActionRequest, ActionRequestSpec
from finops.crds.aws_account import AwsAccount
from finops.crds.naming import action_request_name
from finops.crds.policy_actions import Mode
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import State, Trigger
from finops.domain.execution import Observation
from finops.domain.next_move import difference
from finops.domain.recommendation import Block, Recommendation, ResourceRef
from finops.domain.report import ScanSummary
from finops.domain.resource import PRICES
from finops.errors import AwsError, Conflict, InvalidInput, Refused
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_steps import ExecutorSessions, Reader
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.decider import Decider
from finops_operator.decisions.denials import Denials
from finops_operator.decisions.snoozes import PolicyByName, Snoozes
from finops_operator.plugins.action import Action, PolicyFacts, Target
from finops_operator.plugins.kind import ResourceKind
from finops_operator.requests.cooldown import FAILED_FOR, REFUSED_FOR, CooldownReason, Cooldowns, FailingPlaces
from finops_operator.requests.making import RequestMaker
from finops_operator.requests.outcomes import Outcomes
from finops_operator.requests.presenting import in_words
from finops_operator.rules.candidates import (
    BETTER_PLAN,
    Skip,
    candidates,
    open_requests,
    outdated,
    request_spec,
    room,
)
from finops_operator.rules.digests import in_order
from finops_operator.rules.log_fields import recommendation_fields, request_fields
from finops_operator.rules.unproposed import RECOMMEND_ONLY, Unproposed

logger = logging.getLogger(__name__)
_OCCURRENCES: Final = 20
_MOST_READS: Final = 100
"""Resources read after one scan: a policy with thousands of refused acts must not cost thousands of calls."""
_PASS_SECONDS: Final = 120.0
"""How long one policy may take while the others wait for their turn."""
_GONE: Final = Block("Gone", "The resource is gone.")


@dataclass(frozen=True, slots=True)
class _RequestToMake:
    """A request that is about to be made; of one resource there is at most one."""

    item: Recommendation
    spec: ActionRequestSpec


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """What a policy's requests are after a scan: how many are open, and what nobody is asked about.

    `unproposed` is None when that was not gone through: without the lease, or of a policy that has changed since.
    """

    open_requests: int
    unproposed: Unproposed | None = None


@dataclass(frozen=True, slots=True)
class Proposer:
    """Makes, supersedes and withdraws requests of one policy at a time; called from the scan's thread."""

    requests: Objects[ActionRequest]
    policy_now: PolicyByName
    accounts: Callable[[], tuple[AwsAccount, ...]]
    recommendations: Callable[[ScanPolicy], Iterator[Recommendation]]
    kinds: Mapping[str, ResourceKind[Any]]
    correct: Callable[[ScanPolicy, Sequence[Recommendation]], None]
    """Writes back what became of recommendations, for listings and totals."""
    actions: Mapping[str, Action]
    sessions: ExecutorSessions
    access: Callable[[AwsAccount], AccountAccess]
    ledger: Ledger
    decider: Decider
    clock: Clock
    may_write: Callable[[], bool]
    stopping: Callable[[], bool] = lambda: False
    """Whether the process is asked to end: then nothing new is begun."""
    _cooldowns: Cooldowns = field(default_factory=Cooldowns)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """Two policies may cover one resource: their scans take turns here, or both would ask for it."""

    def follow_up(self, policy: ScanPolicy, summary: ScanSummary) -> FollowedUp:
        """Bring the policy's requests in line with a scan that just ended; return what they are then.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost, ClusterUnavailable: what was done so far stands.
        """
        unproposed: Unproposed | None = None
        with self._lock:
            if self.may_write() and not summary.complete_failure and self._is_current(policy):
                self._review(policy, summary)
                if not self.stopping():
                    unproposed = self._propose(policy)
        return FollowedUp(len(self.open_of(policy)), unproposed)

    def open_of(self, policy: ScanPolicy) -> tuple[ActionRequest, ...]:
        """Return the policy's requests that wait or run, as last seen."""
        return open_requests(policy, self.requests.cache.all())

    def _is_current(self, policy: ScanPolicy) -> bool:
        """Return whether the policy that was scanned still says so: it may have gone, changed or been suspended."""
        now = self.policy_now(policy.metadata.namespace or "", policy.metadata.name)
        return (
            now is not None
            and now.metadata.uid == policy.metadata.uid
            and now.metadata.generation == policy.metadata.generation
            and not now.spec.suspend
        )

    def _known(self) -> tuple[ActionRequest, ...]:
        """Return our requests; those that a dead process left without a state are taken in first, strangers never."""
        found = []
        for request in filter(self.decider.is_ours, self.requests.found()):
            try:
                found.append(self.decider.advance(request) if request.status.state is None else request)
            except Conflict:
                # It moved on or went in this instant.
                found.append(request)
        return tuple(found)

    def _review(self, policy: ScanPolicy, summary: ScanSummary) -> None:
        pending = [r for r in open_requests(policy, self._known()) if r.status.state is State.PENDING]
        if not pending:
            return
        asked = {(request.spec.resource.arn, request.spec.action) for request in pending}
        # Of a fleet's recommendations only those that somebody was asked about are kept.
        wanted = {
            key: item
            for item in self.recommendations(policy)
            if item.counted and (key := (item.resource.arn, item.action)) in asked
        }
        blind = {(gap.account, gap.region) for gap in summary.gaps if gap.service != PRICES}
        for request in pending:
            if self.stopping():
                return
            spec = request.spec
            action = self.actions.get(spec.action)
            ending = outdated(policy, request, saves=action is None or action.saves)
            if ending is not None:
                self.decider.close(request, *ending)
                continue
            places = {(who, where) for who in (spec.account, spec.resource.account_id) for where in (spec.region, "")}
            if places & blind:
                # The scan did not see this region wholly: no news is not bad news.
                continue
            self._review_one(policy, request, wanted.get((spec.resource.arn, spec.action)))

    def _review_one(self, policy: ScanPolicy, request: ActionRequest, item: Recommendation | None) -> None:
        # An undo is what people want, whatever the scan recommends.
        if request.spec.undoes is None:
            if item is None:
                self.decider.close(request, Trigger.WITHDRAWN, "The scan no longer recommends this act.")
                return
            wanted = {key: value if isinstance(value, int) else str(value) for key, value in item.parameters.items()}
            if wanted != dict(request.spec.parameters):
                self.decider.close(request, Trigger.SUPERSEDED, BETTER_PLAN)
                return
        plan = request.spec.to_plan()
        account = self._account_of(policy, plan.resource)
        if account is None:
            self.decider.close(request, Trigger.WITHDRAWN, "The policy no longer names the account of this resource.")
            return
        try:
            target = Target(plan.resource, plan.parameters, now=self.clock.now())
            observation = self._observe(policy, account, plan.action, target)
        except (AwsError, Refused, InvalidInput) as error:
            # Of this account or region nothing is known; the other requests are reviewed all the same.
            logger.warning("request not reviewed: %s", error, extra=request_fields(request))
            return
        change = difference(plan, observation)
        if change:
            self.decider.close(
                request,
                Trigger.WITHDRAWN,
                f"The resource changed since this was proposed: {change}. Nothing was called.",
            )

    def _propose(self, policy: ScanPolicy) -> Unproposed | None:
        named = {reference.name for reference in policy.spec.accounts}
        by_id = {a.spec.account_id: a for a in self.accounts() if a.metadata.name in named}
        known = self._known()
        left, reads_left = room(policy, known), _MOST_READS
        now, deadline = self.clock.now(), self.clock.monotonic() + _PASS_SECONDS
        failing, outcomes, wanted = FailingPlaces(), Outcomes(), list[_RequestToMake]()
        # A policy may have snoozed hundreds of resources: it is read once in a pass.
        snoozes = Snoozes(self.ledger, cache(self.policy_now))
        for item in candidates(policy, self.recommendations(policy), known, by_id, now):
            if self.stopping():
                return None
            if isinstance(item, Skip):
                outcomes.skipped(item)
                continue
            if left <= 0:
                outcomes.waits(item, "The policy has as many open requests as actions.maximumOpenRequests allows.")
                continue
            if reads_left <= 0 or self.clock.monotonic() > deadline:
                outcomes.waits(item, "It is checked after the next scan; this one checked many already.")
                continue
            remembered = self._cooldowns.why(policy, item, now)
            if remembered is not None:
                outcomes.passed_over(item, remembered)
                continue
            answered = self._answered_lately(policy, item, snoozes, now)
            if answered:
                outcomes.waits(item, answered)
                continue
            place = failing.why(item)
            if place:
                outcomes.waits(item, place)
                continue
            reads_left -= 1
            try:
                found = self._wanted(policy, by_id[item.resource.account], item, outcomes)
                failing.answered(item)
                if found is not None:
                    wanted.append(found)
                    left -= 1
            except (AwsError, Refused, InvalidInput, Conflict) as error:
                logger.warning("not proposed: %s", error, extra=recommendation_fields(policy, item))
                outcomes.waits(item, str(error))
                self._cooldowns.note(policy, item, now, FAILED_FOR, CooldownReason(str(error)))
                if isinstance(error, AwsError):
                    failing.failed(item)
        self._create_all(policy, wanted, known, outcomes)
        self.correct(policy, outcomes.changed())
        return self._unproposed(policy, outcomes)

    def _unproposed(self, policy: ScanPolicy, outcomes: Outcomes) -> Unproposed | None:
        """Return what people are not asked about; None after a stop, which left some that the next process counts."""
        if self.stopping():
            return None
        return RECOMMEND_ONLY if policy.spec.actions.mode is Mode.RECOMMEND else outcomes.unproposed()

    def _answered_lately(self, policy: ScanPolicy, item: Recommendation, snoozes: Snoozes, now: datetime) -> str:
        """Return why people are not asked again now, as the ledger has it; empty when they may be."""
        snoozed = snoozes.in_force(policy.metadata.namespace or "", item.resource.arn, now)
        if snoozed:
            return snoozed[0].sentence
        is_dry_run = policy.spec.actions.mode is Mode.DRY_RUN
        return Denials(self.ledger).why(item.resource.arn, item.action, now, dry_run=is_dry_run)

    def _create_all(
        self, policy: ScanPolicy, wanted: Sequence[_RequestToMake], known: tuple[ActionRequest, ...], outcomes: Outcomes
    ) -> None:
        """Make the requests, the best saving last: in this order their cards are posted."""
        items = {one.spec.resource.arn: one.item for one in wanted}
        now, maker = self.clock.now(), RequestMaker(self.requests, self.ledger, self.decider)
        for spec in in_order(policy, [one.spec for one in wanted], known, now):
            if self.stopping():
                return
            item = items[spec.resource.arn]
            try:
                name = self._free_name(policy, item, spec.plan_hash)
                maker.create(policy, name, spec)
                outcomes.asked(item, name)
            except (Refused, InvalidInput, Conflict) as error:
                logger.warning("not proposed: %s", error, extra=recommendation_fields(policy, item))
                outcomes.waits(item, str(error))
                self._cooldowns.note(policy, item, now, FAILED_FOR, CooldownReason(str(error)))

    def _wanted(
        self, policy: ScanPolicy, account: AwsAccount, item: Recommendation, outcomes: Outcomes
    ) -> _RequestToMake | None:
        """Observe the resource and return what to ask people; None when something forbids the act."""
        action = self.actions[item.action]
        target = Target(item.resource, item.parameters, now=self.clock.now())
        observation = self._observe(policy, account, item.action, target)
        facts = PolicyFacts(protect_tags=policy.spec.actions.protect_tags)
        refusals = action.preflight(observation, item.parameters, facts)
        if not observation.exists or refusals:
            found = tuple(Block(refusal.code, refusal.message) for refusal in refusals) or (_GONE,)
            reasons = " ".join(one.message for one in found)
            logger.info("not proposed: %s", reasons, extra=recommendation_fields(policy, item))
            outcomes.refused(item, found)
            self._cooldowns.note(policy, item, self.clock.now(), REFUSED_FOR, CooldownReason(reasons, found))
            return None
        plan = action.plan(item.resource, item.parameters, observation.fingerprint)
        # The recommendation comes from the store; what an act does to people and data is the action's to say.
        item = replace(
            item,
            destructive=action.destructive,
            restart_needed=action.restart_needed,
            rollback_possible=action.rollback_possible,
            effort=action.effort,
        )
        words = in_words(self.kinds[item.resource.kind], action, item, observation, plan)
        return _RequestToMake(item, request_spec(policy, account, item, plan, words, self.clock.now()))

    def _free_name(self, policy: ScanPolicy, item: Recommendation, plan_hash: str) -> str:
        namespace = policy.metadata.namespace or "default"
        for occurrence in range(1, _OCCURRENCES + 1):
            name = action_request_name(policy.metadata.name, item.action, item.resource.id, plan_hash, occurrence)
            if self.requests.api.get(namespace, name) is None:
                return name
        raise Conflict(f"this plan was proposed {_OCCURRENCES} times already", code="ProposedTooOften")

    def _observe(self, policy: ScanPolicy, account: AwsAccount, action: str, target: Target) -> Observation:
        tenant = Tenant(namespace=policy.metadata.namespace or "", policy=policy.metadata.name)
        reader: Reader = self.sessions.reader(self.access(account), target.resource.region, tenant=tenant)
        return self.actions[action].observe(reader, target)

    def _account_of(self, policy: ScanPolicy, resource: ResourceRef) -> AwsAccount | None:
        named = {reference.name for reference in policy.spec.accounts}
        for account in self.accounts():
            if account.metadata.name in named and account.spec.account_id == resource.account:
                return account
        return None
