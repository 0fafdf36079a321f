"""Prints the outcome of a scan: the ScanReport for programs, a report to read and to send on for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from finops.store.recommendations import recommendation_to_json
from finops_operator.cli.listings import RECOMMENDATIONS
from finops_operator.cli.output import Format, emit, emit_document
from finops_operator.cli.report import html, markdown, terminal
from finops_operator.cli.report.story import SHOWN_ROWS, story_of
from finops_operator.scan.report import report_parts, write_report
from finops_operator.scan.scan import ScanOutcome


class ReportFormat(StrEnum):
    """How a scan is printed: as other data, or as a report to send on."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"
    MARKDOWN = "markdown"
    HTML = "html"


REPORTS: Final = frozenset({ReportFormat.TABLE, ReportFormat.WIDE, ReportFormat.MARKDOWN, ReportFormat.HTML})
"""Formats for people, which list every gap with its message."""


@dataclass(slots=True)
class OutcomePrinter:
    """Prints scans one after another so that the whole can be read back: see `show`.

    Attributes:
        several: more than one scan is to come, so each ScanReport stands on one line (JSON lines).
        command: what reads the store of these scans, such as `finops {}`.
    """

    format_: ReportFormat
    why: bool
    several: bool
    command: str = "finops {}"
    _shown: int = 0

    def show(self, outcome: ScanOutcome) -> None:
        """Print one scan to stdout.

        JSON: one indented object, or one object a line when there are several. YAML: a document each. CSV: the rows of
        all scans under one header; the column `policy` distinguishes them. Reports: one below the other.

        Raises:
            StoreUnavailable: the store went away while its content was read.
        """
        first = not self._shown
        self._shown += 1
        out, why = sys.stdout, self.why
        if self.format_ is ReportFormat.JSON:
            write_report(out, outcome, why=why, indent=None if self.several else 2)
        elif self.format_ is ReportFormat.YAML:
            head, lists = report_parts(outcome, why=why)
            emit_document(head, lists, out)
        elif self.format_ is ReportFormat.CSV:
            emit(_recommendations(outcome), RECOMMENDATIONS, Format.CSV, header=first)
        elif self.format_ is ReportFormat.MARKDOWN:
            out.write("" if first else "\n")
            markdown.write(story_of(outcome, why=why), out, why=why)
        elif self.format_ is ReportFormat.HTML:
            html.write(story_of(outcome, why=why), out, why=why)
        else:
            out.write("" if first else "\n")
            limit = None if self.format_ is ReportFormat.WIDE else SHOWN_ROWS
            story = story_of(outcome, why=why, limit=limit)
            terminal.write(story, Format(self.format_.value), out, why=why, command=self.command)


def _recommendations(outcome: ScanOutcome) -> Iterator[dict[str, Any]]:
    if outcome.summary.complete_failure:
        return
    brief = outcome.brief
    for one in brief.stores.recommendations.stream(brief.policy, brief.generation):
        yield recommendation_to_json(one)
