"""The tables of docs/benchmarks.md are made from what was measured, and leave out what was not."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@cache
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_benchmarks", ROOT / "tools" / "build_benchmarks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def every_run() -> dict[str, dict[str, Any]]:
    used = {"tool": "x", "instances": 10, "seconds": 2.0, "cpuSeconds": 1.0, "peakMegabytes": 4, "requests": 5}
    found = {"metricRequests": 1, "datapoints": 3, "matched": 2, "resources": 9, "unknown": 0, "gaps": 0, "exitCode": 0}
    runs = {name: {**used, **found} for name in tool().TITLES}
    for name in ("noQuotas", "custodian", "dayLater", "defaultShare"):
        runs[name]["instances"] = 20
    return runs


def test_the_tables_are_those_of_the_figures_that_were_measured() -> None:
    page = tool().PAGE.read_text(encoding="utf-8")
    figures = json.loads(tool().FIGURES.read_text(encoding="utf-8"))
    assert tool().page_with(tool().generated(figures), page) == page
    every_kind = json.loads(tool().ESTATE.read_text(encoding="utf-8"))
    assert tool().page_with(tool().estate(every_kind), page, tool().BEGIN_ESTATE) == page


def test_what_each_kind_asked_for_stands_beside_what_it_may_for_every_size() -> None:
    used = {"measured": "2026-11-30", "resources": 5000, "recommendations": 9, "precision": 1.0, "recall": 0.9986}
    used |= {"calls": 1234, "points": 99, "estimatedApiCost": "0.18", "cpuSeconds": 41.74, "peakMegabytes": 181.6}
    runs = {
        "24": {**used, "rows": [["ami", 4, 40, 100], ["all: tags", 0, 3, 4]]},
        "12": {**used, "rows": [["ami", 2, 20, 50], ["all: tags", 0, 2, 4]]},
    }
    part = tool().estate(runs)
    assert "| `ami` | 20, 50 | 40, 100 |\n| all: tags | 2, 4 | 3, 4 |" in part
    assert "| Precision, recall | 1.00, 0.999 | 1.00, 0.999 |" in part


def test_every_run_that_was_measured_has_a_title_else_the_table_would_leave_it_out() -> None:
    assert json.loads(tool().FIGURES.read_text(encoding="utf-8"))["runs"].keys() <= tool().TITLES.keys()


@pytest.mark.parametrize("missing", ["dayLater", "custodian", "thousand", "throttled40", "sameRule"])
def test_what_was_not_measured_is_compared_with_nothing(missing: str) -> None:
    runs = every_run()
    everything = [*tool().rows(runs)], [*tool().ratios(runs)]
    del runs[missing]
    assert len([*tool().rows(runs)]) == len(everything[0]) - 1
    assert set(tool().ratios(runs)) < set(everything[1])


def test_fleets_of_different_sizes_are_not_compared() -> None:
    runs = every_run()
    runs["custodian"]["instances"] = runs["custodianThousand"]["instances"] = 11
    assert not any("Cloud Custodian's seconds by ours" in line for line in tool().ratios(runs))


def test_a_page_without_the_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="has no part between"):
        tool().page_with("part", "# Benchmarks\n")
