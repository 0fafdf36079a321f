"""Of several acts of one kind the first goes alone: the others wait until it is verified. Pure.

A policy asks for it with `actions.canary`. What counts as one kind is one action of one policy. If the first one fails,
the pause of that kind keeps the others (`decisions.pauses`). An act that its watch finds worse than promised has
failed, whether it was undone or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import WatchState
from finops.domain.audit import Record, RecordKind
from finops.domain.decision import TERMINAL, State
from finops.domain.watching import Health

PROVEN_FOR: Final = timedelta(hours=24)
"""How long others of its kind go without waiting after an act began: a batch of the next day has its own first."""
_FAILED: Final = frozenset({State.ROLLED_BACK, State.NEEDS_HUMAN})
_UNDER_WAY: Final = frozenset({State.SCHEDULED, State.EXECUTING, State.VERIFYING})
_STARTED: Final = "started"
_ENDS: Final = frozenset(state.value for state in TERMINAL)
_NOT_YET: Final = datetime.max.replace(tzinfo=UTC)


def is_of_kind(raw: Mapping[str, Any], policy: str, action: str) -> bool:
    """Return whether an object as the API server has it is a request of that policy for that action."""
    spec = raw.get("spec")
    return isinstance(spec, Mapping) and spec.get("policy") == policy and spec.get("action") == action


def goes_first(request: ActionRequest, others: Iterable[ActionRequest]) -> ActionRequest | None:
    """Return the act of the same kind that is under way before this one, None when there is none.

    An undo and a dry run are no acts of that kind: they neither wait nor go first.
    """
    ahead = [
        one
        for one in others
        if is_act(one)
        and one.metadata.uid != request.metadata.uid
        and one.status.state in _UNDER_WAY
        and _place(one) < _place(request)
    ]
    return min(ahead, key=_place, default=None) if is_act(request) else None


def begun_without_request(
    records: Iterable[Record], kind: tuple[str, str, str], seen: Collection[str], uid: str
) -> str:
    """Return the name of an act of a kind that has begun and not ended though its request was deleted; empty for none.

    Args:
        records: the ledger's about acts that may not have ended, in order.
        kind: namespace, policy and action.
        seen: uids of the requests that there are.
        uid: of the request that asks; what began after it does not go before it.
    """
    gone: dict[str, str] = {}
    for record in records:
        entry = record.entry
        namespace, _, rest = entry.request.partition("/")
        name, _, of = rest.partition("/")
        if entry.kind is RecordKind.PROPOSED and entry.detail.get("undoes"):
            seen = {*seen, of}
        elif entry.kind is RecordKind.VERIFIED or (entry.kind is RecordKind.OUTCOME and entry.result in _ENDS):
            gone.pop(of, None)
        elif entry.kind is RecordKind.OUTCOME and entry.attempt == 0 and entry.result == _STARTED:
            if of == uid:
                break
            plan = entry.detail.get("plan")
            action = plan.get("action") if isinstance(plan, Mapping) else None
            if of not in seen and (namespace, entry.detail.get("policy"), action) == kind:
                gone[of] = name
    return next(iter(gone.values()), "")


def may_prove(others: Iterable[ActionRequest], now: datetime) -> tuple[ActionRequest, ...]:
    """Return the acts whose status says that they ended well lately, the latest first; the ledger has to confirm it.

    What ended well before another one failed proves nothing: after a person has resumed acts, one goes alone again.
    """
    begun = [
        (one.status.execution.started_at, one)
        for one in others
        if is_act(one) and one.status.execution is not None and one.status.execution.started_at is not None
    ]
    failed = max((at for at, one in begun if _has_failed(one)), default=now - PROVEN_FOR)
    since = max(failed, now - PROVEN_FOR)
    lately = [(at, one) for at, one in begun if one.status.state is State.SUCCEEDED and at > since]
    return tuple(one for _, one in sorted(lately, key=lambda pair: pair[0], reverse=True))


def _has_failed(request: ActionRequest) -> bool:
    watch = request.status.watch
    return request.status.state in _FAILED or (watch is not None and watch.state is WatchState.WORSE)


def ended_well(records: Iterable[Record]) -> bool:
    """Return whether an act's end was read back from AWS as approved, and its watch has found nothing worse.

    Args:
        records: the ledger's about its request.
    """
    entries = [one.entry for one in records]
    verified = any(one.kind is RecordKind.VERIFIED and one.result == State.SUCCEEDED for one in entries)
    return verified and not any(one.kind is RecordKind.WATCHED and one.result == Health.WORSE for one in entries)


def is_act(request: ActionRequest) -> bool:
    """Return whether a request is one more act of its kind: an undo and a dry run are none."""
    return request.spec.undoes is None and not request.spec.dry_run


def _place(request: ActionRequest) -> tuple[datetime, str]:
    # Whoever is not scheduled yet comes after all that are.
    return request.status.scheduled_for or _NOT_YET, request.metadata.uid or ""
