"""Why an approved act stands still, from its status; pure.

Asked by housekeeping for the metric and `/readyz`, and by `finops doctor`. The card shows the same text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import IN_FLIGHT, State
from finops_operator.rules.votes import request_reference

TURNING_BACK: Final = "Turning back: "
"""Begins the message of an act that is being rolled back."""
_ALLOWED: Final = frozenset({State.APPROVED, State.SCHEDULED, *IN_FLIGHT})
_SHOWN: Final = 3
_LONGEST: Final = 200


def why_paused(request: ActionRequest) -> str:
    """Return why an act that people approved does not go on; empty while it does, and before and after it."""
    state, outcome = request.status.state, request.status.outcome
    if state not in _ALLOWED or outcome is None or not outcome.error:
        return ""
    # An act that is rolled back does not stand still, whatever its status says about the reason.
    return "" if outcome.error.startswith(TURNING_BACK) else outcome.error


def paused(requests: Iterable[ActionRequest]) -> dict[str, str]:
    """Return namespace and name of each act that stands still → why."""
    found = {request_reference(one).rpartition("/")[0]: why_paused(one) for one in requests}
    return {name: why for name, why in found.items() if why}


def in_one_line(acts: dict[str, str]) -> str:
    """Return how many acts stand still and why the first ones do, empty when none does."""
    if not acts:
        return ""
    shown = [f"{name}: {why[:_LONGEST]}" for name, why in sorted(acts.items())[:_SHOWN]]
    more = f"; and {len(acts) - _SHOWN} more" if len(acts) > _SHOWN else ""
    return " ".join(
        f"{len(acts)} approved {'act waits' if len(acts) == 1 else 'acts wait'}: {'; '.join(shown)}{more}".split()
    )
