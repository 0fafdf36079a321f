"""What the ledger says about votes, read once per request and kept: each look counts from here, not from statuses.

Used by the decider, under its lock. Only the holder of the lease writes verdicts, so what was read stays whole until
the lease changes hands; `start_again` forgets it then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import Choice, Electorate, RefusalReason, Verdict, Vote, VoteResult
from finops.kinds.action_request import ActionRequest
from finops.ports.ledger import Ledger
from finops_operator.votes import counted_votes, request_reference, vote_told_by, voter_detail

VOTES_A_PERSON: Final = 10
"""Votes of one person on one request that are judged; each is a record that is synced to two disks."""
_REMEMBERED: Final = 20_000
_TOO_MANY: Final = Verdict(
    VoteResult.REFUSED,
    RefusalReason.TOO_MANY_VOTES.value,
    f"More than {VOTES_A_PERSON} votes of one person on one request; the rest is not looked at.",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on one vote; it never changes."""

    result: VoteResult
    reason: str
    message: str


class VoteRecords:
    """Verdicts by request and vote."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._of_request: dict[str, dict[str, Record]] = {}
        """Request uid → vote uid → its record."""
        self._known: dict[str, Judged] = {}
        """Vote uid → verdict, also those that the ledger does not hold because there were too many."""

    def start_again(self) -> None:
        """Forget everything: another process may have judged since."""
        self._of_request.clear()
        self._known.clear()

    def verdict(self, vote: Vote) -> Judged | None:
        """Return what was answered to `vote`, None when it was not judged yet. Raises LedgerUnavailable."""
        known = self._known.get(vote.uid)
        if known is None:
            record = self._ledger.find(_id(vote))
            known = None if record is None else self._remember(vote, _judged(record))
        return known

    def counted(self, request_uid: str, present: Collection[str]) -> tuple[Vote, ...]:
        """Return the counted votes on a request; see `votes.counted_votes`. Raises LedgerUnavailable."""
        return counted_votes(self._records(request_uid).values(), present)

    def too_many(
        self, request: ActionRequest, vote: Vote, counted: Iterable[Vote], electorate: Electorate
    ) -> Verdict | None:
        """Return the refusal of somebody's vote beyond the limit.

        Taking back a standing approval is never too much: it is possible once, because no approval counts beyond it.
        """
        person = electorate.person(vote.voter)
        if len(self._own(request, person, electorate)) < VOTES_A_PERSON:
            return None
        own = [one.choice for one in counted if electorate.person(one.voter) == person]
        if vote.choice is not Choice.APPROVE and own and own[-1] is Choice.APPROVE:
            return None
        return _TOO_MANY

    def write(self, request: ActionRequest, vote: Vote, verdict: Verdict, electorate: Electorate) -> Judged:
        """Record a verdict, that there are too many of a person's votes only once.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost: not recorded.
        """
        if verdict is _TOO_MANY:
            own = self._own(request, electorate.person(vote.voter), electorate)
            if any(record.entry.detail["verdict"] == verdict.reason for record in own):
                return self._remember(vote, Judged(verdict.result, verdict.reason, verdict.message))
        record = self._ledger.append(_entry(request, vote, verdict))
        self._records(request.metadata.uid or "")[vote.uid] = record
        return self._remember(vote, _judged(record))

    def _own(self, request: ActionRequest, person: str, electorate: Electorate) -> list[Record]:
        records = self._records(request.metadata.uid or "").values()
        return [record for record in records if electorate.person(vote_told_by(record).voter) == person]

    def _records(self, request_uid: str) -> dict[str, Record]:
        known = self._of_request.get(request_uid)
        if known is None:
            found = [one for one in self._ledger.of_request(request_uid) if one.entry.kind is RecordKind.VOTED]
            known = {vote_told_by(record).uid: record for record in found}
            if len(self._of_request) >= _REMEMBERED:
                self._of_request.clear()
            self._of_request[request_uid] = known
        return known

    def _remember(self, vote: Vote, judged: Judged) -> Judged:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[vote.uid] = judged
        return judged


def _id(vote: Vote) -> str:
    return f"vote:{vote.uid}"


def _judged(record: Record) -> Judged:
    result = VoteResult.COUNTED if record.entry.result == "counted" else VoteResult.REFUSED
    detail = record.entry.detail
    return Judged(result, str(detail["verdict"]), str(detail["message"]))


def _entry(request: ActionRequest, vote: Vote, verdict: Verdict) -> Entry:
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
            "approval": vote.name,
        },
    )
