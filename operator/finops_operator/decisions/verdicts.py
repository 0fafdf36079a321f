"""What the ledger says about votes and decisions, read once per request: each pass counts from here, not from statuses.

Used by the decider, under its lock. Only the holder of the lease writes verdicts and decisions, so what was read stays
whole until the lease changes hands (`start_again`) or an append does not answer: it may have been stored, so the
request's records are read again before anything is counted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import (
    Choice,
    Electorate,
    RefusalReason,
    RequestFacts,
    Tally,
    Trigger,
    Verdict,
    Vote,
    VoteResult,
)
from finops.domain.transitions import next_state
from finops.ports.ledger import Ledger
from finops_operator.rules.log_fields import request_fields
from finops_operator.rules.standing import standing_decision
from finops_operator.rules.votes import counted_votes, recorded_vote, request_reference, voter_detail

logger = logging.getLogger(__name__)
VOTES_A_PERSON: Final = 10
"""Votes of one person on one request that are judged; each is a record that is synced to two disks."""
_REMEMBERED: Final = 20_000
_TAKES_BACK: Final = frozenset({Choice.WITHDRAW, Choice.DENY, Choice.SNOOZE})
_TOO_MANY: Final = Verdict(
    VoteResult.REFUSED,
    RefusalReason.TOO_MANY_VOTES.value,
    f"More than {VOTES_A_PERSON} votes of one person on one request; the rest is not judged.",
)


class RecordedVerdicts:
    """Verdicts by request and vote, and decisions by request."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._of_request: dict[str, dict[str, Record]] = {}
        """Request uid → operation id → record of a verdict or a decision, in the ledger's order."""
        self._known: dict[str, Verdict] = {}
        """Vote uid → verdict, also those that the ledger does not hold because there were too many."""

    def start_again(self) -> None:
        """Forget everything: another process may have judged since."""
        self._of_request.clear()
        self._known.clear()

    def verdict(self, vote: Vote) -> Verdict | None:
        """Return what was answered to `vote`, None when it was not judged yet. Raises LedgerUnavailable."""
        known = self._known.get(vote.uid)
        if known is None:
            record = self._ledger.find(_id(vote))
            if record is None:
                return None
            if record.entry.operation_id not in self._read(vote.request_uid):
                # Its append reached the ledger and the answer was lost: what was read before lacks it.
                self._of_request.pop(vote.request_uid, None)
            known = self._remember(vote, _judged(record))
        return known

    def of_request(self, request_uid: str) -> tuple[Record, ...]:
        """Return the verdicts and decisions about a request, in the ledger's order. Raises LedgerUnavailable."""
        return tuple(self._read(request_uid).values())

    def ever_counted(self, request_uid: str) -> tuple[Vote, ...]:
        """Return the counted votes on a request, whatever became of their objects. Raises LedgerUnavailable."""
        votes = _votes_in(self.of_request(request_uid))
        return counted_votes(votes, {recorded_vote(record).uid for record in votes})

    def decision(self, request_uid: str) -> Record | None:
        """Return what was decided about a request, finally if it was. Raises LedgerUnavailable."""
        return standing_decision(self.of_request(request_uid))

    def decide(
        self,
        request: ActionRequest,
        facts: RequestFacts,
        trigger: Trigger,
        standing: Tally,
        message: str,
        *,
        after: int,
    ) -> Record:
        """Record a decision; return what stands in the ledger: the earlier record if it was decided so before.

        Args:
            request: what is decided.
            facts: the same, with the state it is really in.
            trigger: what moves it.
            standing: the votes.
            message: why, for people.
            after: sequence of the request's last record when `facts` were read.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost: not recorded, or not known to be.
            Conflict: there are records after `after`; not recorded.
        """
        entry = _decision(request, facts, trigger, standing, message)
        is_new = entry.operation_id not in self._read(facts.uid)
        record = self._append(facts.uid, entry, after=after)
        if is_new:
            people = [vote.voter.handle for vote in (*standing.denials, *standing.approvals)]
            logger.info("request decided, %s: %s", record.entry.result, message, extra=_fields(request, people))
        return record

    def too_many(
        self, request: ActionRequest, vote: Vote, counted: Iterable[Vote], electorate: Electorate
    ) -> Verdict | None:
        """Return the refusal of somebody's vote beyond the limit.

        Taking back a standing approval is never too much: it is possible once, because no approval counts beyond it.
        What takes nothing back, such as resuming acts, has no such exception.
        """
        person = electorate.person(vote.voter)
        if len(self._own(request, person, electorate)) < VOTES_A_PERSON:
            return None
        own = [one.choice for one in counted if electorate.person(one.voter) == person]
        if vote.choice in _TAKES_BACK and own and own[-1] is Choice.APPROVE:
            return None
        return _TOO_MANY

    def write(
        self, request: ActionRequest, vote: Vote, verdict: Verdict, electorate: Electorate, *, after: int | None = None
    ) -> Verdict:
        """Record a verdict, that there are too many of a person's votes only once.

        Args:
            request: what the vote is on.
            vote: the vote.
            verdict: the answer.
            electorate: who is who.
            after: sequence of the request's last record that the verdict rests on; None when it rests on no later one.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost: not recorded.
            Conflict: there are records after `after`; not recorded.
        """
        if verdict is _TOO_MANY:
            own = self._own(request, electorate.person(vote.voter), electorate)
            if any(record.entry.detail["verdict"] == verdict.reason for record in own):
                return self._remember(vote, verdict)
        person = electorate.person(vote.voter)
        earlier = {record.entry.actor for record in self._own(request, person, electorate)} - {vote.voter.handle}
        entry = _entry(request, vote, verdict, person, sorted(earlier))
        record = self._append(request.metadata.uid or "", entry, after=after)
        recorded = self._remember(vote, _judged(record))
        refusal = "" if recorded.result is VoteResult.COUNTED else f", {recorded.reason}"
        fields = {**_fields(request, [vote.voter.handle]), "approval": vote.name}
        logger.info("vote %s: %s%s", record.entry.result, vote.choice.value, refusal, extra=fields)
        return recorded

    def _append(self, request_uid: str, entry: Entry, *, after: int | None = None) -> Record:
        known = self._read(request_uid)
        # Until the answer is there nobody counts from what was read before.
        self._of_request.pop(request_uid, None)
        record = self._ledger.append(entry, after=after)
        known[record.entry.operation_id] = record
        self._of_request[request_uid] = known
        return record

    def _own(self, request: ActionRequest, person: str, electorate: Electorate) -> list[Record]:
        records = _votes_in(self.of_request(request.metadata.uid or ""))
        return [record for record in records if electorate.person(recorded_vote(record).voter) == person]

    def _read(self, request_uid: str) -> dict[str, Record]:
        known = self._of_request.get(request_uid)
        if known is None:
            known = {
                record.entry.operation_id: record
                for record in self._ledger.of_request(request_uid)
                if record.entry.kind in {RecordKind.VOTED, RecordKind.DECIDED}
            }
            if len(self._of_request) >= _REMEMBERED:
                self._of_request.clear()
            self._of_request[request_uid] = known
        return known

    def _remember(self, vote: Vote, judged: Verdict) -> Verdict:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[vote.uid] = judged
        return judged


def _votes_in(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(record for record in records if record.entry.kind is RecordKind.VOTED)


def _fields(request: ActionRequest, people: Sequence[str]) -> dict[str, str]:
    return {**request_fields(request), "person": ", ".join(people)}


def _id(vote: Vote) -> str:
    return f"vote:{vote.uid}"


def _judged(record: Record) -> Verdict:
    result = VoteResult.COUNTED if record.entry.result == "counted" else VoteResult.REFUSED
    detail = record.entry.detail
    return Verdict(result, str(detail["verdict"]), str(detail["message"]))


def _entry(request: ActionRequest, vote: Vote, verdict: Verdict, person: str, earlier: Sequence[str]) -> Entry:
    """Return the record of a vote; `earlier` are other handles under which the same person has voted on the request."""
    return Entry(
        operation_id=_id(vote),
        actor=vote.voter.handle,
        kind=RecordKind.VOTED,
        request=request_reference(request),
        plan_hash=vote.plan_hash,
        result="counted" if verdict.result is VoteResult.COUNTED else "refused",
        detail={
            "choice": vote.choice.value,
            "reason": vote.reason,
            "verdict": verdict.reason,
            "message": verdict.message,
            "voter": voter_detail(vote.voter),
            # Who that was by the mapping of this moment: the verifier knows no mapping.
            "person": person,
            **({"alsoAs": list(earlier)} if earlier else {}),
            "approval": vote.name,
            **({"until": vote.until.isoformat()} if vote.until is not None else {}),
        },
    )


def _decision(request: ActionRequest, facts: RequestFacts, trigger: Trigger, standing: Tally, message: str) -> Entry:
    target, until = next_state(facts.state, trigger), snoozed_until(standing)
    return Entry(
        operation_id=f"decided:{facts.uid}:{target.value}",
        actor="operator",
        kind=RecordKind.DECIDED,
        request=request_reference(request),
        plan_hash=facts.plan_hash,
        result=target.value,
        detail={
            "trigger": trigger.value,
            "approvals": [vote.voter.handle for vote in standing.approvals],
            "denials": [vote.voter.handle for vote in standing.denials],
            "required": standing.required,
            # Who is surely not somebody else by the mapping of this moment: the verifier knows no mapping.
            "mapped": list(standing.mapped),
            # A mapping that was corrected since the votes makes other people of them.
            "people": dict(standing.people),
            "message": message,
            "expiresAt": facts.terms.expires_at.isoformat(),
            **({"stepUp": True} if facts.terms.step_up else {}),
            **({"until": until.isoformat()} if until is not None and trigger is Trigger.SNOOZED else {}),
        },
    )


def snoozed_until(standing: Tally) -> datetime | None:
    """Return the date of the snoozes that stand; of several the latest."""
    return max((vote.until for vote in standing.snoozes if vote.until is not None), default=None)


def sentence(trigger: Trigger, standing: Tally, votes: tuple[Vote, ...]) -> str:
    """Return why a request is decided so, for people; `votes` are all that were counted."""
    names = ", ".join(vote.voter.handle for vote in standing.approvals)
    match trigger:
        case Trigger.QUORUM_REACHED:
            return f"Approved by {names} ({len(standing.approvals)} of {standing.required})."
        case Trigger.DENIED:
            denial = standing.denials[0]
            return (
                f"Denied by {denial.voter.handle}: {denial.reason}"
                if denial.reason
                else (f"Denied by {denial.voter.handle}.")
            )
        case Trigger.SNOOZED:
            snooze, until = standing.snoozes[0], snoozed_until(standing)
            return f"Snoozed until {until:%Y-%m-%d %H:%M} UTC by {snooze.voter.handle}. {snooze.reason}".rstrip()
        case Trigger.QUORUM_LOST if standing.denials:
            denial = standing.denials[0]
            return f"No longer approved: {denial.voter.handle} denied it. {denial.reason}".rstrip()
        case Trigger.QUORUM_LOST if standing.snoozes:
            snooze, until = standing.snoozes[0], snoozed_until(standing)
            who, date = snooze.voter.handle, f"{until:%Y-%m-%d %H:%M} UTC"
            return f"No longer approved: {who} snoozed it until {date}. {snooze.reason}".rstrip()
        case Trigger.QUORUM_LOST if standing.note:
            return f"No longer approved. {standing.note}"
        case Trigger.QUORUM_LOST:
            back = [vote.voter.handle for vote in votes if vote.choice is Choice.WITHDRAW]
            last = back[-1] if back else "an approver"
            return f"No longer approved: {last} took the vote back; {len(standing.approvals)} of {standing.required}."
        case _:
            return "Expired before it was carried out; nothing was changed."
