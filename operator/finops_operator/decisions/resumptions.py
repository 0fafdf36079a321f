"""A person lets acts of a kind begin again after one failed: judged by the policy as it is now, recorded, carried out.

Used by the judge of votes. The vote of choice Resume stands on any request of that policy and kind, whatever its state:
the one that failed, or one that waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finops.crds.action_request import ActionRequest
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import Electorate, RequestFacts, Verdict, Vote, judge_resume
from finops.ports.ledger import Ledger
from finops_operator.decisions.pauses import Pauses, Scope
from finops_operator.rules.votes import domain_approvers


@dataclass(frozen=True, slots=True)
class Resumptions:
    """Judges and carries out votes of choice Resume.

    Attributes:
        policy_of: the ScanPolicy of a request as it is now, None when it is gone: then nobody may resume.
    """

    ledger: Ledger
    policy_of: Callable[[ActionRequest], ScanPolicy | None]

    def judge(self, request: ActionRequest, vote: Vote, facts: RequestFacts, electorate: Electorate) -> Verdict:
        """Return whether the vote counts. Raises LedgerUnavailable, LedgerDiverged, ClusterUnavailable, Refused."""
        policy = self.policy_of(request)
        approvers = domain_approvers(policy.spec.approval.approvers) if policy is not None else ()
        paused = bool(Pauses(self.ledger).in_force(scope_of(request)))
        return judge_resume(vote, facts, approvers, electorate, paused=paused)

    def carry_out(self, request: ActionRequest, vote: Vote) -> None:
        """End what a counted vote ends; may be repeated. Raises LedgerUnavailable, LedgerDiverged, FenceLost."""
        recorded = self.ledger.find(f"vote:{vote.uid}")
        if recorded is not None:
            Pauses(self.ledger).resume(scope_of(request), vote, recorded)


def scope_of(request: ActionRequest) -> Scope:
    """Return which pauses concern a request."""
    return Scope(request.metadata.namespace or "", request.spec.policy, request.spec.action)
