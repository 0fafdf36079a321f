"""How long an act takes over things, how a run came out, and what its status should say; used by the act stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.next_move import Situation
from finops.ports.act import ActProgress, ActRequest


@dataclass(frozen=True, slots=True)
class ActSettings:
    """Times of the executor, in seconds.

    Attributes:
        call_seconds: longest time one AWS call may take.
        lease_margin_seconds: what must be left of the lease after a call timed out.
        minimum_call_seconds: with less time than this left of the lease, or until the deadline of a session, wait for
            the lease to be renewed, or make a new session, instead.
        retry_seconds: pause after something did not answer.
        hold_seconds: pause between checks while an act that has begun may not go on; each asks the gate everything.
        longest_gap_seconds: from the beginning of an observation to the end of the next one, or to a call that stands
            on it, if that counts as without a gap. Shorter than `hold_seconds`: time enough to attach a volume, write
            to it and detach it.
        short_wait_seconds: what is waited for within a run; longer waits are left to the caller.
        attention_seconds: pause between checks once only a person can help.
    """

    call_seconds: float = 10.0
    lease_margin_seconds: float = 3.0
    minimum_call_seconds: float = 4.0
    retry_seconds: float = 5.0
    hold_seconds: float = 30.0
    longest_gap_seconds: float = 15.0
    short_wait_seconds: float = 0.3
    attention_seconds: float = 60.0

    def seconds_for_call(self, remaining: float) -> float | None:
        """Return how long a call may take so that it ends before the lease does; None when that is too short.

        Args:
            remaining: seconds until the lease ends.
        """
        seconds = min(self.call_seconds, remaining - self.lease_margin_seconds)
        return seconds if seconds >= self.minimum_call_seconds else None


@dataclass(frozen=True, slots=True)
class ActResult:
    """How a run came out.

    Attributes:
        state: a terminal state when the act has ended; NeedsHuman; None when it only waits or was handed over.
        message: why.
        retry_after_seconds: when to call `run` again; None when the act has ended.
    """

    state: State | None
    message: str
    retry_after_seconds: float | None = None


LEASE_TOO_SHORT: Final = ActResult(None, "Waiting: the lease is about to end", 1.0)


def verified_detail(situation: Situation, request: ActRequest, undo_by_hand: str) -> dict[str, Json]:
    """Return what the `verified` record holds.

    The fingerprint facts that differ from the plan's, the saving; in `reason` what is there now and how to get back.
    `undo_by_hand` is empty for an act that is an undo itself.
    """
    old, new = situation.plan.fingerprint, situation.observation.fingerprint
    keys = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    found = situation.procedure.found(situation.plan, situation.observation)
    return {
        "before": {key: str(old[key]) for key in keys if key in old},
        "after": {key: str(new[key]) for key in keys if key in new},
        "monthlySavings": request.estimate.get("monthlySavings", ""),
        **({"lastsDays": request.estimate["lastsDays"]} if "lastsDays" in request.estimate else {}),
        "reason": f"{found} To undo it: {undo_by_hand}.".strip() if undo_by_hand else found,
    }


def with_outcome(progress: ActProgress, detail: Mapping[str, Json]) -> ActProgress:
    """Add what the `verified` record holds: before, after and saving."""

    def texts(name: str) -> dict[str, str]:
        value = detail.get(name)
        return {key: str(item) for key, item in value.items()} if isinstance(value, Mapping) else {}

    saving = str(detail.get("monthlySavings") or "") or None
    return replace(progress, before=texts("before"), after=texts("after"), monthly_savings=saving)
