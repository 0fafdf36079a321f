"""An estate to measure the checks with: what is waste in it, and what is none although it resembles it.

Written from AWS's documentation, as an account would answer. Nothing in this package knows a check's
code or its thresholds: a case says by itself what is wasted, and which page or habit says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from finops_sandbox.aws.estate import resource_id

ACCOUNT: Final = "111111111111"
REGION: Final = "us-east-1"
NOW: Final = datetime.now(UTC).replace(microsecond=0)
"""Of the whole estate: ages are counted from here."""


@dataclass(frozen=True, slots=True)
class Case:
    """One resource and what must be said of it.

    Attributes:
        resource: its id.
        checks: the checks that must find it, with the monthly saving that a person works out from AWS's list prices by
            hand; None where no price list gives it. Empty: a near miss.
        why: what makes it waste, or what keeps it from being any.
    """

    resource: str
    checks: Mapping[str, str | None]
    why: str


@dataclass(slots=True)
class Site:
    """One account and region under construction.

    `owners`: resource → who owns it, in the words of the advice that people must get; empty where it is acted on.
    """

    account: str = ACCOUNT
    region: str = REGION
    cases: dict[str, Case] = field(default_factory=dict)
    loaded: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lists: dict[str, list[Any]] = field(default_factory=dict)
    by: dict[str, Mapping[str, str]] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    exact: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)

    def arn(self, service: str, rest: str) -> str:
        """Return an ARN of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def unique(self, number: int) -> str:
        """Return sixteen hexadecimal digits that nothing else has in the world, as AWS's ids of snapshots do."""
        return hashlib.sha256(f"{self.account}/{self.region}/{number}".encode()).hexdigest()[:16]

    def made(self, kind: str, name: str) -> str:
        """Return the id that the double makes of the name of a loaded resource."""
        return resource_id(kind, self.account, self.region, name)

    def wasted(self, resource: str, why: str, **checks: str | None) -> None:
        """Note waste: each keyword is a check with its saving a month."""
        self.cases[resource] = Case(resource, checks, why)

    def kept(self, resource: str, why: str) -> None:
        """Note a resource that must not be found by any check."""
        self.cases[resource] = Case(resource, {}, why)

    def load(self, section: str, **item: Any) -> None:
        """Add a resource that the double's estates know by themselves, such as an instance."""
        self.loaded.setdefault(section, []).append(item)

    def listed(self, operation: str, item: Any, *, member: str = "", by: Mapping[str, str] | None = None) -> None:
        """Add an item to what a listing operation answers."""
        self.lists.setdefault(operation, []).append(item)
        self.by[operation] = by or self.by.get(operation, {})
        self.members[operation] = member or self.members.get(operation, "")

    def answered(self, operation: str, when: Mapping[str, Any], /, **answer: Any) -> None:
        """Add what an operation answers to given parameters, or to all where there are none."""
        self.exact.append({"operation": operation, "when": when, "answer": answer})

    def refused(self, operation: str, when: Mapping[str, Any], code: str, status: int = 400) -> None:
        """Add an error that an operation answers to given parameters."""
        self.exact.append({"operation": operation, "when": when, "error": {"code": code, "status": status}})

    def measured(self, namespace: str, dimensions: Mapping[str, str], /, days: int = 90, **values: Any) -> None:
        """Add metrics; a value is a number, a shape, or both as a pair."""
        for metric, value in values.items():
            number, shape = value if isinstance(value, tuple) else (value, "one")
            if isinstance(number, str):
                number, shape = 1.0, number
            item = {"namespace": namespace, "metric": metric, "dimensions": dimensions, "age": f"{days}d"}
            self.metrics.append({**item, "value": number, "shape": shape})

    def document(self) -> dict[str, Any]:
        """Return this place as an estate of the double names it."""
        lists: Iterator[dict[str, Any]] = (
            {"operation": one, "items": items, "by": self.by[one], "member": self.members[one]}
            for one, items in self.lists.items()
        )
        place = {"account": self.account, "region": self.region}
        return {**place, **self.loaded, "answers": [*self.exact, *lists], "metrics": self.metrics}


def ago(days: float) -> datetime:
    """Return the time so many days ago."""
    return NOW - timedelta(days=days)


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as most services list them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
