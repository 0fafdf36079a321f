"""Makes the request that undoes an act, when an approver or the act's watch has asked for it.

Called from a thread of its own: it reads AWS. The same rules as for any proposal hold (mode, allowed actions, grant,
preflight), and the resource must still be as the act left it. What forbids an undo is a `Refused` with the sentence
that the person reads. The watch asks nobody while acts are frozen or those of the kind are paused since one failed:
then people deal with it already, and may ask themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from finops.crds.action_request import ActionRequest, ActionRequestSpec, UndoneAct
from finops.crds.aws_account import AwsAccount
from finops.crds.naming import action_request_name
from finops.crds.policy_actions import Mode
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import TERMINAL, WATCH, State, Trigger, Vote, eligible_by
from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import ActionType, Recommendation
from finops.errors import Conflict, Refused
from finops.k8s.kinds import KindApi
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_steps import ExecutorSessions
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.acts.journal import journal_of
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.decider import Decider
from finops_operator.decisions.identities import Identities
from finops_operator.decisions.pauses import Pauses, Scope
from finops_operator.plugins.action import Action, Parameters, PolicyFacts, Target, Undo
from finops_operator.plugins.kind import ResourceKind
from finops_operator.requests.making import RequestMaker
from finops_operator.requests.presenting import in_words, with_warning
from finops_operator.rules.access import access_of, revoked
from finops_operator.rules.candidates import request_spec, undo_terms
from finops_operator.rules.undoing import undo_until, undone_reference
from finops_operator.rules.votes import domain_approvers

_NAMES: Final = 5
_AT_ONCE: Final = "It starts as soon as it is approved, also outside the policy's windows."


@dataclass(frozen=True, slots=True)
class _Case:
    """An act and everything that its undo is made of."""

    act: ActionRequest
    ask: Vote
    policy: ScanPolicy
    account: AwsAccount
    action: Action
    undo: Undo
    plan: Plan
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class UndoProposals:
    """Makes requests that undo acts, each once for the person who asked."""

    requests: Objects[ActionRequest]
    policies: KindApi[ScanPolicy]
    accounts: KindApi[AwsAccount]
    kinds: Mapping[str, ResourceKind[Any]]
    actions: Mapping[str, Action]
    sessions: ExecutorSessions
    ledger: Ledger
    decider: Decider
    people: Identities
    freeze: Freeze
    clock: Clock
    access: Callable[[AwsAccount], AccountAccess] = access_of

    def make(self, act: ActionRequest, ask: Vote) -> ActionRequest:
        """Return the request that undoes `act`: the one that is open, the one made for this ask before, or a new one.

        Raises:
            Refused: there is none, and asking again would not help until something changes.
            AwsError, Conflict, ClusterUnavailable, LedgerUnavailable, LedgerDiverged, FenceLost: try again later.
            InvalidInput: the act does not say to what it leads back, or the request does not fit its kind.
        """
        made = self._made_for(act, ask)
        if isinstance(made, ActionRequest):
            return made
        if undo_until(self.ledger.of_request(act.metadata.uid or "")) is None:
            raise Refused("There is nothing to undo any more.")
        case = self._case(act, ask)
        waiting, in_the_way = self._others(act)
        if waiting is not None:
            return waiting
        observation = self._observe(case)
        _check(case, observation)
        # Everything that can refuse the undo comes before others' requests are ended for it.
        spec = _spec(case, self.kinds[act.spec.resource.kind], observation, self.clock.now())
        for other in in_the_way:
            why = f"An approver asked to undo the act of {act.metadata.name} on this resource."
            self.decider.close(other, Trigger.SUPERSEDED, why)
        further = {"undoes": undone_reference(act.metadata.namespace or "", spec), "askedBy": ask.voter.handle}
        return RequestMaker(self.requests, self.ledger, self.decider).create(case.policy, made, spec, further)

    def _case(self, act: ActionRequest, ask: Vote) -> _Case:
        policy = self._policy(act)
        if ask.voter.source == WATCH:
            self._may_ask(act)
        else:
            self._eligible(policy, ask)
        action = self.actions.get(act.spec.action)
        if action is None or action.undo is None:
            by_hand = f" By hand: {action.undo_by_hand}." if action is not None and action.undo_by_hand else ""
            raise Refused(f"The operator cannot undo {act.spec.action}.{by_hand}")
        plan = act.spec.to_plan()
        made = journal_of(self.ledger.of_request(act.metadata.uid or "")).made
        parameters = action.undo.parameters(plan, made)
        return _Case(act, ask, policy, self._account(act, policy), action, action.undo, plan, parameters)

    def _policy(self, act: ActionRequest) -> ScanPolicy:
        policy = self.policies.get(act.metadata.namespace or "", act.spec.policy)
        if policy is None:
            raise Refused(f"Policy {act.spec.policy} no longer exists.")
        actions = policy.spec.actions
        if actions.mode is not Mode.APPROVE:
            raise Refused(f"Policy {act.spec.policy} is in mode {actions.mode.value}, in which nothing is changed.")
        if act.spec.action not in actions.allowed:
            raise Refused(f"Policy {act.spec.policy} no longer allows {act.spec.action}.")
        return policy

    def _eligible(self, policy: ScanPolicy, ask: Vote) -> None:
        """Refuse whoever is no approver of the policy any more: the terms of the act may be a month old."""
        approvers = domain_approvers(policy.spec.approval.approvers)
        if eligible_by(ask.voter, approvers, self.people.at_vote(fresh=True)) is None:
            raise Refused(f"{ask.voter.handle} is not an approver of policy {policy.metadata.name} as it is now.")

    def _may_ask(self, act: ActionRequest) -> None:
        """Refuse the watch a vote while acts are frozen, or those of the kind are paused by more than a watch."""
        if frozen := self.freeze.reason():
            raise Refused(f"All acts are frozen: {frozen} An approver can ask for the undo.")
        scope = Scope(act.metadata.namespace or "", act.spec.policy, act.spec.action)
        if not all(pause.by_watch for pause in Pauses(self.ledger).in_force(scope)):
            raise Refused(f"{scope.action} of policy {scope.policy} is paused. An approver can ask for the undo.")

    def _account(self, act: ActionRequest, policy: ScanPolicy) -> AwsAccount:
        name = act.spec.account
        account = self.accounts.get("", name)
        if account is None or account.spec.account_id != act.spec.resource.account_id:
            raise Refused(f"Account {name} is no longer the same.")
        if name not in {reference.name for reference in policy.spec.accounts}:
            raise Refused(f"Policy {act.spec.policy} no longer names account {name}.")
        if why := revoked(account, act.metadata.namespace or "", act.spec.action):
            raise Refused(why)
        return account

    def _made_for(self, act: ActionRequest, ask: Vote) -> ActionRequest | str:
        """Return the request that was made for this ask before a crash, else a free name for it."""
        namespace, spec = act.metadata.namespace or "", act.spec
        for occurrence in range(1, _NAMES + 1):
            name = action_request_name(spec.policy, spec.action, spec.resource.id, ask.uid, occurrence)
            found = self.requests.api.get(namespace, name)
            if found is None:
                return name
            undoes = found.spec.undoes
            # A stranger's object under our name is none that the ledger knows.
            if undoes is not None and undoes.uid == act.metadata.uid and self.decider.is_ours(found):
                return found
        raise Conflict(f"the names of this undo are taken {_NAMES} times", code="NamesTaken")

    def _observe(self, case: _Case) -> Observation:
        metadata, spec = case.act.metadata, case.act.spec
        tenant = Tenant(namespace=metadata.namespace or "", policy=spec.policy)
        reader = self.sessions.reader(self.access(case.account), spec.region, tenant=tenant)
        return case.action.observe(reader, Target(case.plan.resource, case.parameters, now=self.clock.now()))

    def _others(self, act: ActionRequest) -> tuple[ActionRequest | None, tuple[ActionRequest, ...]]:
        """Return the request that undoes the act already, and the policy's own on the resource that wait for votes.

        What another policy or namespace has asked its people stays theirs: acts on a resource take turns all the same.

        Raises:
            Refused: another act on the resource was approved.
        """
        pending: list[ActionRequest] = []
        for other in self.requests.found():
            if other.spec.resource.arn != act.spec.resource.arn or not _is_open(other):
                continue
            if not self.decider.is_ours(other):
                continue
            same = (other.metadata.namespace, other.spec.policy) == (act.metadata.namespace, act.spec.policy)
            if same and other.spec.undoes is not None and other.spec.undoes.uid == act.metadata.uid:
                return other, ()
            if other.status.state is not State.PENDING:
                which = f"Request {other.metadata.name}" if same else "A request of another policy"
                raise Refused(f"{which} for this resource is approved and has not ended; ask again after it.")
            if same:
                pending.append(other)
        return None, tuple(pending)


def _is_open(request: ActionRequest) -> bool:
    return request.status.state is not None and request.status.state not in TERMINAL


def _check(case: _Case, observation: Observation) -> None:
    """Refuse what the act did not leave so, and what the action's own preflight forbids."""
    changed = case.undo.changed(case.plan, observation) if observation.exists else ""
    facts = PolicyFacts(protect_tags=case.policy.spec.actions.protect_tags)
    refusals = case.action.preflight(observation, case.parameters, facts)
    found = [changed] if changed else [refusal.message for refusal in refusals]
    if found:
        raise Refused(" ".join(found))


def _spec(case: _Case, kind: ResourceKind[Any], observation: Observation, now: datetime) -> ActionRequestSpec:
    before, uid = case.act.spec, case.act.metadata.uid or ""
    plan = case.action.plan(case.plan.resource, case.parameters, observation.fingerprint)
    item = _as_recommendation(case)
    words = in_words(kind, case.action, item, observation, plan)
    if case.undo.outside_windows:
        words = with_warning(words, _AT_ONCE)
    spec = request_spec(case.policy, case.account, item, plan, words, now)
    return spec.model_copy(
        update={
            "undoes": UndoneAct(
                name=case.act.metadata.name,
                uid=uid,
                required=before.approval.required,
                outside_windows=case.undo.outside_windows,
            ),
            "approval": undo_terms(case.policy, before.approval.required),
            # What the resource will cost again; money is never negative, so nothing is saved.
            "estimate": before.estimate.model_copy(
                update={
                    "current_monthly_cost": before.estimate.new_monthly_cost,
                    "new_monthly_cost": before.estimate.current_monthly_cost,
                    # Of an act whose saving nobody can know, nobody knows what its undo costs.
                    "monthly_savings": None if before.estimate.monthly_savings is None else Decimal("0.00"),
                }
            ),
            # Its card stands in the thread of the act's.
            "slack_channel": before.slack_channel,
        }
    )


def _as_recommendation(case: _Case) -> Recommendation:
    """Return the undo in the form from which requests are made; no check wants it."""
    spec, action, estimate = case.act.spec, case.action, case.act.spec.estimate
    by = "asked for by its watch" if case.ask.voter.source == WATCH else f"asked for by {case.ask.voter.handle}"
    reason = case.ask.reason.strip()
    why = f" Reason: {reason}" if reason else ""
    return Recommendation(
        id=case.ask.uid,
        policy=spec.policy,
        check=spec.evidence.check,
        action=action.id,
        action_type=ActionType.REVIEW,
        destructive=False,
        resource=case.plan.resource,
        parameters=case.parameters,
        current_monthly_cost=estimate.new_monthly_cost,
        new_monthly_cost=estimate.current_monthly_cost,
        monthly_savings=None if estimate.monthly_savings is None else Decimal("0.00"),
        saving_unknown=estimate.saving_unknown,
        price_source=estimate.price_source,
        price_as_of=estimate.price_date,
        effort=action.effort,
        restart_needed=action.restart_needed,
        rollback_possible=False,
        evidence={},
        summary=f"Undo of the act of {case.act.metadata.name}, {by}.{why}",
        group=case.plan.resource.arn,
    )
