"""What people end by a word that is no vote on a request: a pause after a failed act, a snooze before its date.

Judged by the policy as it is now (for a snooze: the one that snoozed), recorded, then carried out. Used by the judge of
votes. The word stands on any request of the policy and kind (Resume) or of the resource (Wake), whatever its state.
"""

from __future__ import annotations

from dataclasses import dataclass

from finops.crds.action_request import ActionRequest
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import Choice, Electorate, RequestFacts, Verdict, Vote
from finops.domain.ending import EndTerms, judge_word
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.decisions.pauses import Pauses, Scope
from finops_operator.decisions.snoozes import PolicyByName, Snoozes
from finops_operator.rules.votes import domain_approvers

_NOT_PAUSED = "Acts of this kind are not paused in this policy; nothing to resume."
_NOT_SNOOZED = "The resource of this request is not snoozed; nothing to end."


@dataclass(frozen=True, slots=True)
class Spoken:
    """Judges and carries out votes of choice Resume and Wake; `policy_of` finds a ScanPolicy as it is now."""

    ledger: Ledger
    policy_of: PolicyByName
    clock: Clock

    def judge(self, request: ActionRequest, vote: Vote, facts: RequestFacts, electorate: Electorate) -> Verdict:
        """Return whether the vote counts. Raises LedgerUnavailable, LedgerDiverged, ClusterUnavailable, Refused."""
        if vote.choice is Choice.WAKE:
            snoozes = self._snoozes.in_force(
                request.metadata.namespace or "", request.spec.resource.arn, self.clock.now()
            )
            policies = {one.policy.metadata.uid: one.policy for one in snoozes}
            # Without a snooze the request's own policy says who may know that there is none.
            terms = tuple(map(_terms, policies.values())) or self._own_terms(request)
            return judge_word(vote, facts, terms, electorate, nothing="" if snoozes else _NOT_SNOOZED)
        return judge_word(vote, facts, self._own_terms(request), electorate, nothing=self._not_paused(request, vote))

    def carry_out(self, request: ActionRequest, vote: Vote) -> None:
        """End what a counted vote ends; may be repeated.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost, ClusterUnavailable, Refused: not ended yet.
        """
        recorded = self.ledger.find(f"vote:{vote.uid}")
        if recorded is None:
            return
        if vote.choice is Choice.RESUME:
            Pauses(self.ledger).resume(scope_of(request), vote, recorded)
        else:
            self._snoozes.end(request, vote, recorded, self.clock.now())

    @property
    def _snoozes(self) -> Snoozes:
        return Snoozes(self.ledger, self.policy_of)

    def _own_terms(self, request: ActionRequest) -> tuple[EndTerms, ...]:
        """Return those of the request's policy; when it is gone, that nobody may end anything."""
        name = request.spec.policy
        policy = self.policy_of(request.metadata.namespace or "", name)
        return (_terms(policy) if policy is not None else EndTerms(name, (), "Never"),)

    def _not_paused(self, request: ActionRequest, vote: Vote) -> str:
        """Return why there is nothing that this vote could resume, empty when there is."""
        scope, pauses = scope_of(request), Pauses(self.ledger)
        if pauses.in_force(scope, before=vote.at):
            return ""
        later = pauses.in_force(scope)
        if not later:
            return _NOT_PAUSED
        return f"After you sent this, {later[-1].why} Find out why, then resume again."


def scope_of(request: ActionRequest) -> Scope:
    """Return which pauses concern a request."""
    return Scope(request.metadata.namespace or "", request.spec.policy, request.spec.action)


def _terms(policy: ScanPolicy) -> EndTerms:
    approval = policy.spec.approval
    return EndTerms(policy.metadata.name, domain_approvers(approval.approvers), approval.require_reason.value)
