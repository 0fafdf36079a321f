"""For how long an act has really saved, from what scans saw of its resource; pure.

Time counts as saved only between two sightings that both show the saving and lie close together. All other time is
unknown, never saved: before a scan that does not know the cost, over a gap, and before a scan that shows an end. An end
is final: what is saved later is somebody else's doing.

An act whose effect comes later, in a maintenance window or when AWS gets to it, saves from the first scan that shows
about the promised cost. Until then the old cost is no end; once the time is over in which it may come, it is.

Where no scan knows the cost by then, nor for some days more, nobody can measure it: it is neither to come nor zero. A
scan that knows the cost again measures from there on. What an act makes a resource cost more lasts by the same rules.

What an act changes is judged by the parts of the cost that it changes, where scans kept them. Of these parts some may
move by themselves: what is billed by use, and stored data. Where such a move alone can pass for half of the saving, no
scan can measure it. Where it can make up for all of it, a scan can show the saving but never disprove it: a cost that
does not show it is then unknown, and neither an end nor a saving that never came. A cost that moves by use shows it
only beside the setting that the act has made: a lower one alone may be a lower use. Where the setting is another one,
no act's of ours, the saving has ended, whatever the cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

LONGEST_UNSEEN: Final = timedelta(hours=26)
"""Time between two sightings above which nobody knows what was in between: a daily scan may be two hours late."""
GONE: Final = "A scan saw that the resource is gone."
AS_BEFORE: Final = "A scan saw that the resource costs as much as before the act."
CHANGED: Final = "A scan saw that the resource no longer has the setting that the act gave it."
UNDONE: Final = "The act was undone."
BY_ITSELF: Final = "AWS undoes it by itself after this time."
NEVER_SHOWED: Final = "It never showed: no scan saw it cost less by the time at which its effect was to have come."
LONGEST_BLIND: Final = timedelta(days=7)
"""Time after an effect should show for which a cost that no scan knows may still become known: prices and metrics that
fail for some days come back within it. Our own."""
UNPRICED: Final = "No scan knew what the resource costs after its effect was to show."
UNFIGURED: Final = "Its request had no figure for the cost before it or after it."
TOO_SMALL: Final = "The cost that it is a part of moves by itself by more than half of the saving."
HIDDEN: Final = "No scan showed it, and what moves by itself in the cost may hide it."
TAKEN_BACK: Final = "A later act on the same resource took it back."
MOVES: Final = Decimal("0.2")
"""By how much what moves by itself is taken to move, of itself: a use of 30 days against the one before. Our own."""
_SHOWS: Final = Decimal("0.5")
"""Part of the promised saving from which on a cost is about the promised one: nearer to it than to the old. Our own."""
_WHOLE: Final = Decimal(1)
_NOTHING: Final = Decimal(0)
_SECONDS_PER_HOUR: Final = Decimal(3600)


@dataclass(frozen=True, slots=True)
class Shows:
    """How an act shows in what its resource costs.

    Attributes:
        within: how long after its end the effect may take to show: what AWS takes, and until its figures have it; zero:
            it shows at once. Too short a time ends a saving that is still to come.
        parts: dimensions of the cost that the act changes; empty: any.
        moves: whether these move by themselves though they are not billed by use, as stored data does.
        setting: the attribute of the resource that the act sets; empty: none that the kind shows.
        parameter: the parameter of the act that has its value.
        fact: the fact of the plan's fingerprint that has its value before the act; empty: none has it by itself.
        used_after: whether what they cost after the act is billed by use, whatever it was billed by before.
    """

    within: timedelta = timedelta(0)
    parts: frozenset[str] = frozenset()
    moves: bool = False
    setting: str = ""
    parameter: str = ""
    fact: str = ""
    used_after: bool = False


AT_ONCE: Final = Shows()
"""How acts show that say nothing else: at once, in all that their resource costs."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What an act was approved for; amounts in US dollars.

    Attributes:
        since: when its end was read back from AWS.
        saving: a month, or once for `lasts`; negative where it costs more; None where no figure is known.
        before: what the parts of the cost that are judged were a month; None where it is not known.
        after: what they were to be a month; None where it is not known.
        lasts: after how long AWS undoes the act by itself; None: it lasts.
        destroys: whether the resource is to be gone.
        shows_within: how long after `since` its effect may take to show; zero: it is there at once.
        moving: what of `before`, or of `after` where that is more, moves by itself; None: not known, so that all of
            `before` may.
    """

    since: datetime
    saving: Decimal | None
    before: Decimal | None
    after: Decimal | None
    lasts: timedelta | None = None
    destroys: bool = False
    shows_within: timedelta = timedelta(0)
    moving: Decimal | None = _NOTHING


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a whole scan saw of the resource.

    Attributes:
        at: when its listing began.
        there: whether it was listed.
        cost: of the judged parts a month in US dollars, None: not known.
        as_set: whether it has the setting of the act, or of a later act of ours; None: not known.
    """

    at: datetime
    there: bool
    cost: Decimal | None = None
    as_set: bool | None = None


@dataclass(frozen=True, slots=True)
class Lasting:
    """What is known of the time since an act; times in whole seconds.

    Attributes:
        until: all time until here is either seen or unknown.
        share: part of the promised saving that the resource showed then, above 0 to 1; None: not known.
        saved: seconds for which the whole saving was seen; those with a part of it count as that part.
        seen: seconds between two sightings that showed the saving.
        unknown: seconds of which nobody knows.
        ended: from when on it saves nothing; None: it lasts.
        why: why it ended, in a sentence.
        waiting: whether no scan has shown the saving yet and it may still come; then `share` is unknown.
        measurable_until: from when on it cannot be measured unless a scan knew the cost; None: an older release's.
    """

    until: datetime
    share: Decimal | None = _WHOLE
    saved: Decimal = _NOTHING
    seen: int = 0
    unknown: int = 0
    ended: datetime | None = None
    why: str = ""
    waiting: bool = False
    measurable_until: datetime | None = None

    def blind(self, now: datetime) -> bool:
        """Return whether nobody can measure it: it has not ended, and no scan knew the cost though it was to show."""
        over = self.measurable_until is not None and now >= self.measurable_until
        return over and self.ended is None and self.share is None and not self.seen


def begun(promise: Promise) -> Lasting:
    """Return what is known right after the act: its end was read back from AWS, its effect may be still to come."""
    until = promise.since + promise.shows_within + LONGEST_BLIND
    if promise.shows_within > timedelta(0):
        return Lasting(promise.since, share=None, waiting=True, measurable_until=until)
    return Lasting(promise.since, share=None if too_small(promise) else _WHOLE, measurable_until=until)


def too_small(promise: Promise) -> bool:
    """Return whether what moves by itself can pass for half of the saving, so that no cost says what it saves."""
    saving, moving = _amounts(promise)
    return saving is not None and moving is not None and saving * _SHOWS < moving * MOVES


def hides(promise: Promise) -> bool:
    """Return whether what moves by itself, were it twice as much, can make up for the saving."""
    saving, moving = _amounts(promise)
    return saving is not None and moving is not None and saving < moving


def sighted(lasting: Lasting, promise: Promise, sighting: Sighting) -> Lasting:
    """Return what is known after a scan; an older sighting, and one after the end, says nothing new."""
    if lasting.ended is not None or sighting.at <= lasting.until:
        return lasting
    if lasting.measurable_until is None:
        lasting = replace(lasting, measurable_until=begun(promise).measurable_until)
    over = None if promise.lasts is None else promise.since + promise.lasts
    if over is not None and sighting.at >= over:
        return _stopped(lasting, max(over, lasting.until), BY_ITSELF)
    if not sighting.there and not promise.destroys:
        return _stopped(lasting, sighting.at, GONE)
    if sighting.there and sighting.as_set is False and not lasting.waiting:
        return _stopped(lasting, sighting.at, CHANGED)
    share = _WHOLE if not sighting.there else _share(promise, sighting)
    if lasting.waiting:
        return _waited(lasting, promise, sighting.at, share)
    if share is not None and share <= 0:
        return _stopped(lasting, sighting.at, AS_BEFORE)
    return _passed(lasting, sighting.at, share)


def unmeasured(lasting: Lasting, promise: Promise, now: datetime) -> str:
    """Return why nobody can measure what an act saves, in a sentence; empty where it is measured or still may be."""
    if too_small(promise) and lasting.ended is None and lasting.share is None and not lasting.seen:
        return TOO_SMALL
    if not lasting.blind(now):
        return ""
    if promise.before is None or promise.after is None:
        return UNFIGURED
    return HIDDEN if hides(promise) else UNPRICED


def ended(lasting: Lasting, at: datetime, why: str) -> Lasting:
    """Return what is known once it ended at a known time, until which the resource stood as it was last seen.

    Where an act of ours found that somebody else had changed it, nobody knows since when.
    """
    if lasting.ended is not None:
        return lasting
    at = max(at, lasting.until)
    if why == CHANGED:
        return _stopped(lasting, at, why)
    return replace(_passed(lasting, at, lasting.share), ended=at, why=why, waiting=False)


def saved_until_now(lasting: Lasting, promise: Promise, hours_per_month: Decimal) -> Decimal | None:
    """Return what the act has saved, in US dollars, unrounded; None where no figure is known."""
    if promise.saving is None:
        return None
    whole = promise.lasts / timedelta(seconds=1) if promise.lasts is not None else None
    seconds = hours_per_month * _SECONDS_PER_HOUR if whole is None else Decimal(int(whole))
    return promise.saving * lasting.saved / seconds


def _amounts(promise: Promise) -> tuple[Decimal | None, Decimal | None]:
    """Return by how much the judged parts change, whichever way, and what of them moves by itself."""
    if promise.before is None or promise.after is None:
        return None, promise.moving
    return abs(promise.before - promise.after), promise.before if promise.moving is None else promise.moving


def _share(promise: Promise, sighting: Sighting) -> Decimal | None:
    """Return what part of the saving a scan shows; None where it says nothing."""
    cost = sighting.cost
    if sighting.as_set is False:
        return _NOTHING
    if cost is None or promise.before is None or promise.after is None or promise.before == promise.after:
        return None
    share = min(_WHOLE, (promise.before - cost) / (promise.before - promise.after))
    by_use_alone = sighting.as_set is None and promise.moving is not None
    return None if too_small(promise) or (hides(promise) and (by_use_alone or share < _SHOWS)) else share


def _waited(lasting: Lasting, promise: Promise, at: datetime, share: Decimal | None) -> Lasting:
    """Return what is known after a scan of a resource on which the saving had not shown."""
    late = at >= promise.since + promise.shows_within
    if share is None:
        return _passed(lasting, at, None)
    if share >= _SHOWS or (late and share > 0):
        # Nobody saw when it began.
        return replace(_passed(lasting, at, share), waiting=False)
    # Until here nothing was saved, which is known.
    waits = replace(lasting, until=at)
    return replace(waits, ended=at, why=NEVER_SHOWED, waiting=False) if late else waits


def _passed(lasting: Lasting, at: datetime, share: Decimal | None) -> Lasting:
    passed = at - lasting.until
    seconds = int(passed / timedelta(seconds=1))
    if share is None or lasting.share is None or passed > LONGEST_UNSEEN:
        return replace(lasting, until=at, share=share, unknown=lasting.unknown + seconds)
    saved = lasting.saved + min(share, lasting.share) * seconds
    return replace(lasting, until=at, share=share, saved=saved, seen=lasting.seen + seconds)


def _stopped(lasting: Lasting, at: datetime, why: str) -> Lasting:
    """Nobody saw when it ended: the time before is unknown."""
    return replace(_passed(lasting, at, None), ended=at, why=why, waiting=False)
