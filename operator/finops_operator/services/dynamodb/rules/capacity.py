"""Provisioned capacity as a plan's fingerprint holds it, in texts, and the call that provisions it again.

`100/50` are read and write units; `by-date=5/5,by-user=1/1` those of the global secondary indexes by name, whose names
hold none of these signs (letters, digits, underscore, hyphen and dot).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from finops.domain.canonical import Json

_UNITS: Final = re.compile(r"[1-9][0-9]*/[1-9][0-9]*")


def units_of(described: Mapping[str, Any]) -> str:
    """Return the capacity of a table or an index as AWS describes it."""
    units = described.get("ProvisionedThroughput") or {}
    return f"{units.get('ReadCapacityUnits') or 0}/{units.get('WriteCapacityUnits') or 0}"


def indexes_of(described: Iterable[Mapping[str, Any]]) -> str:
    """Return the capacity of all indexes, in order of their names."""
    return ",".join(sorted(f"{one['IndexName']}={units_of(one)}" for one in described))


def names_in(indexes: str) -> list[str]:
    """Return which indexes a text of theirs names, in its order."""
    return [one.partition("=")[0] for one in indexes.split(",") if one]


def units_in(indexes: str) -> list[str]:
    """Return the capacity of each index in a text of theirs, in its order; of one without names as well."""
    return [one.rpartition("=")[2] for one in indexes.split(",") if one]


def is_capacity(units: str) -> bool:
    """Return whether a text is a capacity that can be provisioned: one unit of each at least."""
    return _UNITS.fullmatch(units) is not None


def provision(units: str, indexes: str) -> dict[str, Json]:
    """Return the parameters of UpdateTable that provision the capacity again."""
    named = [one.partition("=") for one in indexes.split(",") if one]
    updates: list[Json] = [
        {"Update": {"IndexName": name, "ProvisionedThroughput": _throughput(of)}} for name, _, of in named
    ]
    further: dict[str, Json] = {"GlobalSecondaryIndexUpdates": updates} if updates else {}
    return {"ProvisionedThroughput": _throughput(units), **further}


def _throughput(units: str) -> dict[str, Json]:
    read, _, write = units.partition("/")
    return {"ReadCapacityUnits": int(read), "WriteCapacityUnits": int(write)}
