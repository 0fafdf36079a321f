"""What acts that set one attribute of a resource can save together at most, by the settings that they found; pure.

Beside the rules of `finops.store.realized_sums`, which say what each act counts for: where somebody else changed the
attribute between acts, or no scan can measure one of them, these rules alone may count a saving that is none. The bound
follows what the attribute would be without the acts: what was set before the first saving, what somebody else has set
since, and what somebody asked for when nothing was saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from finops.domain.lasting import Lasting
from finops.store.realized import is_undo, whole_cost
from finops.store.realized_settings import OTHERWISE

_NOTHING: Final = Decimal(0)


class _Link(NamedTuple):
    """An act of those that led from the setting without acts to the present one: what it set, and the costs."""

    request: str
    setting: str
    before: Decimal
    after: Decimal


def most_saved(acts: Sequence[Mapping[str, Any]], known: Mapping[str, Lasting]) -> Decimal | None:
    """Return what acts save together a month at most, in US dollars; None where entries do not say what was set.

    Where an undo came after somebody else's change, nobody knows what would be without the acts: nothing is saved.

    Args:
        acts: entries of those that set one attribute of one resource, in the order of time.
        known: uid of a request → what scans saw since: of the latest acts, that their setting stands no more.
    """
    present, without, links = "", "", tuple[_Link, ...]()
    undoing: dict[str, tuple[str, tuple[_Link, ...]]] = {}
    for one in acts:
        was, wanted, (before, after) = str(one.get("was") or ""), str(one.get("set") or ""), whole_cost(one)
        if not was or not wanted or before is None or after is None:
            return None
        if was != present:
            links, undoing = _back_to(links, was), {}
            without = without if links else was
        request = str(one.get("request"))
        if is_undo(one):
            without, links = undoing.get(str(one.get("undoes")), (wanted, ()))
        else:
            undoing[request] = without, links
            if after > before and not _saved(links):
                without, links = wanted, ()
            elif wanted == without:
                links = ()
            else:
                links = (*links, _Link(request, wanted, before, after))
        present = wanted
    while links and links[-1].request in known and known[links[-1].request].why in OTHERWISE:
        links = links[:-1]
    return _saved(links)


def _back_to(links: Sequence[_Link], setting: str) -> tuple[_Link, ...]:
    """Return the links up to the last one that made a setting, none where none did."""
    made = [at for at, each in enumerate(links) if each.setting == setting]
    return tuple(links[: made[-1] + 1]) if made else ()


def _saved(links: Sequence[_Link]) -> Decimal:
    """Return what links save, zero where they do not: in costs of different times as well as at one and the same use.

    What leads back to a setting of before says no more than that.
    """
    path = tuple[_Link, ...]()
    for each in links:
        path = _back_to(path, each.setting) or (*path, each)
    part = Decimal(1)
    for each in path:
        part *= each.after / each.before if each.before else Decimal(1)
    return max(sum((each.before - each.after for each in path), _NOTHING), _NOTHING) if part < 1 else _NOTHING
