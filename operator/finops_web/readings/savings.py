"""What acts that ended well save together, and per check what was promised against what still stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from finops.store.connection import Store
from finops.store.realized import StoredSavings, saved_a_month


def realised_of(store: Store, namespaces: Collection[str], now: datetime) -> tuple[Decimal, int]:
    """Return what ended acts of the namespaces save a month, and how many they are. Raises StoreUnavailable."""
    known = [one for one in StoredSavings(store).read() if one.get("namespace") in namespaces]
    return saved_a_month(known, now), len(known)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How the acts that one check led to have turned out.

    Attributes:
        check: its id, empty where the request is gone and nothing says which check it was.
        acts: how many ended well.
        undone: how many of them were undone since.
        unknown: how many have no figure; they are in neither sum.
        promised: US dollars a month, as their requests said: cost before less cost after.
        stands: of that, what the acts still save that nobody has undone.
    """

    check: str
    acts: int
    undone: int
    unknown: int
    promised: Decimal | None
    stands: Decimal | None


def accuracy(entries: Iterable[Mapping[str, Any]], checks: Mapping[str, str]) -> tuple[Accuracy, ...]:
    """Return what each check promised and what of it stands, by check; acts that save once have no sum a month.

    Args:
        entries: as `StoredSavings.read` gives them. An act after which the resource costs more undid the one before it.
        checks: uid of a request → id of its check, as far as it is known.
    """
    acts: list[dict[str, Any]] = []
    for one in sorted(entries, key=lambda one: str(one.get("time"))):
        saving = _decimal(one.get("saving"))
        if saving is not None and saving < 0:
            same = (act for act in reversed(acts) if act["of"] == _target(one) and not act["undone"])
            undone = next(same, None)
            if undone is not None:
                undone["undone"] = True
        elif not one.get("lastsDays"):
            before, after = _decimal(one.get("before")), _decimal(one.get("after"))
            promised = None if before is None or after is None else before - after
            found = {"promised": promised, "saving": saving, "undone": False, "of": _target(one)}
            acts.append({**found, "check": checks.get(str(one.get("request")), "")})
    return tuple(_of_check(check, acts) for check in sorted({str(act["check"]) for act in acts}))


def _of_check(check: str, acts: Iterable[Mapping[str, Any]]) -> Accuracy:
    own = [act for act in acts if act["check"] == check]
    known = [act for act in own if act["promised"] is not None and act["saving"] is not None]
    return Accuracy(
        check=check,
        acts=len(own),
        undone=sum(1 for act in own if act["undone"]),
        unknown=len(own) - len(known),
        promised=sum((act["promised"] for act in known), Decimal(0)) if known else None,
        stands=sum((act["saving"] for act in known if not act["undone"]), Decimal(0)) if known else None,
    )


def _target(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry.get("resource")), str(entry.get("action"))


def _decimal(text: Any) -> Decimal | None:
    return Decimal(text) if text else None
