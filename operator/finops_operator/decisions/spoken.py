"""What people end by a word that is no vote on a request: a pause after a failed act, a snooze before its date.

Judged by the policy as it is now, recorded, then carried out. Used by the judge of votes. The word stands on any
request of the policy and kind (Resume) or of the resource (Wake), whatever its state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finops.crds.action_request import ActionRequest
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import Choice, Electorate, RequestFacts, Verdict, Vote, judge_word
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.decisions.pauses import Pauses, Scope
from finops_operator.decisions.snoozes import Snoozes
from finops_operator.rules.votes import domain_approvers


@dataclass(frozen=True, slots=True)
class Spoken:
    """Judges and carries out votes of choice Resume and Wake.

    Attributes:
        policy_of: the ScanPolicy of a request as it is now, None when it is gone: then nobody may end anything.
    """

    ledger: Ledger
    policy_of: Callable[[ActionRequest], ScanPolicy | None]
    clock: Clock

    def judge(self, request: ActionRequest, vote: Vote, facts: RequestFacts, electorate: Electorate) -> Verdict:
        """Return whether the vote counts. Raises LedgerUnavailable, LedgerDiverged, ClusterUnavailable, Refused."""
        policy = self.policy_of(request)
        approvers = domain_approvers(policy.spec.approval.approvers) if policy is not None else ()
        return judge_word(vote, facts, approvers, electorate, in_force=self._in_force(request, vote.choice))

    def carry_out(self, request: ActionRequest, vote: Vote) -> None:
        """End what a counted vote ends; may be repeated. Raises LedgerUnavailable, LedgerDiverged, FenceLost."""
        recorded = self.ledger.find(f"vote:{vote.uid}")
        if recorded is None:
            return
        if vote.choice is Choice.RESUME:
            Pauses(self.ledger).resume(scope_of(request), vote, recorded)
        else:
            Snoozes(self.ledger).end(request, vote, recorded)

    def _in_force(self, request: ActionRequest, choice: Choice) -> bool:
        if choice is Choice.RESUME:
            return bool(Pauses(self.ledger).in_force(scope_of(request)))
        return Snoozes(self.ledger).in_force(request.spec.resource.arn, self.clock.now()) is not None


def scope_of(request: ActionRequest) -> Scope:
    """Return which pauses concern a request."""
    return Scope(request.metadata.namespace or "", request.spec.policy, request.spec.action)
