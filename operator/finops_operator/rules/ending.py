"""The text about a request that has ended or needs a person: why, how things are now, and the next step; pure.

Called by whatever writes an end into a status. Card, event, `kubectl describe` and `finops requests` show this text.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from finops.domain.decision import State
from finops.domain.situation import NO_ANSWER, NOTHING_CALLED, NOTHING_CHANGED
from finops_operator.rules.candidates import QUIET_AFTER

_UNTOUCHED: Final = frozenset(
    {State.DENIED, State.EXPIRED, State.STALE, State.SUPERSEDED, State.WITHDRAWN, State.SNOOZED}
)
"""States in which an act ends before it has changed anything."""
_NOT_UNDONE: Final = frozenset({*_UNTOUCHED, State.ROLLED_BACK})
_UNDO_AGAIN: Final = "An approver can ask for the undo again."
_UNCHANGED: Final = NOTHING_CHANGED
_SAID: Final = (*(words.lower().rstrip(".") for words in (NOTHING_CHANGED, NOTHING_CALLED)), NO_ANSWER)
"""What a reason says of what was changed; the last one that nobody knows."""
_LONGEST_REASON: Final = 900
"""Characters of the reason that are kept, so that what follows it always fits."""
_KEPT_END: Final = 300
"""Characters of them that are its end."""


def ending(state: State, reason: str, *, dry_run: bool = False, is_undo: bool = False) -> str:
    """Return the whole text; empty for a state in which nothing ends and nobody is needed.

    Args:
        state: how it ended, or NeedsHuman.
        reason: why, and what was found, in sentences.
        dry_run: no act was meant to change anything.
        is_undo: the request undoes an act; the operator proposes none by itself.
    """
    next_step = _UNDO_AGAIN if is_undo and state in _NOT_UNDONE else _next_step(state, dry_run=dry_run)
    if next_step is None:
        return ""
    why = _sentence(_shortened(reason.strip()))
    said = NO_ANSWER in reason.lower() or any(words in why.lower() for words in _SAID)
    adds_unchanged = state in _UNTOUCHED and not said
    return " ".join(part for part in (why, _UNCHANGED if adds_unchanged else "", next_step) if part)


def _shortened(reason: str) -> str:
    """Return the reason without its middle where it is too long: its end says what was found."""
    if len(reason) <= _LONGEST_REASON:
        return reason
    return f"{reason[: _LONGEST_REASON - _KEPT_END - 3]} … {reason[-_KEPT_END:]}"


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _next_step(state: State, *, dry_run: bool) -> str | None:
    again = _days(QUIET_AFTER.get(state, timedelta(0)))
    match state:
        case State.SUCCEEDED:
            # After an act, what was found says how to undo it.
            return "To have it done, set the policy's actions.mode to Approve." if dry_run else ""
        case State.ROLLED_BACK if dry_run:
            return f"Grant the denied permissions. The next attempt is in {again}."
        case State.ROLLED_BACK | State.EXPIRED | State.WITHDRAWN:
            return f"If it is still recommended and allowed, it is proposed again in {again}."
        case State.STALE:
            return "If it is still recommended, the next scan proposes a new plan."
        case State.DENIED:
            return f"It is not proposed again for {again}."
        case State.SNOOZED:
            return "If it is still recommended then, it is proposed again; an approver may end the snooze before."
        case State.SUPERSEDED:
            return "Vote on the newer request, if there is one."
        case State.NEEDS_HUMAN:
            return "Check the resource in AWS. The operator continues by itself as soon as it can."
        case _:
            return None


def _days(pause: timedelta) -> str:
    return "a day" if pause.days == 1 else f"{pause.days} days"
