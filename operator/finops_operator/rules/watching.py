"""What the ledger says about the hours after an act, and what the status of its request shows of that; pure.

The ledger alone says when an act is watched, whether a worse state was said already and whether the watch has ended: a
process that takes over reads the same records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import WatchState, WatchStatus
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import State
from finops.domain.quantity import counted
from finops.domain.watching import BEFORE, PROPOSE_UNDO, Health, Sign, reason, signs_to_json, verdict
from finops_operator.rules.undoing import UNDONE
from finops_operator.rules.votes import request_reference

_HOURS: Final = "hours"
"""In the record with which a watch ended: after how many hours."""
_LATE_HOURS: Final = 2
"""From here on what was read is not what was there when the watch ended."""


@dataclass(frozen=True, slots=True)
class WatchedTime:
    """The hours after an act.

    Attributes:
        started: when its first changing call was announced.
        since, until: from when on its hours count, and until when it is watched.
        before: how the resource did right before that call, as the watch of its action keeps it.
        worse: what became worse, found first; None: nothing did.
        ended: the record with which the watch ended; None: it goes on.
        effect: before which AWS had not brought the change into force, where its hours count from later than the end
            of the act; None: it was in force from that call on.
        stopped: whether nothing of the act is left to watch: it was undone, or the policy watches no more.
    """

    started: datetime
    since: datetime
    until: datetime
    before: Mapping[str, str] = field(default_factory=dict)
    worse: Record | None = None
    ended: Record | None = None
    stopped: bool = False
    effect: datetime | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it has to be read again."""
        return self.ended is None and not self.stopped


def _at_once(_before: Mapping[str, str], verified: datetime) -> datetime:
    return verified


def watched_time(
    records: Sequence[Record],
    hours: int,
    begins: Callable[[Mapping[str, str], datetime], datetime] = _at_once,
    effective: Callable[[Mapping[str, str], datetime], datetime] = _at_once,
) -> WatchedTime | None:
    """Return the hours after an act; None when there is nothing to watch.

    Args:
        records: the ledger's about its request. A dry run has none that it was verified; an undo is an act.
        hours: how long the policy watches now; 0: not at all. A watch that ended keeps its own time.
        begins: (what was kept of the resource, when the act was verified) → from when on its hours count.
        effective: the same → from when on AWS may have brought the change into force.
    """
    verified = next((one for one in records if _is_verified(one)), None)
    if verified is None:
        return None
    found = [one for one in records if one.entry.kind is RecordKind.WATCHED]
    ended = next((one for one in found if _HOURS in one.entry.detail), None)
    worse = next((one for one in found if _HOURS not in one.entry.detail), None)
    if not hours and not found:
        return None
    begun = next((one.time for one in records if one.entry.kind is RecordKind.INTENT), verified.time)
    lasts = int(str(ended.entry.detail[_HOURS])) if ended is not None else hours
    before = _before(records)
    since, effect = begins(before, verified.time), effective(before, verified.time)
    return WatchedTime(
        started=begun,
        since=since,
        until=since + timedelta(hours=lasts),
        before=before,
        worse=worse,
        ended=ended,
        # What may come into force as soon as the act has ended may have done so since its first call.
        effect=None if since <= verified.time else effect if effect > verified.time else begun,
        stopped=not hours or any(one.entry.kind is RecordKind.UNDONE and one.entry.result == UNDONE for one in records),
    )


def _before(records: Sequence[Record]) -> dict[str, str]:
    """Return how the resource did before its act, as the first record says that announced a call."""
    kept = next((one.entry.detail[BEFORE] for one in records if BEFORE in one.entry.detail and _announces(one)), None)
    return {str(name): str(value) for name, value in kept.items()} if isinstance(kept, Mapping) else {}


def _announces(record: Record) -> bool:
    return record.entry.kind is RecordKind.INTENT


def _is_verified(record: Record) -> bool:
    return record.entry.kind is RecordKind.VERIFIED and record.entry.result == State.SUCCEEDED


def watch_entry(
    act: ActionRequest, signs: Sequence[Sign], *, hours: int | None = None, propose_undo: bool = False
) -> Entry:
    """Return the record of what was found: the first worse state, or with `hours` the end of the watch.

    Args:
        act: its request.
        signs: what was read.
        hours: how long it was watched, at the end.
        propose_undo: whether the worse state asks for the undo of the act.
    """
    uid, end = act.metadata.uid or "", {PROPOSE_UNDO: propose_undo} if hours is None else {_HOURS: hours}
    return Entry(
        operation_id=f"{uid}:watch:{'worse' if hours is None else 'end'}",
        actor="operator",
        kind=RecordKind.WATCHED,
        request=request_reference(act),
        plan_hash=act.spec.plan_hash,
        result=verdict(signs).value,
        detail={"reason": reason(signs), "signs": signs_to_json(signs), **end},
    )


def read_late(signs: Sequence[Sign], late: timedelta) -> tuple[Sign, ...]:
    """Return the signs with the word that they were read after the hours of the watch, where nobody read in time.

    What AWS shows days later may have another cause than the act; whoever reads it must know when it was read.
    """
    hours = late // timedelta(hours=1)
    if not signs or hours < _LATE_HOURS:
        return tuple(signs)
    words = f"It was read {counted(hours, 'hour')} after the end of the watch; it may have another cause than the act."
    return (*signs, Sign("time", verdict(signs), words))


def watch_shown(time: WatchedTime | None, how_to_undo: str) -> WatchStatus | None:
    """Return what the status of the act's request shows.

    Args:
        time: the hours after the act; None: it is not watched.
        how_to_undo: how approvers have the act undone, in a sentence; said with a worse state.
    """
    if time is None or (time.stopped and time.worse is None and time.ended is None):
        return None
    state, worse, message = WatchState.WATCHING, None, None
    if time.ended is not None:
        entry = time.ended.entry
        state = _STATES[Health(entry.result)]
        message = f"{entry.detail[_HOURS]} hours later: {_OPENINGS[Health(entry.result)]} {entry.detail['reason']}"
    if time.worse is not None:
        state = WatchState.WORSE
        worse = f"{time.worse.entry.detail['reason']} {how_to_undo}".rstrip()
    return WatchStatus(state=state, until=time.until.replace(microsecond=0), worse=worse, message=message)


_STATES: Final = {
    Health.WELL: WatchState.WELL,
    Health.WORSE: WatchState.WORSE,
    Health.UNKNOWN: WatchState.UNKNOWN,
}
_OPENINGS: Final = {
    Health.WELL: "it does well.",
    Health.WORSE: "it is worse than promised.",
    Health.UNKNOWN: "not known whether it does well.",
}
