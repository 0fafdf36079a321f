"""A kind's own facts as typed values: the frozen dataclass that its collector fills in and its checks read.

`Resource.attributes` is the JSON of such a dataclass, in the store as in every report; a fact that AWS did not give is
absent there and None here. `False`, 0 and the empty text mean that AWS said so. Called by the kinds, and by the spine
when it hands a resource to a check.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.errors import InvalidInput

KindFacts = TypeVar("KindFacts")
Made = TypeVar("Made")


class _Last(threading.local):
    """What this thread asked for last, and the answer; None: nothing yet."""

    of: tuple[object, object, Any] | None = None


_last: Final = _Last()
_adapter: Final[Callable[[Any], TypeAdapter[Any]]] = cache(TypeAdapter)


def facts_of(facts: type[KindFacts], resource: Resource) -> KindFacts:
    """Return the facts of one resource as `facts`, the dataclass of its kind.

    One resource is asked about several times in a row: those of the last one are kept.

    Raises:
        InvalidInput: an attribute is not of the declared type.
    """
    last = _last.of
    if last is not None and last[0] is facts and last[1] is resource:
        kept: KindFacts = last[2]
        return kept
    try:
        found: KindFacts = _adapter(facts).validate_python(dict(resource.attributes))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in wrong["loc"])
        raise InvalidInput(f"{resource.id}: {wrong['msg']}", field=f"attributes.{name}") from None
    _last.of = facts, resource, found
    return found


def for_the_last(function: Callable[[KindFacts], Made]) -> Callable[[KindFacts], Made]:
    """Return the same function of facts or of a resource, which keeps its answer for those it was asked about last.

    Several checks ask in a row about the facts of one resource.
    """
    last = _Last()

    def kept(facts: KindFacts) -> Made:
        if last.of is None or last.of[0] is not facts:
            last.of = facts, None, function(facts)
        made: Made = last.of[2]
        return made

    return kept


def attributes_of(facts: object) -> dict[str, Json]:
    """Return the JSON of a kind's facts, without those that are not known."""
    made: dict[str, Json] = _adapter(facts.__class__).dump_python(facts, mode="json", exclude_none=True)
    return made


def with_facts(resource: Resource, facts: object) -> Resource:
    """Return a copy of the resource with other facts of its kind; one that is None now is left out."""
    return replace(resource, attributes=attributes_of(facts))
