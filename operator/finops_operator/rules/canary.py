"""Of several acts of one kind the first goes alone: the others wait until it is verified. Pure.

A policy asks for it with `actions.canary`. What counts as one kind is one action of one policy. If the first one fails,
the pause of that kind keeps the others (`decisions.pauses`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import State

PROVEN_FOR: Final = timedelta(hours=24)
"""How long others of its kind go without waiting after an act began: a batch of the next day has its own first."""
_FAILED: Final = frozenset({State.ROLLED_BACK, State.NEEDS_HUMAN})
_UNDER_WAY: Final = frozenset({State.SCHEDULED, State.EXECUTING, State.VERIFYING})
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
        if _is_act(one)
        and one.metadata.uid != request.metadata.uid
        and one.status.state in _UNDER_WAY
        and _place(one) < _place(request)
    ]
    return min(ahead, key=_place, default=None) if _is_act(request) else None


def may_prove(others: Iterable[ActionRequest], now: datetime) -> tuple[ActionRequest, ...]:
    """Return the acts whose status says that they ended well lately, the latest first; the ledger has to confirm it.

    What ended well before another one failed proves nothing: after a person has resumed acts, one goes alone again.
    """
    begun = [
        (one.status.execution.started_at, one)
        for one in others
        if _is_act(one) and one.status.execution is not None and one.status.execution.started_at is not None
    ]
    failed = max((at for at, one in begun if one.status.state in _FAILED), default=now - PROVEN_FOR)
    since = max(failed, now - PROVEN_FOR)
    lately = [(at, one) for at, one in begun if one.status.state is State.SUCCEEDED and at > since]
    return tuple(one for _, one in sorted(lately, key=lambda pair: pair[0], reverse=True))


def _is_act(request: ActionRequest) -> bool:
    return request.spec.undoes is None and not request.spec.dry_run


def _place(request: ActionRequest) -> tuple[datetime, str]:
    # Whoever is not scheduled yet comes after all that are.
    return request.status.scheduled_for or _NOT_YET, request.metadata.uid or ""
