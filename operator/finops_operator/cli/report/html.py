"""The report of a scan as one HTML file: no script, nothing fetched, light and dark, and it prints well."""

from __future__ import annotations

from html import escape
from typing import Final, TextIO

from finops_operator.cli.printable import printable
from finops_operator.cli.report.sheet import GAPS, OBSTACLES, REASONS, RECOMMENDATIONS, Sheet
from finops_operator.cli.report.story import Story

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1a1d21; --soft: #5b6470; --line: #d9dee4; --ground: #fff; --good: #0b6e4f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #a3acb8; --line: #363c44; --ground: #15181c; --good: #5fd3a5; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.1rem; color: var(--soft); margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.headline { font-size: 1.6rem; line-height: 1.3; margin: .3rem 0 1.5rem; color: var(--good); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; }
.sheet { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 600; }
.whole { white-space: nowrap; }
.figure { text-align: right; white-space: nowrap; }
footer { margin-top: 2rem; color: var(--soft); }
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --ground: #fff; --good: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .sheet { overflow: visible; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
"""


def write(story: Story, out: TextIO, *, why: bool) -> None:
    """Write the report."""
    out.write('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')
    out.write('<meta name="viewport" content="width=device-width, initial-scale=1">\n')
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    out.write(f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n')
    out.write(f"<title>AWS savings report</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n")
    out.write(f'<h1>AWS savings report</h1>\n<p class="headline">{_text(story.headline)}</p>\n<dl>\n')
    out.writelines(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>\n" for name, value in story.facts)
    out.write("</dl>\n")
    for sheet in (RECOMMENDATIONS, OBSTACLES, *([REASONS] if why else []), GAPS):
        _table(sheet, story, out)
    if story.observes and story.rows:
        out.write("<footer>Nothing was changed, and nobody is asked: the policy only recommends.</footer>\n")
    out.write("</body>\n</html>\n")


def _table(sheet: Sheet, story: Story, out: TextIO) -> None:
    rows = sheet.rows(story)
    if not rows:
        return
    out.write(f'<h2>{_text(sheet.title)}</h2>\n<div class="sheet"><table>\n<thead><tr>')
    out.writelines(_cell("th", at, title, sheet) for at, title in enumerate(sheet.titles))
    out.write("</tr></thead>\n<tbody>\n")
    for row in rows:
        out.write("<tr>")
        out.writelines(_cell("td", at, text, sheet) for at, text in enumerate(row))
        out.write("</tr>\n")
    out.write("</tbody>\n</table></div>\n")


def _cell(tag: str, at: int, text: str, sheet: Sheet) -> str:
    figure = ' class="figure"' if at in sheet.right else ' class="whole"' if at in sheet.whole else ""
    return f"<{tag}{figure}>{_text(text)}</{tag}>"


def _text(value: str) -> str:
    return escape(printable(value))
