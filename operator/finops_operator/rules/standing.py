"""How a request stands: what the ledger counted, which of its approvals still exist, and what follows. Pure.

The decider and the gate ask this one function, so that a vote that one of them counts is never missed by the other.
A denial that the ledger counted holds permanently: whoever denied may leave the group or lose the object, the denial
stands until the same person takes it back. So does a snooze, a denial for a while; also after its date, because
what was approved before is asked about anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from finops.domain.audit import Record, RecordKind
from finops.domain.decision import TERMINAL, Choice, Electorate, RequestFacts, State, Tally, Vote, tally
from finops_operator.rules.votes import counted_votes

_AGAINST: Final = frozenset({Choice.DENY, Choice.WITHDRAW, Choice.SNOOZE})


@dataclass(frozen=True, slots=True)
class Standing:
    """The votes that count and what they add up to.

    Attributes:
        tally: approvals, denials and the number required.
        votes: every counted vote in the ledger's order, approvals only while their objects exist.
        unread: votes against the act whose objects exist and that the ledger has not judged yet.
        ended: the record that ended the request, None while it may still be carried out.
    """

    tally: Tally
    votes: tuple[Vote, ...]
    unread: tuple[Vote, ...]
    ended: Record | None

    @property
    def objection(self) -> Vote | None:
        """The first vote that stands against the act."""
        return objection(self.tally)


def objection(tally: Tally) -> Vote | None:
    """Return the vote that stands against an act, however many approve it: a denial, or a snooze."""
    return next(iter((*tally.denials, *tally.snoozes)), None)


def is_lost(tally: Tally) -> bool:
    """Return whether what was approved is not approved any more."""
    return objection(tally) is not None or len(tally.approvals) < tally.required


def _any(_vote: Vote) -> bool:
    return True


def standing(
    records: Iterable[Record],
    approvals: Iterable[Vote],
    people: Electorate,
    facts: RequestFacts,
    *,
    still_approver: Callable[[Vote], bool] = _any,
) -> Standing:
    """Return how a request stands.

    Args:
        records: the ledger's about the request; every judgement on a vote that was recorded is among them.
        approvals: the votes whose objects exist now.
        people: who is who, and who is in which group.
        facts: the request and its terms.
        still_approver: whether the author of an approval may still approve; asked of approvals alone.
    """
    known, present = tuple(records), tuple(approvals)
    judged = {record.entry.operation_id for record in known if record.entry.kind is RecordKind.VOTED}
    counted = counted_votes(known, {vote.uid for vote in present})
    kept = [vote for vote in counted if vote.choice is not Choice.APPROVE or still_approver(vote)]
    return Standing(
        tally=tally(kept, facts, people),
        votes=counted,
        unread=tuple(vote for vote in present if vote.choice in _AGAINST and f"vote:{vote.uid}" not in judged),
        ended=ending_record(known),
    )


def ending_record(records: Iterable[Record]) -> Record | None:
    """Return the first decision after which nothing may be carried out."""
    return next((one for one in records if one.entry.kind is RecordKind.DECIDED and one.entry.result in TERMINAL), None)


def standing_decision(records: Iterable[Record]) -> Record | None:
    """Return the decision in force: the first that ended the request, else the latest."""
    found: Record | None = None
    for record in records:
        if record.entry.kind is RecordKind.DECIDED and (found is None or found.entry.result not in TERMINAL):
            found = record
    return found


def allowed_by(records: Collection[Record], plan_hash: str) -> bool:
    """Return whether the ledger holds the whole way to an act: this plan proposed, then approved, then started."""
    place = 0
    steps = ((RecordKind.PROPOSED, None), (RecordKind.DECIDED, State.APPROVED.value), (RecordKind.OUTCOME, "started"))
    for record in sorted(records, key=lambda one: one.sequence):
        kind, result = steps[place]
        entry = record.entry
        if entry.kind is kind and entry.plan_hash == plan_hash and result in {None, entry.result}:
            place += 1
            if place == len(steps):
                return True
    return False
