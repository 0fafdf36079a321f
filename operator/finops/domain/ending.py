"""Decides whether a person may end a pause of acts or a snooze; pure.

Beside `finops.domain.decision`, which judges votes on a request: what ends a pause or a snooze is judged by the policy
as it is now, and says nothing about the request that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from finops.domain.decision import (
    Approver,
    Choice,
    Electorate,
    RefusalReason,
    RequestFacts,
    Verdict,
    Vote,
    VoteResult,
    eligible_by,
    misplaced,
    named,
    reason_missing,
)


@dataclass(frozen=True, slots=True)
class EndTerms:
    """Who may end a pause or a snooze, by one policy as it is now: an old request may name people who have left.

    Attributes:
        policy: its name.
        approvers: one of them is enough.
        require_reason: `Never`, `Deny` or `Always`.
    """

    policy: str
    approvers: tuple[Approver, ...]
    require_reason: str


def judge_word(
    vote: Vote, request: RequestFacts, terms: tuple[EndTerms, ...], electorate: Electorate, *, nothing: str = ""
) -> Verdict:
    """Decide whether a person may end a pause of the request's kind and policy, or a snooze of its resource.

    Args:
        vote: of choice Resume or Wake, on a request in whatever state.
        request: the request.
        terms: of every policy whose pause or snooze would end; the person must be an approver of each.
        electorate: who is in which group.
        nothing: why there is nothing to end, empty when there is.
    """
    refusal = misplaced(vote, request)
    for one in terms:
        if refusal is None and eligible_by(vote.voter, one.approvers, electorate) is None:
            who = named(one.approvers)
            refusal = (
                RefusalReason.NOT_ELIGIBLE,
                f"{vote.voter.handle} is not an approver of policy {one.policy}. Approvers: {who}.",
            )
    if refusal is None and nothing:
        refusal = _NOTHING_TO_END[vote.choice], nothing
    for one in terms:
        refusal = refusal or reason_missing(vote, one.require_reason)
    if refusal is not None:
        return Verdict(VoteResult.REFUSED, refusal[0], refusal[1])
    return Verdict(VoteResult.COUNTED, vote.choice.value, _ENDED[vote.choice])


_ENDED: Final = {
    Choice.RESUME: "Resumed: approved acts of this kind begin again.",
    Choice.WAKE: "The snooze is ended: it is asked again after the next scan, if it is still recommended.",
}
_NOTHING_TO_END: Final = {Choice.RESUME: RefusalReason.NOT_PAUSED, Choice.WAKE: RefusalReason.NOT_SNOOZED}
