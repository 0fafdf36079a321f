"""Reads single fields of an estate's document; what is wrong is an error that names the place."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from finops_sandbox.aws.shapes import SHAPES

_AGE = re.compile(r"(\d+)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class EstateError(ValueError):
    """The document is wrong; the message names place and field."""


def known(document: Mapping[str, Any], fields: set[str], where: str) -> None:
    """Raise EstateError for a field that the estate does not know."""
    unknown = set(document) - fields
    if unknown:
        raise EstateError(f"{where}: unknown field {', '.join(sorted(map(str, unknown)))}")


def counted(items: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the items of a list; one with a `count` stands for so many, with numbers behind its name."""
    for item in items or []:
        count = item.get("count")
        if count is None:
            yield item
            continue
        rest = {key: value for key, value in item.items() if key != "count"}
        for number in range(1, int(count) + 1):
            yield {**rest, "name": f"{item['name']}-{number}"}


def tags(item: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of an item as texts."""
    return {str(key): str(value) for key, value in (item.get("tags") or {}).items()}


def age(text: Any) -> timedelta:
    """Return an age such as `90d`, `12h` or `5m`. Raises EstateError."""
    match = _AGE.fullmatch(str(text))
    if match is None:
        raise EstateError(f"age {text!r} is not a number with m, h or d")
    return timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})


def shape(item: Mapping[str, Any], name: str, default: str, where: str) -> str:
    """Return the name of a shape that the double draws. Raises EstateError."""
    chosen = str(item.get(name, default))
    if chosen and chosen not in SHAPES:
        raise EstateError(f"{where}: {name} {chosen!r} is not a shape ({', '.join(sorted(SHAPES))})")
    return chosen
