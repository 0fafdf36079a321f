"""Columns that several commands show: a listing looks the same wherever it comes from."""

from __future__ import annotations

from typing import Final

from finops_operator.cli.output import field

RECOMMENDATIONS: Final = (
    field("id"),
    field("check"),
    field("action"),
    field("resource", path="resource.id"),
    field("name", path="resource.name"),
    field("parameters"),
    field("monthlySavings", right=True),
    field("currentMonthlyCost", right=True, wide=True),
    field("newMonthlyCost", right=True, wide=True),
    field("account", path="resource.account"),
    field("region", path="resource.region"),
    field("effort", wide=True),
    field("restartNeeded", wide=True),
    field("rollbackPossible", wide=True),
    field("destructive", wide=True),
    field("counted", wide=True),
    field("policy", wide=True),
    field("priceSource", wide=True),
    field("priceAsOf", wide=True),
    field("summary", wide=True),
    field("advice", wide=True),
)
