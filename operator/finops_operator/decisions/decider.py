"""The decide stage's edge: reads Approvals, records every verdict in the ledger, answers the voter, moves the request.

Order at every step: ledger first, then the object. A crash between the two is repaired by the next pass, because each
append carries an operation id and each pass starts from the objects and the ledger alone. A status is never evidence:
a vote counts when the ledger says so, a request exists when the ledger says it was proposed, a decision stands once it
is recorded. And a watch is no evidence that something is not there: nothing is decided before everything was read, and
an approval is missing only when the API server says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, Final

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import (
    BEFORE_ACT,
    TERMINAL,
    Choice,
    Electorate,
    RefusalReason,
    RequestFacts,
    State,
    Tally,
    Trigger,
    Verdict,
    Vote,
    VoteResult,
    judge,
)
from finops.errors import Conflict, InvalidInput, Refused, Unavailable
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.cluster.cache import KindCache
from finops_operator.cluster.objects import Objects
from finops_operator.cluster.protection import Protected
from finops_operator.decisions.identities import Identities
from finops_operator.decisions.verdicts import RecordedVerdicts, sentence
from finops_operator.killpoint import killpoint
from finops_operator.rules import request_status
from finops_operator.rules.log_fields import request_fields
from finops_operator.rules.origin import created_id, intended_id, is_older, spec_hash
from finops_operator.rules.standing import Standing, standing
from finops_operator.rules.votes import request_facts, request_reference, state_of, tally_of_decision, vote_of, votes_of

logger = logging.getLogger(__name__)
_REMEMBERED: Final = 20_000
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
_TOO_OLD: Final = (
    "Made before the cluster's admission policies were in force; it is proposed again if it still makes sense."
)
_STRANGER: Final = "The operator did not propose this request; nothing will be done, whoever approves it."


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides one request at a time.

    Attributes:
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
    fence: Callable[[], int]
    answered: Callable[[Verdict], None] = lambda _verdict: None
    ended: Callable[[ActionRequest], None] = lambda _request: None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    """Scan threads withdraw while the request loop decides: one decision at a time, each from a fresh state."""
    _votes: RecordedVerdicts = field(init=False)
    _origins: dict[tuple[str, int | None], bool] = field(default_factory=dict)
    """(uid, generation) → whether the ledger saw exactly this spec proposed. An object is created after its record and
    every edit makes a new generation, so asking again shows nothing new."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_votes", RecordedVerdicts(self.ledger))

    def start_again(self) -> None:
        """Forget what was read of the ledger: the lease was elsewhere meanwhile."""
        with self._lock:
            self._votes.start_again()
            self._origins.clear()

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
                self._refuse_all(request)
                return False
            return self._judge_new_votes(request)

    def close(self, request: ActionRequest, trigger: Trigger, message: str) -> None:
        """End a request that still waits for votes: withdrawn or superseded. Does nothing when it was decided since.

        Raises:
            As `advance`.
        """
        with self._lock:
            current = self.requests.fresh(request)
            if current.status.state is not None:
                current = self._as_recorded(current)
                if state_of(current) is State.PENDING:
                    self._record_decision(current, trigger, self._standing(current), message)

    def _advance(self, request: ActionRequest) -> ActionRequest:
        if request.status.state is None:
            request = _as_taken_in(request, self.requests.cache)
        if not self.is_ours(request):
            self._refuse_all(request)
            return request
        if request.status.state is None:
            request = self._adopt(request)
        request = self._as_recorded(request)
        if state_of(request) in TERMINAL:
            self._answer_late_votes(request)
            return request
        self._judge_new_votes(request)
        if state_of(request) in BEFORE_ACT and is_older(request, self.protection.since()):
            return self._record_decision(request, Trigger.WITHDRAWN, self._standing(request), _TOO_OLD)
        return self._decide(request)

    def end(self, request: ActionRequest, trigger: Trigger, message: str) -> None:
        """End a request that was approved but not begun: expired or withdrawn by the gate.

        Raises:
            As `advance`.
        """
        with self._lock:
            current = self.requests.fresh(request)
            if current.status.state is not None:
                current = self._as_recorded(current)
                if self._facts(current).state in BEFORE_ACT:
                    self._record_decision(current, trigger, self._standing(current), message)

    def counted_approvals(self, request: ActionRequest) -> tuple[Vote, ...]:
        """Return the approvals that stand, in the order in which they were counted; the last one decided.

        Raises:
            LedgerUnavailable, ClusterUnavailable, Refused: not known now.
        """
        return self._standing(request).approvals

    def counted(self, request: ActionRequest) -> tuple[Vote, ...]:
        """Return the votes that the ledger counted, in its order; approvals only while their objects exist."""
        with self._lock:
            return self._stands(request, Electorate({})).votes

    def _stands(self, request: ActionRequest, people: Electorate) -> Standing:
        records, since = self._votes.of_request(request.metadata.uid or ""), self.protection.since()
        present = [vote for vote in map(vote_of, self._approvals(request)) if vote.at > since]
        return standing(records, present, people, request_facts(request))

    def _approvals(self, request: ActionRequest) -> tuple[Approval, ...]:
        self.approvals.complete_in(request.metadata.namespace or "")
        return self.approvals_of(request)

    def _standing(self, request: ActionRequest, *, fresh: bool = False) -> Tally:
        with self._lock:
            # Without votes it does not matter who is who: no need to ask for it every time.
            votes = self._stands(request, Electorate({})).votes
            electorate = self.people.at_vote(fresh=fresh) if votes else Electorate({})
            return self._stands(request, electorate).tally

    def is_ours(self, request: ActionRequest) -> bool:
        """Return whether the ledger saw exactly this spec proposed, whatever the status says.

        Raises:
            LedgerUnavailable, LedgerDiverged: not known now.
        """
        key = (request.metadata.uid or "", request.metadata.generation)
        known = self._origins.get(key)
        if known is None:
            record = self.ledger.find(created_id(key[0])) or self.ledger.find(intended_id(request))
            known = record is not None and record.entry.detail.get("specHash") == spec_hash(request.spec)
            if not known:
                logger.warning(
                    "ignoring a request that the ledger does not know as proposed",
                    extra={"request": request_reference(request)},
                )
            if len(self._origins) >= _REMEMBERED:
                self._origins.clear()
            self._origins[key] = known
        return known

    def _adopt(self, request: ActionRequest) -> ActionRequest:
        """Take in a request of ours that has no state yet."""
        uid = request.metadata.uid or ""
        if self.ledger.find(created_id(uid)) is None:
            self.ledger.append(
                Entry(
                    operation_id=created_id(uid),
                    actor="operator",
                    kind=RecordKind.PROPOSED,
                    request=request_reference(request),
                    plan_hash=request.spec.plan_hash,
                    result="created",
                    detail={"specHash": spec_hash(request.spec)},
                )
            )
            logger.info(
                "request proposed, it saves %s %s a month",
                request.spec.estimate.monthly_savings,
                request.spec.estimate.currency,
                extra=request_fields(request),
            )
            killpoint("propose.recorded")

        def change(current: ActionRequest) -> dict[str, Any]:
            if current.status.state is not None:
                # What was read is old: another thread has taken it in, and it may have gone far since.
                raise Conflict("the request was taken in already", code="StateChanged")
            required = current.spec.approval.required
            return request_status.proposed(current.status, required=required, fence=self.fence())

        return self.requests.write_status(request, change)

    def _judge_new_votes(self, request: ActionRequest) -> bool:
        """Judge what the ledger has not judged yet, then answer; return whether a new vote counted."""
        approvals = {approval.metadata.uid or "": approval for approval in self._approvals(request)}
        votes = votes_of(approvals.values())
        fresh = [vote for vote in votes if self._votes.verdict(vote) is None]
        misnamed = {uid for uid, one in approvals.items() if one.spec.request.name != request.metadata.name}
        changed = bool(fresh) and self._judge(request, fresh, misnamed)
        for vote in votes:
            known, approval = self._votes.verdict(vote), approvals[vote.uid]
            if known is not None and approval.status.result is None:
                self._answer(approval, known)
        return changed

    def _judge(self, request: ActionRequest, fresh: list[Vote], misnamed: Collection[str]) -> bool:
        facts, electorate, after = self._facts(request), self.people.at_vote(fresh=True), None
        before = len(counted := list(self.counted(request)))
        for vote in fresh:
            if vote.choice is Choice.WITHDRAW:
                # Nobody must read that a vote was taken back in the instant in which the act makes its first call.
                after, facts = self._last_sequence(facts.uid), self._facts(request)
            verdict = self._votes.too_many(request, vote, counted, electorate)
            verdict = verdict or (_MISNAMED if vote.uid in misnamed else None)
            verdict = verdict or (_UNPROTECTED if vote.at <= self.protection.since() else None)
            verdict = verdict or judge(vote, facts, counted, electorate, self.clock.now())
            recorded = self._votes.write(request, vote, verdict, electorate, after=after)
            after = None
            killpoint("vote.recorded")
            self.answered(recorded)
            if recorded.result is VoteResult.COUNTED:
                counted.append(vote)
        return len(counted) > before

    def _last_sequence(self, uid: str) -> int:
        records = self.ledger.of_request(uid)
        return records[-1].sequence if records else 0

    def _refuse_all(self, request: ActionRequest) -> None:
        """Answer votes on an object that somebody else made in the form of a request."""
        stranger = Verdict(VoteResult.REFUSED, RefusalReason.NOT_PROPOSED.value, _STRANGER)
        unknown = Electorate({})
        for approval in self._approvals(request):
            if approval.status.result is None:
                vote = vote_of(approval)
                verdict = self._votes.too_many(request, vote, (), unknown) or stranger
                known = self._votes.verdict(vote) or self._votes.write(request, vote, verdict, unknown)
                self._answer(approval, known)

    def _facts(self, request: ActionRequest) -> RequestFacts:
        """Return what votes are judged against: whether the act has begun or ended says the ledger, not the status."""
        facts = request_facts(request)
        if facts.state in TERMINAL:
            return facts
        begun = self._is_the_executors(facts.uid)
        if begun and facts.state in BEFORE_ACT:
            return replace(facts, state=State.EXECUTING)
        return facts if begun or facts.state in BEFORE_ACT else replace(facts, state=State.SCHEDULED)

    def has_begun(self, uid: str) -> bool:
        """Return whether an act has come to its first changing call. Raises LedgerUnavailable, LedgerDiverged."""
        return any(record.entry.kind is RecordKind.INTENT for record in self.ledger.of_request(uid))

    def _is_the_executors(self, uid: str) -> bool:
        # A dry run and what turned out stale end without any call.
        return self.has_begun(uid) or self.ledger.find(f"{uid}:ended") is not None

    def _answer_late_votes(self, request: ActionRequest) -> None:
        if any(approval.status.result is None for approval in self._approvals(request)):
            self._judge_new_votes(request)

    def _answer(self, approval: Approval, known: Verdict) -> None:
        message = known.message[:_ANSWER_CHARACTERS]
        answer = {"result": known.result.value, "reason": known.reason, "message": message}
        try:
            self.approvals.write_status(approval, lambda _: answer)
        except (Conflict, Unavailable) as error:
            # The verdict is recorded and sent at the next pass: a voter who cannot be answered keeps nobody else from
            # a decision. People also delete their votes before they are answered.
            logger.info("vote is answered later: %s", error, extra={"approval": approval.metadata.name})
        except (InvalidInput, Refused) as error:
            logger.warning("vote not answered: %s", error, extra={"approval": approval.metadata.name})

    def _decide(self, request: ActionRequest) -> ActionRequest:
        state = state_of(request)
        if state not in BEFORE_ACT:
            return request
        votes = self._standing(request)
        trigger = self._trigger(request, state, votes)
        if trigger is Trigger.QUORUM_LOST:
            self._find_missing(request)
            votes = self._standing(request, fresh=True)
            trigger = self._trigger(request, state, votes)
        if trigger is None:
            return self._show_votes(request, votes)
        current = self.requests.fresh(request)
        if state_of(current) is not state or not self.approvals.cache.is_complete_in(request.metadata.namespace or ""):
            # It has moved on, or the watch of the votes has begun to list again: the next pass sees everything.
            return current
        if state is not State.PENDING and self._is_the_executors(request.metadata.uid or ""):
            # The status lags behind: the act has made its first call or has ended, and the executor reports that.
            return current
        return self._record_decision(current, trigger, votes, sentence(trigger, votes, self.counted(request)))

    def _find_missing(self, request: ActionRequest) -> None:
        """Ask the API server for approvals that were counted and that the watch does not show."""
        shown = {approval.metadata.uid for approval in self._approvals(request)}
        for vote in self._votes.ever_counted(request.metadata.uid or ""):
            if vote.choice is Choice.APPROVE and vote.uid not in shown:
                found = self.approvals.api.get(request.metadata.namespace or "", vote.name)
                if found is not None and found.metadata.uid == vote.uid:
                    self.approvals.cache.put(found)

    def _record_decision(self, request: ActionRequest, trigger: Trigger, votes: Tally, message: str) -> ActionRequest:
        facts = self._facts(request)
        record = self._votes.decide(request, facts, trigger, votes, message)
        killpoint("decided.recorded")
        return self._show_decision(request, record)

    def _as_recorded(self, request: ActionRequest) -> ActionRequest:
        """Write a decision into a status that does not show it yet; nothing is decided twice."""
        uid, shown = request.metadata.uid or "", state_of(request)
        record = None if shown in TERMINAL else self._votes.decision(uid)
        if record is None:
            return request
        approved = record.entry.result == State.APPROVED
        # What has begun in spite of a final decision is the executor's to end.
        behind = shown is State.PENDING if approved else not self.has_begun(uid)
        return self._show_decision(request, record) if behind else request

    def _show_decision(self, request: ActionRequest, record: Record) -> ActionRequest:
        expected, decided = state_of(request), record.entry
        if State(decided.result) in TERMINAL:
            self.ended(request)
        votes = tally_of_decision(record, self._votes.ever_counted(request.metadata.uid or ""))

        def change(current: ActionRequest) -> dict[str, Any]:
            if state_of(current) is not expected:
                raise Conflict(f"the request is {state_of(current).value} by now", code="StateChanged")
            return request_status.decided(
                current.status,
                State(decided.result),
                reason=str(decided.detail["trigger"]),
                message=str(decided.detail["message"]),
                tally=votes,
                now=record.time,
                fence=self.fence(),
            )

        return self.requests.write_status(request, change)

    def _trigger(self, request: ActionRequest, state: State, votes: Tally) -> Trigger | None:
        expired = self.clock.now() >= request.spec.expires_at
        if state is State.PENDING:
            return votes.trigger or (Trigger.EXPIRED if expired else None)
        # Approved and Scheduled: the decision stands unless a vote was taken back, a denial counts, or it grew too old.
        if votes.denials or len(votes.approvals) < votes.required:
            return Trigger.QUORUM_LOST
        return Trigger.EXPIRED if expired else None

    def _show_votes(self, request: ActionRequest, votes: Tally) -> ActionRequest:
        shown = request.status.votes
        if shown is not None and (shown.approve, shown.deny) == (len(votes.approvals), len(votes.denials)):
            return request
        return self.requests.write_status(
            request, lambda current: request_status.tallied(current.status, votes, fence=self.fence())
        )


def _as_taken_in(request: ActionRequest, cache: KindCache[ActionRequest]) -> ActionRequest:
    """Return a request without a state as another thread has taken it in meanwhile, if one has.

    The proposer and the request loop both see a new request; a second first status would be refused as a lost race.
    """
    known = cache.get(request.metadata.namespace or "", request.metadata.name)
    if known is None or known.metadata.uid != request.metadata.uid or known.status.state is None:
        return request
    return known
