"""The facts that each kind declares of its own, how one is shown, the form of its ARNs and the limits of its sizes.

The dashboard has no kinds: `tools/build_kind_facts.py` writes into `kind_facts.json` what theirs declare.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from finops.domain.resource import Resource
from finops_web.formats import heading

PREFIX: Final = "attributes."
"""Before a fact's name in addresses and in the heads of CSV, as in the conditions of custom checks."""
NOT_KNOWN: Final = "not known"
_NUMBERS: Final = frozenset({"int", "double"})


@dataclass(frozen=True, slots=True)
class Fact:
    """A column that shows one fact; lists keep none of them, so there is no order by it."""

    name: str

    @property
    def value(self) -> str:
        """Return its name in addresses."""
        return f"{PREFIX}{self.name}"

    @property
    def heading(self) -> str:
        """Return what stands at the head of the column."""
        return heading(self.name)

    @property
    def sort(self) -> None:
        """Return the order that the column's head asks for: none."""
        return

    @property
    def is_figure(self) -> bool:
        """Return whether every kind that declares it says a number."""
        return {facts[self.name] for facts in declared().values() if self.name in facts} <= _NUMBERS

    def of(self, resource: Resource) -> Any:
        """Return the JSON value; None where it is not known, or where the kind has no such fact."""
        return resource.attributes.get(self.name)

    def is_of(self, resource: Resource) -> bool:
        """Return whether the resource has the fact, or its kind declares it and nobody knows it."""
        return self.name in resource.attributes or self.name in declared().get(resource.kind, ())

    def shown(self, resource: Resource) -> str:
        """Return the fact for people; empty where the kind has none."""
        value = self.of(resource)
        if value is None:
            return NOT_KNOWN if self.is_of(resource) else ""
        return _text(value)


@cache
def _kinds() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
    return found


@cache
def declared() -> Mapping[str, Mapping[str, str]]:
    """Return kind → fact → CEL's word for its type."""
    return {kind: said["facts"] for kind, said in _kinds().items()}


def arn_pattern(kind: str) -> str:
    """Return what the ARNs of a kind match, with `*` for any text; of a kind that is not known, everything."""
    said = _kinds().get(kind)
    return "*" if said is None else str(said["arn"])


def may_name_another_account(kind: str) -> bool:
    """Return whether the ARN of a kind's resource may name another account than the resource's."""
    return bool(_kinds().get(kind, {}).get("shared_arns"))


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that AWS allows of a fact, in `unit`; `source` says where AWS says so. The least is 0."""

    most: int
    unit: str
    source: str


@cache
def limits_of(kind: str) -> Mapping[str, Limit]:
    """Return fact → the most that AWS allows of it; none of a kind that is not known."""
    return {fact: Limit(**said) for fact, said in _kinds().get(kind, {}).get("limits", {}).items()}


def facts_of(kind: str) -> tuple[Fact, ...]:
    """Return the facts of a kind in the order of its declaration, none of one that declares none."""
    return tuple(Fact(name) for name in declared().get(kind, ()))


def fact_named(value: str) -> Fact | None:
    """Return the fact that an address names, None where no kind declares it."""
    name = value.removeprefix(PREFIX)
    known = name != value and any(name in facts for facts in declared().values())
    return Fact(name) if known else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
