"""One decision with one reason on many requests: a vote of the visitor's own for each, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import Choice, VoteResult
from finops.errors import FinopsError
from finops_web.people.visitors import Visitor
from finops_web.readings.requests import ReadRequests, answer_in_words, vote

MOST: Final = 100
_AT_ONCE: Final = 8
_NOT_ALONE: Final = "Not sent: a deletion is approved on its own, by typing the name of what is deleted."


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one vote.

    Attributes:
        request: None where there is none, or none that the visitor may read.
        sent: whether the vote reached the API server.
        answered: whether the operator counted it already.
        repeated: whether the visitor had voted so before and that vote stands: nothing was counted anew.
        message: the operator's sentence, or why nothing was sent.
        code: why nothing was sent or counted, in one word; empty where something was.
        hint: what to do about it.
    """

    request: ActionRequest | None
    name: str
    sent: bool
    answered: bool
    message: str
    code: str = ""
    hint: str = ""
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided on all of them."""

    choice: Choice
    reason: str
    wait_seconds: float


def decide_all(
    visitor: Visitor, names: Sequence[str], known: Mapping[str, ActionRequest], read: ReadRequests, decision: Decision
) -> list[Result]:
    """Send a vote for each name, and return what became of each, in their order; nothing of one stops another.

    Args:
        visitor: whose votes they are.
        names: of requests, as `known` has them; `NAMESPACE/NAME` says where a request would be that cannot be read.
        known: the requests by name.
        read: where requests are closed to the visitor.
        decision: for all of them; a deletion is not approved with others.
    """

    def decided(name: str) -> Result:
        gap = read.gap_of(name.partition("/")[0])
        if gap is not None and name not in known:
            return Result(None, name[:256], False, False, f"Not sent. {gap.message}", "Forbidden")
        return _one(visitor, known.get(name), name, decision)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(decided, names))


def _one(visitor: Visitor, request: ActionRequest | None, name: str, decision: Decision) -> Result:
    if request is None:
        hint = "it may have been removed; read the list again"
        return Result(None, name[:256], False, False, "There is no such request any more.", "NotFound", hint)
    if request.spec.destructive and decision.choice is Choice.APPROVE:
        return Result(request, name, False, False, _NOT_ALONE, "DeletionAlone", "vote on it by itself")
    try:
        sent = vote(visitor, request, decision.choice, decision.reason, wait_seconds=decision.wait_seconds)
    except FinopsError as error:
        return Result(request, name, False, False, str(error), error.code, error.hint)
    counted = sent.approval.status.result is VoteResult.COUNTED
    return Result(request, name, True, counted, answer_in_words(sent), repeated=counted and sent.earlier)
