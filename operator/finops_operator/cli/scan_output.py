"""Prints the outcome of a scan: the ScanReport for programs, summary, recommendations and gaps for people."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any, Final

import yaml

from finops.domain.money import as_text
from finops.domain.report import ScanSummary
from finops.store.recommendations import recommendation_to_json
from finops_operator.cli.listings import RECOMMENDATIONS
from finops_operator.cli.output import Format, emit, field
from finops_operator.pipeline import ScanOutcome
from finops_operator.scan_report import gap_to_json, write_report

_GAP_COLUMNS: Final = (
    field("account"),
    field("region"),
    field("call"),
    field("code"),
    field("resources", right=True),
    field("message"),
)
_WHY_COLUMNS: Final = (field("check"), field("resource"), field("reason"))


def print_outcome(outcome: ScanOutcome, format_: Format, *, why: bool) -> None:
    """Print one scan to stdout; several follow one another (JSON texts, YAML documents, tables).

    Raises:
        StoreUnavailable: the store went away while its content was read.
    """
    if format_ is Format.JSON:
        write_report(sys.stdout, outcome, why=why)
    elif format_ is Format.YAML:
        sys.stdout.write("---\n")
        yaml.safe_dump(_report(outcome, why=why), sys.stdout, sort_keys=False)
    elif format_ is Format.CSV:
        emit(_recommendations(outcome), RECOMMENDATIONS, format_)
    else:
        _print_tables(outcome, format_, why=why)


def _report(outcome: ScanOutcome, *, why: bool) -> dict[str, Any]:
    text = io.StringIO()
    write_report(text, outcome, why=why, indent=None)
    report: dict[str, Any] = json.loads(text.getvalue())
    return report


def _recommendations(outcome: ScanOutcome) -> Iterator[dict[str, Any]]:
    if outcome.summary.complete_failure:
        return
    brief = outcome.brief
    for one in brief.stores.recommendations.stream(brief.policy, brief.generation):
        yield recommendation_to_json(one)


def _print_tables(outcome: ScanOutcome, format_: Format, *, why: bool) -> None:
    summary = outcome.summary
    emit(_summary_rows(summary), (field("policy"), field(summary.policy, path="value")), format_)
    if summary.recommendations:
        sys.stdout.write("\n")
        emit(_recommendations(outcome), RECOMMENDATIONS, format_)
    if why and not summary.complete_failure:
        sys.stdout.write("\nnot recommended\n")
        emit(iter(_report(outcome, why=True).get("notRecommended", ())), _WHY_COLUMNS, format_)
    if summary.gaps:
        sys.stdout.write("\ngaps (not seen, so not counted)\n")
        gaps = [gap_to_json(gap) for gap in summary.gaps]
        emit(({**gap, "call": f"{gap['service']}:{gap['operation']}"} for gap in gaps), _GAP_COLUMNS, format_)


def _summary_rows(summary: ScanSummary) -> Iterator[dict[str, Any]]:
    took = (summary.completion_time - summary.start_time).total_seconds()
    unpriced = f" ({summary.unpriced_resources} without a price)" if summary.unpriced_resources else ""
    unknown = f" ({summary.unknown_resources} with too little data to judge)" if summary.unknown_resources else ""
    rows = {
        "resources": f"{summary.resources}{unpriced}{unknown}",
        "monthly cost": f"{as_text(summary.monthly_cost)} {summary.currency}",
        "potential monthly savings": f"{as_text(summary.potential_monthly_savings)} {summary.currency}",
        "recommendations": summary.recommendations,
        "gaps": len(summary.gaps),
        "AWS requests": f"{sum(summary.api_calls.values())}, about {as_text(summary.estimated_api_cost)} USD",
        "took": f"{took:.1f} s",
    }
    for name, value in rows.items():
        yield {"policy": name, "value": value}
