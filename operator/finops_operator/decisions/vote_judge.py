"""Judges new votes: each verdict is recorded in the ledger first, then the voter is answered on the Approval.

Used by the decider, under its lock. A crash between record and answer is made up for by the next pass: the verdict
stands, and the Approval has no answer yet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.domain.decision import (
    NO_VOTES,
    Choice,
    Electorate,
    RefusalReason,
    RequestFacts,
    Verdict,
    Vote,
    VoteResult,
    judge,
)
from finops.errors import Conflict, InvalidInput, Refused, Unavailable
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.decisions.act_stage import last_sequence, recorded_facts
from finops_operator.decisions.ballots import Ballots
from finops_operator.decisions.spoken import Spoken
from finops_operator.killpoint import killpoint
from finops_operator.rules.votes import vote_of, votes_of

logger = logging.getLogger(__name__)
_ANSWER_CHARACTERS: Final = 4096
"""As much as the status of an Approval holds."""
_MISNAMED: Final = Verdict(
    VoteResult.REFUSED,
    RefusalReason.WRONG_REQUEST.value,
    "This vote names another request than the one whose uid it gives; vote again.",
)
_UNPROTECTED: Final = Verdict(
    VoteResult.REFUSED,
    RefusalReason.UNPROTECTED.value,
    "This vote was made before the cluster's admission policies were in force, so it may be forged; vote again.",
)
_STRANGER: Final = "The operator did not propose this request; nothing will be done, whoever approves it."


@dataclass(frozen=True, slots=True)
class VoteJudge:
    """Judges the votes on one request at a time; `answered` is called with each verdict that was recorded."""

    ledger: Ledger
    ballots: Ballots
    spoken: Spoken
    clock: Clock
    answered: Callable[[Verdict], None]

    def new_votes(self, request: ActionRequest) -> bool:
        """Judge what the ledger has not judged yet, then answer; return whether a new vote counted."""
        approvals = {approval.metadata.uid or "": approval for approval in self.ballots.of(request)}
        votes = votes_of(approvals.values())
        fresh = [vote for vote in votes if self.ballots.votes.verdict(vote) is None]
        misnamed = {uid for uid, one in approvals.items() if one.spec.request.name != request.metadata.name}
        changed = bool(fresh) and self._judge(request, fresh, misnamed)
        for vote in votes:
            known, approval = self.ballots.votes.verdict(vote), approvals[vote.uid]
            if known is not None and approval.status.result is None:
                if vote.choice in NO_VOTES and known.result is VoteResult.COUNTED:
                    # Before the answer: a crash in between is made up for while there is none.
                    self.spoken.carry_out(request, vote)
                self._answer(approval, known)
        return changed

    def refuse_all(self, request: ActionRequest) -> None:
        """Answer votes on an object that somebody else made in the form of a request."""
        stranger = Verdict(VoteResult.REFUSED, RefusalReason.NOT_PROPOSED.value, _STRANGER)
        unknown = Electorate({})
        for approval in self.ballots.of(request):
            if approval.status.result is None:
                vote = vote_of(approval)
                verdict = self.ballots.votes.too_many(request, vote, (), unknown) or stranger
                known = self.ballots.votes.verdict(vote) or self.ballots.votes.write(request, vote, verdict, unknown)
                self._answer(approval, known)

    def late_votes(self, request: ActionRequest) -> None:
        """Judge and answer votes on a request that has ended."""
        if any(approval.status.result is None for approval in self.ballots.of(request)):
            self.new_votes(request)

    def _judge(self, request: ActionRequest, fresh: list[Vote], misnamed: Collection[str]) -> bool:
        facts, electorate, after = recorded_facts(self.ledger, request), self.ballots.people.at_vote(fresh=True), None
        before = len(counted := list(self.ballots.counted(request)))
        for vote in fresh:
            if vote.choice is Choice.WITHDRAW:
                # Nobody must read that a vote was taken back in the instant in which the act makes its first call.
                after, facts = last_sequence(self.ledger, facts.uid), recorded_facts(self.ledger, request)
            verdict = self.ballots.votes.too_many(request, vote, counted, electorate)
            verdict = verdict or (_MISNAMED if vote.uid in misnamed else None)
            verdict = verdict or (_UNPROTECTED if vote.at <= self.ballots.protection.since() else None)
            verdict = verdict or self._verdict(request, vote, facts, counted, electorate)
            recorded = self.ballots.votes.write(request, vote, verdict, electorate, after=after)
            after = None
            killpoint("vote.recorded")
            self.answered(recorded)
            if recorded.result is VoteResult.COUNTED and vote.choice not in NO_VOTES:
                counted.append(vote)
        return len(counted) > before

    def _verdict(
        self,
        request: ActionRequest,
        vote: Vote,
        facts: RequestFacts,
        counted: Collection[Vote],
        electorate: Electorate,
    ) -> Verdict:
        if vote.choice in NO_VOTES:
            return self.spoken.judge(request, vote, facts, electorate)
        return judge(vote, facts, counted, electorate, self.clock.now())

    def _answer(self, approval: Approval, known: Verdict) -> None:
        message = known.message[:_ANSWER_CHARACTERS]
        answer = {"result": known.result.value, "reason": known.reason, "message": message}
        try:
            self.ballots.approvals.write_status(approval, lambda _: answer)
        except (Conflict, Unavailable) as error:
            # The verdict is recorded and sent at the next pass: a voter who cannot be answered keeps nobody else from
            # a decision. Identities also delete their votes before they are answered.
            logger.info("vote is answered later: %s", error, extra={"approval": approval.metadata.name})
        except (InvalidInput, Refused) as error:
            logger.warning("vote not answered: %s", error, extra={"approval": approval.metadata.name})
