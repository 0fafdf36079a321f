"""Which acts on one resource still stand, by the settings that they gave it and those that they found; pure.

An act that sets a resource back to what it was before an earlier one ends that one and all between them, whatever the
resource costs by then; one that was undone ends nothing, and its undo the later ones whose setting it takes away. An
act that finds another setting than the last one made shows that somebody else changed it.
Entries of older releases do not say what was set before: such acts are ended by neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from finops.domain.lasting import CHANGED, GONE, TAKEN_BACK, Lasting
from finops.store.realized import is_undo, stood_until, undone_by

OTHERWISE: Final = frozenset({CHANGED, GONE})
"""Why an act ended whose resource has another setting, or none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What entries say of their acts' settings; acts by their place among them.

    Attributes:
        over: act → the entry that shows that its setting stands no more, and why.
        back: act that set back what was before → those that it ended, the earliest first.
        above: act → the later acts that set the same attribute while it stood.
        noted: act → when scans saw that it had ended, by what they saw last of it.
    """

    over: dict[int, tuple[int, str]] = field(default_factory=dict)
    back: dict[int, list[int]] = field(default_factory=dict)
    above: dict[int, list[int]] = field(default_factory=dict)
    noted: dict[int, datetime] = field(default_factory=dict)


def settings_of(ordered: Sequence[Mapping[str, Any]], known: Mapping[str, Lasting]) -> Settings:
    """Return which acts stand by their settings.

    Args:
        ordered: entries in the order of time, of all policies.
        known: uid of a request → what scans saw since. An act that they saw end before a later one is ended by none,
            but where our own acts alone had led back its cost.
    """
    found, undone = Settings(), undone_by(ordered)
    standing: dict[tuple[str, str], list[int]] = {}
    for at, one in enumerate(ordered):
        if not one.get("setting"):
            continue
        seen = known.get(str(one.get("request")))
        if seen is not None and seen.ended is not None:
            found.noted[at] = seen.ended
        key = (str(one.get("resource")), str(one["setting"]))
        acts = [each for each in standing.get(key, ()) if _stands(ordered[each], one, known)]
        while acts and one.get("was") and ordered[acts[-1]].get("set") != one["was"]:
            found.over[acts.pop()] = (at, CHANGED)
        if is_undo(one):
            left = [each for each in acts if undone.get(each) != at]
            # It gave back what was before its act; later acts that had set something else stand no more either.
            while left and one.get("set") and ordered[left[-1]].get("set") != one["set"]:
                left.pop()
            found.over.update((each, (at, TAKEN_BACK)) for each in acts if each not in left)
            standing[key] = left
            continue
        # What was undone stood until then, and ended nothing.
        ended = [] if at in undone else _led_back(ordered, acts, one)
        if ended:
            found.back[at] = ended
            found.over.update(dict.fromkeys(ended, (at, TAKEN_BACK)))
        left = acts[: len(acts) - len(ended)]
        for each in left:
            found.above.setdefault(each, []).append(at)
        standing[key] = [*left, at]
    return found


def values_at(place: int, ordered: Sequence[Mapping[str, Any]], settings: Settings, at: datetime) -> frozenset[str]:
    """Return which values of an act's setting a scan may have seen at a time while the act stood.

    Its own, those of later acts that stood then, and of such that had not ended yet and may have begun.
    """
    act = ordered[place]
    same = (act.get("resource"), act.get("setting"))
    own, above = str(act.get("set") or ""), settings.above.get(place, [])
    standing = {
        each
        for each in above
        if (each not in settings.over or _time(ordered[settings.over[each][0]]) > at)
        and (each not in settings.noted or settings.noted[each] > at)
    }
    later = {
        str(one.get("set") or "")
        for each, one in enumerate(ordered[place + 1 :], place + 1)
        if (one.get("resource"), one.get("setting")) == same and (each in standing or _time(one) > at)
    }
    return frozenset({own, *later} - {""})


def _stands(act: Mapping[str, Any], later: Mapping[str, Any], known: Mapping[str, Lasting]) -> bool:
    """Return whether an act's setting stood until a later one: a cost that ended its saving is no other setting."""
    seen = known.get(str(act.get("request")))
    return (seen is not None and seen.why not in OTHERWISE) or stood_until(act, str(later["time"]), known)


def _led_back(ordered: Sequence[Mapping[str, Any]], acts: Sequence[int], later: Mapping[str, Any]) -> list[int]:
    """Return the standing acts from the earliest on whose setting before it a later one sets again."""
    if not later.get("set"):
        return []
    first = (n for n, each in enumerate(acts) if ordered[each].get("was") == later["set"])
    return list(acts[next(first, len(acts)) :])


def _time(entry: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(entry["time"]))
