"""What acts that ended well save together, one by one and net of what others cost more; pure.

One meaning for every sum of them: status of a policy, dashboard, API, and the sums by month of the act. An act counts
for what it changes against the cost right before it, as long as scans show it. It counts for nothing once it was
undone, once it has ended, and once a later act on the same resource took it back; what saves once keeps what scans saw
it save until then. Of a rise, a start that somebody asked for, that took back a saving only what exceeds that saving
counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from finops.domain.lasting import Lasting, saved_until_now
from finops.domain.money import to_cents
from finops.domain.realised import Realised, realised
from finops.store.realized import hours_per_month, is_undo, promise_of, undone_by, whole_cost

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
    entries: Iterable[Mapping[str, Any]], now: datetime, lasting: Mapping[str, Lasting] | None = None
) -> Realised:
    """Return what acts save in a month by now; arguments as `counted`."""
    return realised(one.a_month for one in counted(entries, now, lasting))


def counted(
    entries: Iterable[Mapping[str, Any]], now: datetime, lasting: Mapping[str, Lasting] | None = None
) -> tuple[Counted, ...]:
    """Return what each act counts for, in the order of time.

    Args:
        entries: as `StoredSavings.read` gives them, in any order. An undo counts for nothing, also where a store has
            lost its act.
        now: aware.
        lasting: uid of a request → what scans saw since: one that was changed in part counts for that part, and one
            whose cost the last scan did not know is not known. One that no scan has seen counts as promised.
    """
    ordered, known = sorted(entries, key=lambda one: str(one.get("time"))), lasting or {}
    settled, exceeds = _settled(ordered), _after_taking_back(ordered, known)
    return tuple(
        Counted(
            time=str(one.get("time")),
            amount=exceeds[at] if at in exceeds else _NOTHING if at in settled else _amount(one, known),
            once=bool(one.get("lastsDays")),
            recent=now - datetime.fromisoformat(str(one["time"])) < _MONTH,
        )
        for at, one in enumerate(ordered)
    )


def _amount(entry: Mapping[str, Any], known: Mapping[str, Lasting]) -> Decimal | None:
    seen, promised = known.get(str(entry.get("request"))), entry.get("saving")
    if not promised:
        return _NOTHING if seen is not None and seen.ended is not None else None
    if seen is None:
        return to_cents(Decimal(promised))
    if seen.ended is not None:
        return proven(entry, seen) if entry.get("lastsDays") else _NOTHING
    return None if seen.share is None else to_cents(Decimal(promised) * seen.share)


def proven(entry: Mapping[str, Any], seen: Lasting | None) -> Decimal | None:
    """Return what scans saw an act save, in US dollars to the cent; None where they know of no hour or figure."""
    if seen is None or (not seen.seen and (seen.unknown or (seen.share is None and not seen.waiting))):
        return None
    saved = saved_until_now(seen, promise_of(entry), hours_per_month(entry))
    return None if saved is None else to_cents(saved)


def taken_back(ordered: Sequence[Mapping[str, Any]], known: Mapping[str, Lasting]) -> dict[int, int]:
    """Return place of an act that a later one took back → place of that one; arguments in order, as `counted`."""
    settled, found = _settled(ordered), dict[int, int]()
    for at, later in enumerate(ordered):
        if at in settled:
            continue
        for before in reversed(range(at)):
            earlier = ordered[before]
            if before in settled or before in found or later.get("resource") != earlier.get("resource"):
                continue
            if _stood_until(earlier, str(later["time"]), known) and _reverses(later, earlier):
                found[before] = at
                break
    return found


def _settled(ordered: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return the places of acts that were undone, and of those that undid one."""
    undone = undone_by(ordered)
    return {*undone, *undone.values(), *(at for at, one in enumerate(ordered) if is_undo(one))}


def _after_taking_back(ordered: Sequence[Mapping[str, Any]], known: Mapping[str, Lasting]) -> dict[int, Decimal | None]:
    """Return place of an act that a later one took back, or of a rise that took one back → what it counts for."""
    found: dict[int, Decimal | None] = {}
    for before, at in taken_back(ordered, known).items():
        earlier, later = ordered[before], ordered[at]
        # What saves once has saved it; what lasts is counted a month from now on.
        once = bool(earlier.get("lastsDays"))
        found[before] = proven(earlier, known.get(str(earlier.get("request")))) if once else _NOTHING
        seen = known.get(str(later.get("request")))
        if _promised(later) < 0 and (seen is None or seen.ended is None):
            found.setdefault(at, min(_NOTHING, to_cents(_promised(earlier) + _promised(later))))
    return found


def _stood_until(entry: Mapping[str, Any], time: str, known: Mapping[str, Lasting]) -> bool:
    """Return whether an act had not ended before another one, as far as scans saw."""
    act = promise_of(entry)
    at, seen = datetime.fromisoformat(time), known.get(str(entry.get("request")))
    over = act.lasts is not None and at >= act.since + act.lasts
    return not over and (seen is None or seen.ended is None or seen.ended >= at)


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
