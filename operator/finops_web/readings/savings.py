"""What acts that ended well save together and have saved so far, and per check what was promised and still stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import State
from finops.domain.lasting import Lasting, unmeasured
from finops.domain.realised import Realised, realised
from finops.store.connection import Store
from finops.store.realized import StoredSavings, hours_per_month, is_undo, promise_of, undone_by
from finops.store.realized_sums import Counted, counted, proven, realised_a_month

_SECONDS_PER_HOUR: Final = 3600
_APPROVED: Final = frozenset({State.APPROVED, State.SCHEDULED, State.EXECUTING, State.VERIFYING})
_HOURS_PER_DAY: Final = 24
_NOTHING: Final = Decimal(0)
_LEAST_BARS: Final = 2
_MOST_BARS: Final = 24


def realised_of(store: Store, namespaces: Collection[str], now: datetime) -> tuple[Realised, int]:
    """Return what ended acts of the namespaces save a month, and how many they are. Raises StoreUnavailable."""
    savings = StoredSavings(store)
    entries, own = list(savings.read()), acts_in(namespaces)
    return realised_a_month(entries, now, savings.seen(), own), sum(1 for one in entries if own(one))


def acts_in(namespaces: Collection[str]) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether an entry is of an act of the namespaces; acts of others end some of theirs, and are not shown."""
    return lambda entry: entry.get("namespace") in namespaces


@dataclass(frozen=True, slots=True)
class Approved:
    """What people have approved and what has not ended: neither potential any more, nor realised yet.

    Attributes:
        requests: how many: approved, planned for a window, or under way.
        unknown: how many of them have no figure; they are in neither sum.
        monthly: US dollars a month of the others that last; None when there are such requests and none has a figure.
        once: US dollars of those that save once.
    """

    requests: int
    unknown: int
    monthly: Decimal | None
    once: Decimal


def approved_of(requests: Iterable[ActionRequest]) -> Approved:
    """Return what approved requests will save; one that needs a person is left out, nobody knows whether it will."""
    found = [one.spec.estimate for one in requests if one.status.state in _APPROVED]
    lasting = realised(one.monthly_savings for one in found if not one.lasts_days)
    once = realised(one.monthly_savings for one in found if one.lasts_days)
    return Approved(len(found), lasting.unknown + once.unknown, lasting.figure, once.net)


def so_far(entry: Mapping[str, Any], lasting: Lasting | None, now: datetime) -> dict[str, Any]:
    """Return what an act has saved until a scan last saw its resource, apart from what was promised.

    `savedSoFar` in US dollars, negative where it costs more, None while nobody knows of a single hour; `seenHours` for
    which scans saw it saved, `unknownHours` of which nobody knows; `seenUntil`, until when both count; `ended` and
    `endedWhy` once it saves no more; `waiting` whether its effect is still to come; `unmeasured` why it cannot be
    measured. All None or empty where no scan has seen it yet, or none can, because the entry is an older release's.
    """
    if lasting is None:
        return {
            **dict.fromkeys(("savedSoFar", "seenHours", "unknownHours")),
            "seenUntil": "",
            "ended": "",
            "endedWhy": "",
            "waiting": False,
            "unmeasured": "",
        }
    unknown = unmeasured(lasting, promise_of(entry), now)
    return {
        "savedSoFar": None if unknown else proven(entry, lasting),
        "seenHours": lasting.seen // _SECONDS_PER_HOUR,
        "unknownHours": lasting.unknown // _SECONDS_PER_HOUR,
        "seenUntil": lasting.until.isoformat(timespec="seconds"),
        "ended": lasting.ended.isoformat(timespec="seconds") if lasting.ended is not None else "",
        "endedWhy": lasting.why,
        "waiting": lasting.waiting and not unknown,
        "unmeasured": unknown,
    }


def hours_saved(entry: Mapping[str, Any]) -> Decimal | None:
    """Return how many hours a month an act takes away, until AWS undoes it by itself; None but for a stop.

    A stopped resource runs for no hour of the month with which the saving was counted. What is resized, deleted or
    moved to another class saves money in another way.
    """
    if not str(entry.get("action", "")).endswith("_stop"):
        return None
    days, month = entry.get("lastsDays"), hours_per_month(entry)
    return min(month, Decimal(days) * _HOURS_PER_DAY) if days else month


@dataclass(frozen=True, slots=True)
class Month:
    """What the acts of a calendar month, `2026-03`, save a month by now, and what others of it saved once."""

    month: str
    lasting: Realised
    once: Realised


def by_month(acts: Iterable[Counted]) -> tuple[Month, ...]:
    """Return the months of acts, the latest first; their lasting parts add up to what all acts that last save."""
    found: dict[str, dict[bool, list[Decimal | None]]] = {}
    for one in acts:
        found.setdefault(one.time[:7], {False: [], True: []})[one.once].append(one.amount)
    return tuple(
        Month(name, realised(found[name][False]), realised(found[name][True])) for name in sorted(found, reverse=True)
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """A month in the chart of months; coordinates are percent of the picture.

    Attributes:
        top, height: of the bar; a month that costs more hangs below the line at `ground`.
        unknown: how many acts of the month have no figure and are not in the bar.
    """

    month: str
    top: float
    height: float
    net: Decimal
    unknown: int


@dataclass(frozen=True, slots=True)
class MonthChart:
    """What acts save a month, by the month of the act, the oldest first; `ground` is the height of zero."""

    bars: tuple[Bar, ...]
    ground: float
    highest: Decimal
    lowest: Decimal


def chart_of_months(months: Collection[Month]) -> MonthChart | None:
    """Return the last 24 calendar months up to the latest act, those without an act too; None without two to compare.

    What was saved once is no figure a month and not in it.
    """
    by_name = {one.month: one.lasting for one in months}
    if len(by_name) < _LEAST_BARS:
        return None
    names = _calendar(min(by_name), max(by_name))[-_MOST_BARS:]
    found = [by_name.get(name) for name in names]
    nets = [_NOTHING if one is None or one.figure is None else one.net for one in found]
    highest, lowest = max(_NOTHING, *nets), min(_NOTHING, *nets)
    span = float(highest - lowest) or 1.0
    ground = 100 * float(highest) / span
    bars = tuple(
        Bar(
            month=name,
            top=ground - max(0.0, 100 * float(net) / span),
            height=abs(100 * float(net) / span),
            net=net,
            unknown=0 if one is None else one.unknown,
        )
        for name, net, one in zip(names, nets, found, strict=True)
    )
    return MonthChart(bars, ground, highest, lowest)


def _calendar(first: str, last: str) -> list[str]:
    start, end = (int(one[:4]) * 12 + int(one[5:7]) - 1 for one in (first, last))
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(start, end + 1)]


def act_in_words(entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return what was done to what: `Stop web`; the verb is the last word of the action's id, as in every listing.

    The resource goes by the name that the act kept, else by that of `names` (by ARN), else by its id.
    """
    arn = str(entry.get("resource", ""))
    named = entry.get("resourceName") or names.get(arn) or entry.get("id") or arn.rpartition(":")[2].rpartition("/")[2]
    return f"{str(entry.get('action', '')).rpartition('_')[2].capitalize()} {named}".strip()


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How the acts that one check led to have turned out.

    Attributes:
        check: its id, empty where the request is gone and nothing says which check it was.
        acts: how many ended well.
        undone: how many of them were undone since.
        ended: how many others save no more, as scans saw: somebody changed the resource back, or it is gone.
        unknown: how many have no figure; they are in neither sum.
        promised: US dollars a month, as their requests said: cost before less cost after.
        stands: of that, what the acts still save as scans last saw them; None where of none of them it is known.
        unmeasured: how many of those with a figure are not in `stands`, because no scan knows what they save: it may be
            to come, or cannot be measured.
    """

    check: str
    acts: int
    undone: int
    unknown: int
    promised: Decimal | None
    stands: Decimal | None
    ended: int = 0
    unmeasured: int = 0


def checks_of(requests: Iterable[ActionRequest]) -> dict[str, str]:
    """Return uid of a request → the check that led to it, of the requests that still exist."""
    return {one.metadata.uid or "": str(one.spec.evidence.check) for one in requests}


def accuracy(
    entries: Iterable[Mapping[str, Any]],
    checks: Mapping[str, str],
    now: datetime,
    lasting: Mapping[str, Lasting] | None = None,
    own: Callable[[Mapping[str, Any]], bool] = lambda _entry: True,
) -> tuple[Accuracy, ...]:
    """Return what each check promised and what of it stands, by check; acts that save once have no sum a month.

    Args:
        entries: as `StoredSavings.read` gives them.
        checks: uid of a request → id of its check, as far as it is known.
        now: aware.
        lasting: uid of a request → what scans saw since its act.
        own: as `counted`.
    """
    every, known = list(entries), lasting or {}
    counts = counted(every, now, known, own)
    ordered = sorted(filter(own, every), key=lambda one: str(one.get("time")))
    undone = undone_by(ordered)
    acts: list[dict[str, Any]] = []
    for place, one in enumerate(ordered):
        if is_undo(one) or one.get("lastsDays"):
            continue
        before, after = _decimal(one.get("before")), _decimal(one.get("after"))
        uid = str(one.get("request"))
        acts.append(
            {
                "check": checks.get(uid, ""),
                "promised": None if before is None or after is None else before - after,
                "saving": _decimal(one.get("saving")),
                "stands": counts[place].amount,
                "undone": place in undone,
                "ended": place not in undone and uid in known and known[uid].ended is not None,
            }
        )
    return tuple(_of_check(check, acts) for check in sorted({str(act["check"]) for act in acts}))


def _of_check(check: str, acts: Iterable[Mapping[str, Any]]) -> Accuracy:
    own = [act for act in acts if act["check"] == check]
    known = [act for act in own if act["promised"] is not None and act["saving"] is not None]
    stands = [act["stands"] for act in known if act["stands"] is not None]
    return Accuracy(
        check=check,
        acts=len(own),
        undone=sum(1 for act in own if act["undone"]),
        unknown=len(own) - len(known),
        promised=sum((act["promised"] for act in known), Decimal(0)) if known else None,
        stands=sum(stands, Decimal(0)) if stands else None,
        ended=sum(1 for act in own if act["ended"]),
        unmeasured=len(known) - len(stands),
    )


def _decimal(text: Any) -> Decimal | None:
    return Decimal(text) if text else None
