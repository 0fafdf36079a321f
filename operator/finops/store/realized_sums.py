"""What acts that ended well save together, one by one and net of what others cost more; pure.

One meaning for every sum of them: status of a policy, dashboard, API, and the sums by month of the act. An act counts
for what it changes against the cost right before it, as long as scans show it. It counts for nothing once it was
undone, once it has ended, and once a later act on the same resource took it back; what saves once keeps what scans saw
it save until then. Of a rise, a start that somebody asked for, that took back savings only what exceeds them counts,
and a saving that takes back such a rise counts for so much less. So acts that take each other back count together for
no more than the cost before the first saving less the cost now; what somebody asked for before it is no part of that.
An act that sets a resource back to what it was before a saving ends that saving and saves nothing itself: the resource
stands as before both, and what it costs less is a lower use. Whatever each counts for, acts that set one attribute
count together for no more than `realized_most` allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from finops.domain.lasting import TAKEN_BACK, UNDONE, Lasting, saved_until_now
from finops.domain.money import to_cents
from finops.domain.realised import Realised, realised
from finops.store.realized import by_resource, hours_per_month, is_undo, promise_of, stood_until, undone_by, whole_cost
from finops.store.realized_most import most_saved
from finops.store.realized_settings import Settings, settings_of

LONGEST_UNWATCHED: Final = timedelta(days=32)
"""Time without a scan after which nobody knows what became of an act: a policy may be scanned once a month. Our own."""
_MONTH: Final = timedelta(days=30)
_NOTHING: Final = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Counted:
    """What one act counts for, in US dollars, rounded to cents.

    Attributes:
        time: when its end was verified, ISO 8601.
        amount: of an act that lasts a month, negative where it costs more; of one that AWS undoes by itself what it
            saved once, when it is over in the hours that scans saw; 0.00: it counts for nothing; None: not known.
        once: whether AWS undoes it by itself.
        recent: whether its end is less than 30 days ago.
    """

    time: str
    amount: Decimal | None
    once: bool
    recent: bool

    @property
    def a_month(self) -> Decimal | None:
        """What it counts for in the sum a month by now: what was saved once for a month, and then for nothing."""
        return self.amount if self.recent or not self.once else _NOTHING


def realised_a_month(
    entries: Iterable[Mapping[str, Any]],
    now: datetime,
    lasting: Mapping[str, Lasting] | None = None,
    own: Callable[[Mapping[str, Any]], bool] = lambda _entry: True,
) -> Realised:
    """Return what acts save in a month by now; arguments as `counted`."""
    return realised(one.a_month for one in counted(entries, now, lasting, own))


def counted(
    entries: Iterable[Mapping[str, Any]],
    now: datetime,
    lasting: Mapping[str, Lasting] | None = None,
    own: Callable[[Mapping[str, Any]], bool] = lambda _entry: True,
) -> tuple[Counted, ...]:
    """Return what each act counts for, in the order of time.

    Args:
        entries: as `StoredSavings.read` gives them, in any order. An undo counts for nothing, also where a store has
            lost its act.
        now: aware.
        lasting: uid of a request → what scans saw since: one that was changed in part counts for that part, and one
            whose cost the last scan did not know is not known. One that no scan has seen yet counts as promised. One
            that none has seen for `LONGEST_UNWATCHED` is not known, but what it saved once is what they saw.
        own: whether the act of an entry is one of those to return; the others end acts on the same resources.
    """
    ordered, known = sorted(entries, key=lambda one: str(one.get("time"))), lasting or {}
    amounts = dict[int, Decimal | None]()
    for places in by_resource(ordered):
        acts = [ordered[at] for at in places]
        amounts.update(zip(places, _no_more_than(acts, list(_amounts(acts, known, now)), known), strict=True))
    return tuple(
        Counted(
            time=str(one.get("time")),
            amount=amounts[at],
            once=bool(one.get("lastsDays")),
            recent=now - datetime.fromisoformat(str(one["time"])) < _MONTH,
        )
        for at, one in enumerate(ordered)
        if own(one)
    )


def _amounts(
    ordered: Sequence[Mapping[str, Any]], known: Mapping[str, Lasting], now: datetime
) -> Iterator[Decimal | None]:
    """Yield what each act on one resource counts for."""
    settled, chained = _settled(ordered), _after_taking_back(ordered, known, now)
    for at, one in enumerate(ordered):
        if at in chained:
            yield chained[at]
        else:
            yield _settled_amount(one, known) if at in settled else _amount(one, known, now)


def _no_more_than(
    acts: Sequence[Mapping[str, Any]], amounts: Sequence[Decimal | None], known: Mapping[str, Lasting]
) -> list[Decimal | None]:
    """Return what acts on one resource count for, the latest ones less where all that set an attribute save less."""
    found, setting = list(amounts), dict[str, list[int]]()
    for at, one in enumerate(acts):
        if one.get("setting") and not one.get("lastsDays"):
            setting.setdefault(str(one["setting"]), []).append(at)
    for places in setting.values():
        most = most_saved([acts[at] for at in places], known)
        if most is None:
            continue
        over = sum((found[at] or _NOTHING for at in places), _NOTHING) - to_cents(most)
        for at in reversed(places):
            amount = found[at]
            if over > 0 and amount is not None and amount > 0:
                found[at], over = max(amount - over, _NOTHING), over - amount
    return found


def _settled_amount(entry: Mapping[str, Any], known: Mapping[str, Lasting]) -> Decimal | None:
    """Return what an act that was undone, or an undo, counts for: what was saved once until then stays saved."""
    once = bool(entry.get("lastsDays")) and not is_undo(entry)
    return proven(entry, known.get(str(entry.get("request")))) if once else _NOTHING


def _amount(entry: Mapping[str, Any], known: Mapping[str, Lasting], now: datetime) -> Decimal | None:
    seen, promised = known.get(str(entry.get("request"))), entry.get("saving")
    if not promised:
        return _NOTHING if seen is not None and seen.ended is not None else None
    if seen is not None and seen.ended is not None:
        return proven(entry, seen) if entry.get("lastsDays") else _NOTHING
    if _unwatched(entry, seen, now):
        return proven(entry, seen) if entry.get("lastsDays") else None
    if seen is None:
        return to_cents(Decimal(promised))
    return None if seen.share is None else to_cents(Decimal(promised) * seen.share)


def _unwatched(entry: Mapping[str, Any], seen: Lasting | None, now: datetime) -> bool:
    """Return whether no scan has seen the resource for so long that nobody knows what became of the act.

    Its policy was renamed or deleted, or no longer reads the account. Entries that no scan can follow are as they were.
    """
    since = datetime.fromisoformat(str(entry["time"])) if seen is None else seen.until
    return bool(entry.get("kind")) and now - since > LONGEST_UNWATCHED


def proven(entry: Mapping[str, Any], seen: Lasting | None) -> Decimal | None:
    """Return what scans saw an act save, in US dollars to the cent; None where they know of no hour or figure."""
    if seen is None or (not seen.seen and (seen.unknown or (seen.share is None and not seen.waiting))):
        return None
    saved = saved_until_now(seen, promise_of(entry), hours_per_month(entry))
    return None if saved is None else to_cents(saved)


def ends_of(ordered: Sequence[Mapping[str, Any]], known: Mapping[str, Lasting]) -> dict[int, tuple[int, str]]:
    """Return place of an act that a later entry ended → place of that one, and why; acts of one resource, in order.

    It was undone, a later act led back its cost or its setting, or a later act found another setting than ours.
    """
    return _ends(ordered, known, settings_of(ordered, known))


def _ends(
    ordered: Sequence[Mapping[str, Any]], known: Mapping[str, Lasting], settings: Settings
) -> dict[int, tuple[int, str]]:
    by_cost = {place: (at, TAKEN_BACK) for place, at in _led_back(ordered, known).items()}
    undone = {place: (at, UNDONE) for place, at in undone_by(ordered).items()}
    found: dict[int, tuple[int, str]] = {}
    # The first end counts; of one and the same entry a setting says more than a cost.
    for ends in (by_cost, settings.over, undone):
        for place, (at, why) in ends.items():
            if place not in found or at <= found[place][0]:
                found[place] = (at, why)
    return found


def _led_back(ordered: Sequence[Mapping[str, Any]], known: Mapping[str, Lasting]) -> dict[int, int]:
    """Return place of an act whose cost a later one led back → place of that one; one may lead back several."""
    settled, found = _settled(ordered), dict[int, int]()
    for at, later in enumerate(ordered):
        if at in settled:
            continue
        for before in reversed(range(at)):
            earlier = ordered[before]
            if before in settled or before in found or later.get("resource") != earlier.get("resource"):
                continue
            if stood_until(earlier, str(later["time"]), known) and _reverses(later, earlier):
                found[before] = at
    return found


def _settled(ordered: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return the places of acts that were undone, and of those that undid one."""
    undone = undone_by(ordered)
    return {*undone, *undone.values(), *(at for at, one in enumerate(ordered) if is_undo(one))}


def _after_taking_back(
    ordered: Sequence[Mapping[str, Any]], known: Mapping[str, Lasting], now: datetime
) -> dict[int, Decimal | None]:
    """Return place of an act that a later one ended, or of one that took one back → what it counts for."""
    found, values, savings = dict[int, Decimal | None](), dict[int, Decimal](), list[Mapping[str, Any]]()
    settings, settled = settings_of(ordered, known), _settled(ordered)
    ends, back = _ends(ordered, known, settings), _back_before_a_saving(ordered, settings)
    for at, one in enumerate(ordered):
        if at in settled:
            continue
        taken = [place for place, (by, why) in ends.items() if by == at and why == TAKEN_BACK]
        change, carried = _promised(one), sum((values.get(place, _NOTHING) for place in taken), _NOTHING)
        if at in back and not change < 0:
            # It stands as before the first saving: what it costs less by now is no act's doing.
            values[at] = _NOTHING
            found[at] = _NOTHING if one.get("saving") else None
            continue
        values[at] = carried + change
        if change < 0 and taken:
            values[at] = min(_NOTHING, values[at])
        elif change < 0 and not any(_saved_before(each, one, known) for each in savings):
            # The first saving counts against the cost right before it.
            values[at] = _NOTHING
        elif change > 0:
            savings.append(one)
        seen = known.get(str(one.get("request")))
        over = seen is not None and seen.ended is not None
        if taken and change < 0 and not over:
            found[at] = to_cents(values[at])
        elif taken and change > 0 and (not over or one.get("lastsDays")):
            found[at] = _less(one, _amount(one, known, now), change, carried)
    # What saves once has saved it; what lasts is counted a month from now on.
    return found | {place: _settled_amount(ordered[place], known) for place in ends if place not in settled}


def _back_before_a_saving(ordered: Sequence[Mapping[str, Any]], settings: Settings) -> set[int]:
    """Return the places of acts that set back what was before one that saved, and was no such act itself."""
    found: set[int] = set()
    for at, ended in sorted(settings.back.items()):
        first = ended[0]
        if first not in found and Decimal(ordered[first].get("saving") or 0) > 0:
            found.add(at)
    return found


def _saved_before(act: Mapping[str, Any], rise: Mapping[str, Any], known: Mapping[str, Lasting]) -> bool:
    """Return whether an act had saved on the resource of a rise, and nobody but our own acts ended that before it."""
    if act.get("resource") != rise.get("resource"):
        return False
    seen = known.get(str(act.get("request")))
    return (seen is not None and seen.why == TAKEN_BACK) or stood_until(act, str(rise["time"]), known)


def _less(entry: Mapping[str, Any], amount: Decimal | None, change: Decimal, carried: Decimal) -> Decimal | None:
    """Return what a saving counts for that took back rises of so much a month beyond what they had taken back."""
    if amount is None or not change:
        return amount
    return to_cents(amount * (change + carried) / change if entry.get("lastsDays") else amount + carried)


def _reverses(later: Mapping[str, Any], earlier: Mapping[str, Any]) -> bool:
    """Return whether an act led a resource from about the cost after an earlier one to about the cost before it."""
    (act_before, act_after), (before, after) = whole_cost(later), whole_cost(earlier)
    if act_before is None or act_after is None or before is None or after is None:
        return False
    middle = (before + after) / 2
    return act_before < middle < act_after if before > after else act_after < middle < act_before


def _promised(entry: Mapping[str, Any]) -> Decimal:
    """Return by how much an act lowers the cost a month, zero where that is not known."""
    act = promise_of(entry)
    return _NOTHING if act.before is None or act.after is None else act.before - act.after
