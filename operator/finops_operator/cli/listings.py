"""Columns that several commands show: a listing looks the same wherever it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from finops_operator.cli.output import Column, Record, field


def _act_or_advice(record: Record) -> str:
    """Tell whether a request can come of it: what an owner would undo, or no action can do, is for people only."""
    return "advice" if record["advice"] or not record["action"] else "act"


RECOMMENDATIONS: Final = (
    field("id"),
    field("check"),
    field("action"),
    Column("actOrAdvice", _act_or_advice),
    field("resource", path="resource.id"),
    field("name", path="resource.name"),
    field("parameters"),
    field("monthlySavings", right=True),
    field("counted"),
    field("currentMonthlyCost", right=True, wide=True),
    field("newMonthlyCost", right=True, wide=True),
    field("account", path="resource.account"),
    field("region", path="resource.region"),
    field("effort", wide=True),
    field("restartNeeded", wide=True),
    field("rollbackPossible", wide=True),
    field("destructive", wide=True),
    field("policy", wide=True),
    field("priceSource", wide=True),
    field("priceAsOf", wide=True),
    field("summary", wide=True),
    field("advice", wide=True),
)


@dataclass(slots=True)
class Counting:
    """Counts recommendations on their way to a listing, so that its columns can be explained afterwards."""

    uncounted: int = 0

    def through(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield `records` as they are."""
        for record in records:
            self.uncounted += not record["counted"]
            yield record

    def sentence(self) -> str:
        """Return why the savings of the listing add up to more than the total; empty when they do not."""
        if not self.uncounted:
            return ""
        rows = "1 row is" if self.uncounted == 1 else f"{self.uncounted} rows are"
        return (
            f"{rows} not counted: alternatives for a resource of which a better recommendation counts, so the column "
            "adds up to more than the savings"
        )
