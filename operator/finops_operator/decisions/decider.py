"""The decide stage's edge: reads Approvals, records every verdict in the ledger, answers the voter, moves the request.

Order at every step: ledger first, then the object. A crash between the two is repaired by the next pass, because each
append carries an operation id and each pass starts from the objects and the ledger alone. A status is never evidence:
a vote counts when the ledger says so, a request exists when the ledger says it was proposed, a decision stands once it
is recorded. And a watch is no evidence that something is not there: nothing is decided before everything was read, and
an approval is missing only when the API server says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.domain.decision import (
    BEFORE_ACT,
    TERMINAL,
    State,
    Tally,
    Trigger,
    Verdict,
    Vote,
)
from finops.errors import Conflict
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.cluster.cache import KindCache
from finops_operator.cluster.objects import Objects
from finops_operator.cluster.protection import Protected
from finops_operator.decisions.act_stage import has_begun, is_the_executors, recorded_facts
from finops_operator.decisions.ballots import Ballots
from finops_operator.decisions.decision_writer import DecisionWriter
from finops_operator.decisions.denials import Denials
from finops_operator.decisions.identities import Identities
from finops_operator.decisions.origins import Origins
from finops_operator.decisions.snoozes import PolicyByName, Snoozes
from finops_operator.decisions.spoken import Spoken
from finops_operator.decisions.verdicts import RecordedVerdicts, sentence, snoozed_until
from finops_operator.decisions.vote_judge import VoteJudge
from finops_operator.rules import request_status
from finops_operator.rules.origin import is_older
from finops_operator.rules.standing import is_lost, objection
from finops_operator.rules.votes import state_of

_RECORDS_LOST: Final = (
    "Records of the ledger were lost after it was proposed: whether it was carried out already is not known. The next "
    "scan proposes it again if it still holds."
)
_TOO_OLD: Final = (
    "Made before the cluster's admission policies were in force; it is proposed again if it still makes sense."
)

_BY_VOTES: Final = frozenset({Trigger.DENIED, Trigger.SNOOZED, Trigger.QUORUM_LOST, Trigger.WITHDRAWN})
"""What a vote that stands against the act leads to; `Withdrawn` where the gate met it first."""


@dataclass(slots=True)
class _Parts:
    """What it is put together from, once it has all that it was given."""

    votes: RecordedVerdicts = field(init=False)
    origins: Origins = field(init=False)
    ballots: Ballots = field(init=False)
    judge: VoteJudge = field(init=False)
    decisions: DecisionWriter = field(init=False)


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides one request at a time.

    Attributes:
        policy_of: finds a ScanPolicy as it is now.
        fence: the token of the lease that this process holds.
        answered: called with each verdict that was recorded.
        ended: called with each request that ended without a call; may be repeated.
    """

    ledger: Ledger
    requests: Objects[ActionRequest]
    approvals: Objects[Approval]
    approvals_of: Callable[[ActionRequest], tuple[Approval, ...]]
    people: Identities
    clock: Clock
    protection: Protected
    policy_of: PolicyByName
    fence: Callable[[], int]
    answered: Callable[[Verdict], None] = lambda _verdict: None
    ended: Callable[[ActionRequest], None] = lambda _request: None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    """Scan threads withdraw while the request loop decides: one decision at a time, each from a fresh state."""
    _parts: _Parts = field(default_factory=_Parts, init=False)

    def __post_init__(self) -> None:
        votes = RecordedVerdicts(self.ledger)
        ballots = Ballots(votes, self.approvals, self.approvals_of, self.people, self.protection)
        spoken = Spoken(self.ledger, self.policy_of, self.clock)
        self._parts.votes = votes
        self._parts.origins = Origins(self.ledger)
        self._parts.ballots = ballots
        self._parts.judge = VoteJudge(self.ledger, ballots, spoken, self.clock, self.answered)
        self._parts.decisions = DecisionWriter(self.ledger, votes, self.requests, self.fence, self.ended)

    def start_again(self) -> None:
        """Forget what was read of the ledger: the lease was elsewhere meanwhile."""
        with self._lock:
            self._parts.votes.start_again()
            self._parts.origins.start_again()

    def see_all(self) -> frozenset[str | None]:
        """Make sure that every vote is known; cheap when nothing was missed.

        Returns the watched namespaces in which nothing can be decided, because some votes may be unknown; with None in
        it, that is everywhere: also while the admission policies are not in force.
        """
        if self.protection.problem():
            return frozenset({None})
        return self.approvals.complete_where_possible()

    def advance(self, request: ActionRequest) -> ActionRequest:
        """Move `request` as far as votes and time allow; return it as it stands then.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost: nothing was decided.
            Conflict, Gone, ClusterUnavailable, Refused, StoreUnavailable: try again later.
        """
        with self._lock:
            return self._advance(request)

    def judge_votes(self, request: ActionRequest) -> bool:
        """Judge and answer new votes on a request whose act is under way; whatever follows is the executor's to do.

        Returns whether one of them counted: then the act's permission has to be checked again.

        Raises:
            As `advance`.
        """
        with self._lock:
            if not self.is_ours(request):
                self._parts.judge.refuse_all(request)
                return False
            return self._parts.judge.new_votes(request)

    def close(self, request: ActionRequest, trigger: Trigger, message: str) -> None:
        """End a request that still waits for votes: withdrawn or superseded. Does nothing when it was decided since.

        Raises:
            As `advance`.
        """
        with self._lock:
            current = self.requests.fresh(request)
            if current.status.state is not None:
                current = self._parts.decisions.as_recorded(current)
                if state_of(current) is State.PENDING:
                    self._parts.decisions.record(current, trigger, self._parts.ballots.standing(current), message)

    def _advance(self, request: ActionRequest) -> ActionRequest:
        if request.status.state is None:
            request = _as_taken_in(request, self.requests.cache)
        if not self.is_ours(request):
            self._parts.judge.refuse_all(request)
            return request
        if request.status.state is None:
            request = self._adopt(request)
        request = self._parts.decisions.as_recorded(request)
        if state_of(request) in TERMINAL:
            self._parts.judge.late_votes(request)
            return request
        self._parts.judge.new_votes(request)
        if state_of(request) in BEFORE_ACT and is_older(request, self.protection.since()):
            return self._parts.decisions.record(
                request, Trigger.WITHDRAWN, self._parts.ballots.standing(request), _TOO_OLD
            )
        if state_of(request) in BEFORE_ACT and self._parts.origins.is_before_loss(request):
            return self._parts.decisions.record(
                request, Trigger.WITHDRAWN, self._parts.ballots.standing(request), _RECORDS_LOST
            )
        return self._decide(request)

    def end(self, request: ActionRequest, trigger: Trigger, message: str) -> None:
        """End a request that was approved but not begun: expired or withdrawn by the gate.

        Raises:
            As `advance`.
        """
        with self._lock:
            current = self.requests.fresh(request)
            if current.status.state is not None:
                current = self._parts.decisions.as_recorded(current)
                if recorded_facts(self.ledger, current).state in BEFORE_ACT:
                    votes = self._parts.ballots.standing(current)
                    self._remember(current, trigger, votes)
                    self._parts.decisions.record(current, trigger, votes, message)

    def counted_approvals(self, request: ActionRequest) -> tuple[Vote, ...]:
        """Return the approvals that stand, in the order in which they were counted; the last one decided.

        Raises:
            LedgerUnavailable, ClusterUnavailable, Refused: not known now.
        """
        with self._lock:
            return self._parts.ballots.standing(request).approvals

    def counted(self, request: ActionRequest) -> tuple[Vote, ...]:
        """Return the votes that the ledger counted, in its order; approvals only while their objects exist."""
        with self._lock:
            return self._parts.ballots.counted(request)

    def is_ours(self, request: ActionRequest) -> bool:
        """Return whether the ledger saw exactly this spec proposed, whatever the status says.

        Raises:
            LedgerUnavailable, LedgerDiverged: not known now.
        """
        return self._parts.origins.is_ours(request)

    def has_begun(self, uid: str) -> bool:
        """Return whether an act has come to its first changing call. Raises LedgerUnavailable, LedgerDiverged."""
        return has_begun(self.ledger, uid)

    def _adopt(self, request: ActionRequest) -> ActionRequest:
        """Take in a request of ours that has no state yet."""
        self._parts.origins.record(request)

        def change(current: ActionRequest) -> dict[str, Any]:
            if current.status.state is not None:
                # What was read is old: another thread has taken it in, and it may have gone far since.
                raise Conflict("the request was taken in already", code="StateChanged")
            required = current.spec.approval.required
            return request_status.proposed(current.status, required=required, fence=self.fence())

        return self.requests.write_status(request, change)

    def _decide(self, request: ActionRequest) -> ActionRequest:
        state = state_of(request)
        if state not in BEFORE_ACT:
            return request
        votes = self._parts.ballots.standing(request)
        now = self.clock.now()
        trigger = _trigger(request, state, votes, now)
        if trigger is Trigger.QUORUM_LOST:
            votes = self._parts.ballots.standing(request, fresh=True)
            if objection(votes) is None:
                self._parts.ballots.find_missing(request)
                votes = self._parts.ballots.standing(request)
            trigger = _trigger(request, state, votes, now)
        waits = ""
        if state is State.PENDING:
            reached = trigger is Trigger.QUORUM_REACHED
            waits = self._parts.ballots.unreadable(request, sure=reached)
            if reached and waits:
                # Nobody knows whether it was denied, so it is not approved; that it is too old holds all the same.
                trigger = Trigger.EXPIRED if now >= request.spec.expires_at else None
        if trigger is None:
            return self._parts.decisions.show_votes(request, votes, waits)
        current = self.requests.fresh(request)
        if state_of(current) is not state or not self.approvals.cache.is_complete_in(request.metadata.namespace or ""):
            # It has moved on, or the watch of the votes has begun to list again: the next pass sees everything.
            return current
        if state is not State.PENDING and is_the_executors(self.ledger, request.metadata.uid or ""):
            # The status lags behind: the act has made its first call or has ended, and the executor reports that.
            return current
        self._remember(current, trigger, votes)
        return self._parts.decisions.record(
            current, trigger, votes, sentence(trigger, votes, self._parts.ballots.counted(request))
        )

    def _remember(self, request: ActionRequest, trigger: Trigger, votes: Tally) -> None:
        """Record what holds for the resource beyond its request.

        Before the decision: a crash in between must not let the resource be asked about again at once.
        """
        if trigger not in _BY_VOTES:
            return
        if votes.denials:
            Denials(self.ledger).record(request, votes.denials[0], self.clock.now())
            return
        until = snoozed_until(votes)
        if until is not None:
            policy = self.policy_of(request.metadata.namespace or "", request.spec.policy)
            if policy is not None:
                Snoozes(self.ledger, self.policy_of).begin(request, policy, votes.snoozes[0], until)


def _trigger(request: ActionRequest, state: State, votes: Tally, now: datetime) -> Trigger | None:
    expired = now >= request.spec.expires_at
    if state is State.PENDING:
        return votes.trigger or (Trigger.EXPIRED if expired else None)
    # Approved and Scheduled: the decision stands unless a vote counts against it, it grew too old, or a vote was taken
    # back. Whether an approval is missing or only cannot be read decides nothing once the time is over.
    if objection(votes) is not None:
        return Trigger.QUORUM_LOST
    if expired:
        return Trigger.EXPIRED
    return Trigger.QUORUM_LOST if is_lost(votes) else None


def _as_taken_in(request: ActionRequest, cache: KindCache[ActionRequest]) -> ActionRequest:
    """Return a request without a state as another thread has taken it in meanwhile, if one has.

    The proposer and the request loop both see a new request; a second first status would be refused as a lost race.
    """
    known = cache.get(request.metadata.namespace or "", request.metadata.name)
    if known is None or known.metadata.uid != request.metadata.uid or known.status.state is None:
        return request
    return known
