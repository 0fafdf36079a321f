"""What people can put off or end by a word: snoozes of requests, and pauses after an act that failed.

Read from the same objects as Slack's cards: the request's conditions and the votes on it that the operator counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.conditions import ACTS_PAUSED, ConditionStatus, find_condition
from finops.domain.decision import LONGEST_SNOOZE, Choice, State, VoteResult
from finops.errors import InvalidInput, Refused
from finops.k8s.kinds import approvals
from finops_web.people.visitors import Visitor
from finops_web.readings.requests import may_be_voted_on


def may_be_snoozed(request: ActionRequest) -> bool:
    """Return whether people can put the question off: an undo is asked by nobody but who wants it."""
    return may_be_voted_on(request) and request.spec.undoes is None


def why_paused(request: ActionRequest) -> str:
    """Return why acts of the request's kind and policy wait for a person to resume them, empty when they do not."""
    paused = find_condition(request.status.conditions, ACTS_PAUSED)
    return paused.message if paused is not None and paused.status is ConditionStatus.TRUE else ""


def open_snoozes(visitor: Visitor, requests: Iterable[ActionRequest], now: datetime) -> Mapping[str, datetime | None]:
    """Return uid of a snoozed request → its date, of those that nobody has ended and whose date has not come.

    The date is None where the visitor may not read votes: then whether the snooze still holds is the operator's answer.

    Raises:
        ClusterUnavailable: the API server does not answer.
    """
    snoozed = [one for one in requests if one.status.state is State.SNOOZED]
    votes: dict[str, tuple[Approval, ...] | None] = {}
    for namespace in {one.metadata.namespace or "" for one in snoozed}:
        try:
            votes[namespace] = tuple(approvals(visitor.connection, newer=True).list(namespace))
        except Refused:
            votes[namespace] = None
    found: dict[str, datetime | None] = {}
    for one in snoozed:
        uid, cast = one.metadata.uid or "", votes[one.metadata.namespace or ""]
        until = None if cast is None else _until(uid, cast)
        if cast is None or (until is not None and until > now):
            found[uid] = until
    return found


def _until(uid: str, votes: Iterable[Approval]) -> datetime | None:
    counted = [one.spec for one in votes if one.spec.request.uid == uid and one.status.result is VoteResult.COUNTED]
    if any(one.decision is Choice.WAKE for one in counted):
        return None
    return max((one.until for one in counted if one.until is not None), default=None)


def asked_again_on(text: str, now: datetime) -> datetime:
    """Return the start of the day, in UTC, that a form names as `2026-12-24`.

    Raises:
        InvalidInput: it names no day of the coming 366.
    """
    latest = (now + LONGEST_SNOOZE).astimezone(UTC).date()
    try:
        found = datetime.combine(date.fromisoformat(text.strip()), time(), UTC)
    except ValueError:
        found = now
    if not now < found <= now + LONGEST_SNOOZE:
        raise InvalidInput(
            "is no day to ask again on",
            field="until",
            hint=f"choose a day from {tomorrow(now)} to {latest}; the question comes again at 00:00 UTC",
        )
    return found


def tomorrow(now: datetime) -> date:
    """Return the first day that a snooze can end on."""
    return now.astimezone(UTC).date() + timedelta(days=1)
