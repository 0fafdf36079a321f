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
_GONE: Final = "it may have been removed; read the list again"
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
        names: of requests, as `known` has them: `NAMESPACE/NAME`, which says where one would be that cannot be read, or
            a uid, which does not.
        known: the requests by name.
        read: where requests are closed to the visitor.
        decision: for all of them; a deletion is not approved with others.
    """

    def decided(name: str) -> Result:
        found = known.get(name)
        return _unknown(name, read) if found is None else _one(visitor, found, name, decision)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(decided, names))


def _unknown(name: str, read: ReadRequests) -> Result:
    namespace, slash, _ = name.partition("/")
    gap, message = read.gap_of(namespace), "There is no such request any more."
    if gap is not None:
        return Result(None, name[:256], False, False, f"Not sent. {gap.message}", "Forbidden")
    elsewhere = "" if slash else read.elsewhere()
    if elsewhere:
        message = "There is no such request where you may read requests."
    return Result(None, name[:256], False, False, message, "NotFound", elsewhere or _GONE)


def _one(visitor: Visitor, request: ActionRequest, name: str, decision: Decision) -> Result:
    if request.spec.destructive and decision.choice is Choice.APPROVE:
        return Result(request, name, False, False, _NOT_ALONE, "DeletionAlone", "vote on it by itself")
    try:
        sent = vote(visitor, request, decision.choice, decision.reason, wait_seconds=decision.wait_seconds)
    except FinopsError as error:
        return Result(request, name, False, False, str(error), error.code, error.hint)
    counted = sent.approval.status.result is VoteResult.COUNTED
    return Result(request, name, True, counted, answer_in_words(sent), repeated=counted and sent.earlier)
