"""Casts a vote under a name that makes repeats collide, and that nobody else's object can stand in the way of.

Called by the bot for a click and by the command line. The name of an Approval is a hash of request, person and
decision, so that the same vote sent twice is one object. A vote that is asked anew (refused before, or taken back
since) gets a number behind that name; so does one whose name somebody else has taken, because names can be guessed.
Whether a vote counts is the operator's to say: in doubt it is asked again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from finops.crds.approval import Approval
from finops.crds.invalid import InvalidObject
from finops.domain.decision import NO_VOTES, Choice, RefusalReason, VoteResult
from finops.errors import Conflict, FinopsError, Refused

_ASKS_ANEW: Final = NO_VOTES | {Choice.UNDO}
"""What a person may ask for again after it was counted."""
NAMES: Final = 10
"""Names by number; the operator reads as many votes of one person on one request."""
TOO_MANY: Final = RefusalReason.TOO_MANY_VOTES.value


class ApprovalsApi(Protocol):
    """The part of `KindApi[Approval]` that a vote needs."""

    def create(self, obj: Approval) -> Approval: ...

    def get(self, namespace: str, name: str) -> Approval | None: ...


@dataclass(frozen=True, slots=True)
class SentVote:
    """The Approval whose verdict answers the vote; `earlier` when the same person had sent the same before."""

    approval: Approval
    earlier: bool


@dataclass(slots=True)
class Ballot:
    """One vote on its way into the cluster.

    Attributes:
        api: access to Approvals.
        vote: as `Approval.of` made it.
        others: all votes on the same request; None when they cannot be read. Asked only when it matters.
        about_to_create: called with the object right before each attempt to create it.
        tried: the object of the last attempt.
    """

    api: ApprovalsApi
    vote: Approval
    others: Callable[[], Iterable[Approval] | None]
    about_to_create: Callable[[Approval], None] = lambda _: None
    tried: Approval | None = field(default=None, init=False)

    def cast(self) -> SentVote:
        """Create the Approval, or find the one by which the same person has said the same and which still stands.

        Raises:
            Refused: the API server does not let us (its own code), or the operator has refused this vote `NAMES` times
                (code `TOO_MANY`).
            ClusterUnavailable: the vote may have been recorded; see `recorded`.
            InvalidInput, NotFound: as `KindApi.create`.
        """
        name, own = self.vote.metadata.name, 0
        for number in range(1, NAMES + 1):
            sent = self._try(name if number == 1 else f"{name}-{number}")
            if sent is not None and (not sent.earlier or self._stands(sent.approval)):
                return sent
            own += sent is not None
        # A stranger who sits on the numbers must not use them up.
        sent = self._try(f"{name}-{secrets.token_hex(8)}") if own < NAMES else None
        if sent is not None:
            return sent
        raise Refused(
            f"the operator has refused this vote {NAMES} times already; it judges no more of them",
            code=TOO_MANY,
        )

    def recorded(self) -> Approval | None:
        """Return the Approval if it exists after all, though creating it was not answered.

        Raises:
            As `KindApi.get`.
        """
        found = None if self.tried is None else self._found(self.tried.metadata.name)
        if found is None or self.tried is None:
            return None
        return found if found.status.result is None or found.spec == self.tried.spec else None

    def _try(self, name: str) -> SentVote | None:
        """Create the vote under `name`, or return the same vote that has it; None when something else has it."""
        metadata = self.vote.metadata.model_copy(update={"name": name})
        self.tried = self.vote.model_copy(update={"metadata": metadata})
        self.about_to_create(self.tried)
        try:
            return SentVote(self.api.create(self.tried), earlier=False)
        except Conflict:
            found = self._found(name)
        return None if found is None else SentVote(found, earlier=True)

    def _found(self, name: str) -> Approval | None:
        """Return the object of that name if it is the same vote of the same person; anything else is not ours."""
        try:
            found = self.api.get(self.vote.metadata.namespace or "", name)
        except InvalidObject:
            return None
        return found if found is not None and is_same_vote(found, self.vote) else None

    def _stands(self, found: Approval) -> bool:
        if found.status.result is not VoteResult.COUNTED or found.spec.decision in _ASKS_ANEW:
            # Without an answer it waits for the same one. Refused, it does not bind: a reason may be given by now. What
            # was ended may be in force again, and an undo that was asked for may have been denied since.
            return found.status.result is None
        try:
            others = self.others()
            # In doubt the operator is asked: it refuses a vote that stands, and nobody loses one that does not.
            return others is not None and not any(_may_undo(other, found) for other in others)
        except FinopsError:
            return False


def is_same_vote(one: Approval, other: Approval) -> bool:
    """Return whether two Approvals are the same person's same word on the same plan of the same request."""
    return _identity(one) == _identity(other)


def _identity(vote: Approval) -> tuple[str, ...]:
    spec = vote.spec
    return (spec.request.uid, spec.plan_hash, spec.decision.value, spec.approver.person, str(spec.until))


def _may_undo(other: Approval, vote: Approval) -> bool:
    """Return whether `other` may have ended what `vote` said.

    One human may have several handles, and stamps have whole seconds: whoever said it, and also in the same second.
    """
    if other.spec.decision in {vote.spec.decision, *_ASKS_ANEW} or other.status.result is VoteResult.REFUSED:
        return False
    return other.spec.request.uid == vote.spec.request.uid and _made(other) >= _made(vote)


def _made(vote: Approval) -> float:
    stamp: datetime | None = vote.metadata.creation_timestamp
    return float("inf") if stamp is None else stamp.timestamp()
