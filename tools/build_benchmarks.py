"""Writes the tables of docs/benchmarks.md from benchmarks.json and estate.json: `build_benchmarks.py [--check]`.

The figures are what `make bench` measured last and wrote into docs; run by `make generate` and with `--check` by
`make check`, so that no figure of these tables is written by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
FIGURES: Final = ROOT / "docs" / "benchmarks.json"
PAGE: Final = ROOT / "docs" / "benchmarks.md"
ESTATE: Final = ROOT / "docs" / "estate.json"
BEGIN_ESTATE: Final = "<!-- generated from estate.json by tools/build_benchmarks.py -->"
BEGIN: Final = "<!-- generated from benchmarks.json by tools/build_benchmarks.py -->"
END: Final = "<!-- end of the generated part -->"
TITLES: Final = {
    "defaultShare": "first scan, AWS's quotas in force, half of them ours",
    "noQuotas": "first scan, no quotas",
    "custodian": "one policy with one metric, no quotas",
    "dayLater": "a day later, 1 % of the instances replaced, no quotas",
    "thousand": "first scan, no quotas",
    "thousandDayLater": "a day later, 1 % of the instances replaced, no quotas",
    "fourPolicies": "four policies on the same metrics, no quotas",
    "sameRule": "with a check of its own: average CPU below 5 %",
    "custodianThousand": "one policy: average CPU below 5 %",
    "throttled40": "40 % of all requests throttled",
    "throttled70": "70 % of all requests throttled",
    "custodianThrottled40": "40 % of CloudWatch's requests throttled",
}
"""Run → what was done."""
Runs = Mapping[str, Mapping[str, Any]]
ESTATE_ROWS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "Measured on": lambda run: str(run["measured"]),
    "Resources": lambda run: f"{run['resources']:,}",
    "Recommendations": lambda run: f"{run['recommendations']:,}",
    "Precision, recall": lambda run: f"{run['precision']:.2f}, {run['recall']:.3f}",
    "Calls": lambda run: f"{run['calls']:,}",
    "Datapoints": lambda run: f"{run['points']:,}",
    "Estimated cost of the scan in US dollars": lambda run: f"{float(run['estimatedApiCost']):.4f}",
    "CPU seconds of the scan": lambda run: f"{run['cpuSeconds']:.1f}",
    "Peak memory, MB": lambda run: f"{run['peakMegabytes']:.0f}",
}
"""Row of the table of all kinds → what it says of a scan."""


def rows(runs: Runs) -> Iterator[str]:
    """Yield the table of what each run used, in the order of the titles."""
    yield "| Instances | By | Run | Seconds | CPU seconds | Peak MB | Requests | Of these metrics | Datapoints |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, title in TITLES.items():
        run = runs.get(name)
        if run is not None:
            figures = (run["seconds"], run["cpuSeconds"], run["peakMegabytes"])
            counts = (f"{run[key]:,}" for key in ("requests", "metricRequests", "datapoints"))
            cells = (f"{run['instances']:,}", run["tool"], title, *figures, *counts)
            yield f"| {' | '.join(map(str, cells))} |"


def ratios(runs: Runs) -> Iterator[str]:
    """Yield what the issue of speed asks for beside what was measured, of the runs that are there."""
    yield "| Compared | Measured |"
    yield "|---|---|"
    for words, figure in _compared(runs):
        yield f"| {words} | {figure} |"


def _compared(runs: Runs) -> Iterator[tuple[str, str]]:
    yield from _beside(runs, "noQuotas", "custodian", "dayLater")
    yield from _beside(runs, "thousand", "custodianThousand", "thousandDayLater")
    one, four = runs.get("thousand"), runs.get("fourPolicies")
    if one and four:
        further = four["metricRequests"] - one["metricRequests"]
        yield "four policies: further requests for metrics than one", f"{further:,}"
    mine, same = runs.get("sameRule"), runs.get("custodianThousand")
    if mine and same:
        yield "instances with an average CPU below 5 %, found by us and by it", f"{mine['matched']}, {same['matched']}"
    for share in (40, 70):
        run = runs.get(f"throttled{share}")
        if run:
            figures = f"{run['resources']:,}, {run['unknown']:,}, {run['gaps']:,}"
            yield f"{share} % throttled: resources listed, of these unknown, gaps said", figures
    lost = runs.get("custodianThrottled40")
    if same and lost:
        figures = f"{lost['matched']} of {same['matched']}, exit code {lost['exitCode']}"
        yield "40 % throttled: of what it finds otherwise Cloud Custodian finds", figures


def _beside(runs: Runs, first: str, other: str, second: str) -> Iterator[tuple[str, str]]:
    """Yield what Cloud Custodian used by what we did, and what our second scan used of the first."""
    ours, theirs, later = runs.get(first), runs.get(other), runs.get(second)
    size = f"{ours['instances']:,} instances" if ours else ""
    if ours and theirs and ours["instances"] == theirs["instances"]:
        yield f"{size}: Cloud Custodian's seconds by ours", _times(theirs["seconds"], ours["seconds"])
        yield f"{size}: its CPU seconds by ours", _times(theirs["cpuSeconds"], ours["cpuSeconds"])
        yield f"{size}: its peak memory by ours", _times(theirs["peakMegabytes"], ours["peakMegabytes"])
        yield f"{size}: its requests by ours", _times(theirs["requests"], ours["requests"])
    if ours and later and ours["instances"] == later["instances"]:
        yield f"{size}, a day later: share of the first scan's requests", _percent(later["requests"], ours["requests"])
        share = _percent(later["cpuSeconds"], ours["cpuSeconds"])
        yield f"{size}, a day later: share of its CPU seconds", share


def _times(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.1f} ×"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %"


def generated(document: Mapping[str, Any]) -> str:
    """Return the generated part of the page."""
    runs: Runs = document["runs"]
    loads = [run["othersLoad"] for run in runs.values()]
    said = (
        f"Measured on {document['measured']}, {document['processors']} processors, a round trip of "
        f"{document['roundTripMilliseconds']} ms. While it ran, {min(loads):.0f} to {max(loads):.0f} programs wanted "
        "a processor at a time."
    )
    return "\n".join((BEGIN, "", said, "", *rows(runs), "", *ratios(runs), "", END))


def estate(runs: Runs) -> str:
    """Return the generated part about the scans of all kinds, by how many accounts and regions each was of."""
    sizes = sorted(runs, key=int)
    lines = [f"|  | {' | '.join(f'{one} accounts and regions' for one in sizes)} |", f"|---{'|---' * len(sizes)}|"]
    lines += [f"| {title} | {' | '.join(said(runs[one]) for one in sizes)} |" for title, said in ESTATE_ROWS.items()]
    lines += [
        "",
        f"| Kind | {' | '.join(f'Calls in {one}, allowed' for one in sizes)} |",
        f"|---{'|---' * len(sizes)}|",
    ]
    counts = {one: {title: (calls, allowed) for title, _, calls, allowed in runs[one]["rows"]} for one in sizes}
    for title in counts[sizes[0]]:
        cells = (f"{counts[one][title][0]:,}, {counts[one][title][1]:,}" for one in sizes)
        lines.append(f"| {title if ':' in title else f'`{title}`'} | {' | '.join(cells)} |")
    return "\n".join((BEGIN_ESTATE, "", *lines, "", END))


def page_with(part: str, page: str, mark: str = BEGIN) -> str:
    """Return the page with its generated part replaced, the one that begins at the mark.

    Raises:
        ValueError: the page has no such part.
    """
    before, begin, rest = page.partition(mark)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE.name} has no part between {mark} and {END}")
    return before + part + after


def main() -> int:
    """Write or compare; 0 done or equal, 1 different."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = page_with(generated(json.loads(FIGURES.read_text(encoding="utf-8"))), page)
    wanted = page_with(estate(json.loads(ESTATE.read_text(encoding="utf-8"))), wanted, BEGIN_ESTATE)
    if "--check" in sys.argv[1:]:
        if page != wanted:
            sys.stderr.write(
                "docs/benchmarks.md is not what benchmarks.json and estate.json say: run `make generate`\n"
            )
        return int(page != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
