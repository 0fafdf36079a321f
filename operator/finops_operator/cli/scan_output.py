"""Prints the outcome of a scan: the ScanReport for programs, summary, recommendations and gaps for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from finops.domain.money import as_text
from finops.domain.report import ScanSummary
from finops.store.recommendations import recommendation_to_json
from finops_operator.cli.listings import RECOMMENDATIONS, Counting
from finops_operator.cli.output import Format, emit, emit_document, field
from finops_operator.scan.report import gap_to_json, reasons, report_parts, write_report
from finops_operator.scan.scan import ScanOutcome

_GAP_COLUMNS: Final = (
    field("account"),
    field("region"),
    field("call"),
    field("code"),
    field("resources", right=True),
    field("message"),
)
_WHY_COLUMNS: Final = (field("check"), field("resource"), field("reason"))


@dataclass(slots=True)
class OutcomePrinter:
    """Prints scans one after another so that the whole can be read back: see `show`.

    Attributes:
        several: more than one scan is to come, so each ScanReport stands on one line (JSON lines).
    """

    format_: Format
    why: bool
    several: bool
    _shown: int = 0

    def show(self, outcome: ScanOutcome) -> None:
        """Print one scan to stdout.

        JSON: one indented object, or one object a line when there are several. YAML: a document each. CSV: the rows of
        all scans under one header; the column `policy` tells them apart. Tables: one below the other.

        Raises:
            StoreUnavailable: the store went away while its content was read.
        """
        first = not self._shown
        self._shown += 1
        if self.format_ is Format.JSON:
            write_report(sys.stdout, outcome, why=self.why, indent=None if self.several else 2)
        elif self.format_ is Format.YAML:
            head, lists = report_parts(outcome, why=self.why)
            emit_document(head, lists, sys.stdout)
        elif self.format_ is Format.CSV:
            emit(_recommendations(outcome), RECOMMENDATIONS, self.format_, header=first)
        else:
            sys.stdout.write("" if first else "\n")
            _print_tables(outcome, self.format_, why=self.why)


def _recommendations(outcome: ScanOutcome) -> Iterator[dict[str, Any]]:
    if outcome.summary.complete_failure:
        return
    brief = outcome.brief
    for one in brief.stores.recommendations.stream(brief.policy, brief.generation):
        yield recommendation_to_json(one)


def _print_tables(outcome: ScanOutcome, format_: Format, *, why: bool) -> None:
    summary = outcome.summary
    emit(_summary_rows(summary), (field("scan"), field("value")), format_)
    if summary.recommendations:
        counting = Counting()
        sys.stdout.write("\n")
        emit(counting.through(_recommendations(outcome)), RECOMMENDATIONS, format_)
        if counting.sentence():
            sys.stdout.write(f"{counting.sentence()}\n")
    if why and not summary.complete_failure:
        sys.stdout.write("\nnot recommended\n")
        emit(reasons(outcome), _WHY_COLUMNS, format_)
    if summary.gaps:
        sys.stdout.write("\ngaps (not seen, so not counted)\n")
        gaps = [gap_to_json(gap) for gap in summary.gaps]
        emit(({**gap, "call": f"{gap['service']}:{gap['operation']}"} for gap in gaps), _GAP_COLUMNS, format_)


def _summary_rows(summary: ScanSummary) -> Iterator[dict[str, Any]]:
    took = (summary.completion_time - summary.start_time).total_seconds()
    known = summary.known_monthly_cost
    unpriced = f" ({summary.unpriced_resources} without a price)" if summary.unpriced_resources else ""
    unknown = f" ({summary.unknown_resources} with too little data to judge)" if summary.unknown_resources else ""
    rows = {
        "policy": summary.policy,
        "resources": f"{summary.resources}{unpriced}{unknown}",
        "monthly cost": "unknown" if known is None else f"{as_text(known)} {summary.currency}",
        "potential monthly savings": f"{as_text(summary.potential_monthly_savings)} {summary.currency}",
        "recommendations": summary.recommendations,
        "gaps": len(summary.gaps),
        "AWS requests": f"{sum(summary.api_calls.values())}, about {as_text(summary.estimated_api_cost)} USD",
        "took": f"{took:.1f} s",
    }
    for name, value in rows.items():
        yield {"scan": name, "value": value}
