"""Alerts and the Grafana dashboard of the chart ask for what the processes really export, by labels that it has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import CollectorRegistry

from finops.domain.decision import TERMINAL, State
from finops_operator.telemetry import Telemetry
from finops_slackbot.metrics import Metrics as BotMetrics
from finops_web.metrics import WebMetrics

CHART: Final = Path(__file__).resolve().parents[2] / "charts" / "finops-operator"
FILES: Final = CHART / "files" / "monitoring"
REGISTRIES: Final = (Telemetry().registry, BotMetrics(CollectorRegistry()).registry, WebMetrics().registry)
SUFFIXES: Final = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
METRIC: Final = re.compile(r"\b(finops_\w+)(?:\{([^}]*)\})?")
MATCHER: Final = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
SCRAPED: Final = frozenset({"namespace", "job"})
"""Labels that a scrape adds; a label of ours that is called so as well becomes `exported_` in front."""
KEPT: Final = re.compile(r"\b(?:sum|max|min|avg|count)\s+by\s*\(([^)]*)\)")
AGGREGATED: Final = re.compile(r"\b(?:sum|max|min|avg|count|absent)\s*\(")
ALERTS: Final[list[dict[str, Any]]] = [
    rule
    for group in yaml.safe_load((FILES / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: Final[dict[str, Any]] = json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))
PANELS: Final[list[dict[str, Any]]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def exported() -> dict[str, frozenset[str]]:
    """Every series that a process exports, with its labels as a Prometheus without honorLabels has them."""
    found = {}
    for registry in REGISTRIES:
        for collector in registry._collector_to_names:
            (metric,) = collector.describe()  # type: ignore[attr-defined] # every metric class of the client has it
            own = collector._labelnames  # type: ignore[attr-defined] # likewise
            labels = frozenset(f"exported_{one}" if one in SCRAPED else one for one in own) | SCRAPED
            for suffix in SUFFIXES[metric.type]:
                found[metric.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


EXPORTED: Final = exported()


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, and the texts in which its labels are filled in."""

    where: str
    expression: str
    texts: tuple[str, ...]

    def metrics(self) -> list[tuple[str, dict[str, str]]]:
        return [(name, dict(MATCHER.findall(within or ""))) for name, within in METRIC.findall(self.expression)]

    def labels(self) -> set[str]:
        """The labels that the result has."""
        kept = KEPT.findall(self.expression)
        if kept:
            return {label.strip() for one in kept for label in one.split(",")} - {"le"}
        if AGGREGATED.search(self.expression):
            return set()
        return set.intersection(*(set(EXPORTED[name]) for name, _ in self.metrics()))


def queries() -> Iterator[Query]:
    for rule in ALERTS:
        yield Query(rule["alert"], rule["expr"], tuple(rule["annotations"].values()))
    for panel in PANELS:
        for target in panel["targets"]:
            yield Query(panel["title"], target["expr"], (target["legendFormat"],))
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield Query(f"variable {variable['name']}", variable["query"]["query"], ())


QUERIES: Final = list(queries())


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
def test_a_query_asks_for_metrics_that_exist_by_labels_that_they_have(query: Query) -> None:
    assert query.metrics()
    for name, matchers in query.metrics():
        assert name in EXPORTED
        assert set(matchers) <= EXPORTED[name], name
    for kept in KEPT.findall(query.expression):
        known = set().union(*(EXPORTED[name] for name, _ in query.metrics()))
        assert {label.strip() for label in kept.split(",")} <= known


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
def test_a_text_fills_in_only_labels_that_its_query_keeps(query: Query) -> None:
    wanted = {name for text in query.texts for name in re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", text)}
    assert wanted <= query.labels()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
def test_states_and_results_in_a_query_are_words_that_the_operator_uses(query: Query) -> None:
    words = {
        "finops_open_requests": ("state", {state.value for state in State}),
        "finops_actions_total": ("result", {state.value for state in TERMINAL}),
        "finops_scans_total": ("result", {"failed", "completed"}),
    }
    for name, matchers in query.metrics():
        label, known = words.get(name, ("", set()))
        value = matchers.get(label)
        assert value is None or value in known


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
def test_brackets_of_a_query_are_closed(query: Query) -> None:
    waiting = []
    for character in re.sub(r'"[^"]*"', "", query.expression):
        if character in "([{":
            waiting.append(character)
        elif character in ")]}":
            assert waiting
            assert waiting.pop() + character in {"()", "[]", "{}"}
    assert waiting == []


def test_rates_are_taken_of_counters_and_differences_of_gauges() -> None:
    for query in QUERIES:
        for function, name in re.findall(r"\b(rate|increase|delta)\(\s*(finops_\w+)", query.expression):
            rising = name.endswith(("_total", "_bucket", "_sum", "_count"))
            assert rising == (function != "delta"), query.where


def test_a_query_for_a_metric_that_is_gone_would_be_seen() -> None:
    assert "finops_gone" not in EXPORTED
    assert {"finops_scans_total", "finops_scan_duration_seconds_bucket"} <= set(EXPORTED)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_and_what_to_do_and_waits_before_it_fires(rule: dict[str, Any]) -> None:
    assert rule["alert"].startswith("Finops")
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["for"]
    assert rule["annotations"]["summary"]
    assert len(rule["annotations"]["description"]) > 40


def test_no_two_alerts_share_a_name() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)


def test_each_process_is_watched_by_an_alert_and_by_a_panel() -> None:
    for places in (ALERTS, PANELS):
        text = json.dumps(places)
        for name in ("finops_lease_held", "finops_slackbot_connected", "finops_web_requests_total"):
            assert name in text


def test_the_chart_fills_in_the_hours_that_its_values_name() -> None:
    assert [rule["alert"] for rule in ALERTS if "OVERDUE_HOURS" in rule["expr"]] == ["FinopsScanOverdue"]
    assert 'replace "OVERDUE_HOURS"' in (CHART / "templates" / "prometheus-rule.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert values["metrics"]["rules"]["scanOverdueHours"] > 0


def test_panels_do_not_overlap_and_have_numbers_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_monitoring_is_off_until_somebody_asks_for_it() -> None:
    metrics = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["metrics"]
    assert {name: section["enabled"] for name, section in metrics.items()} == {
        "serviceMonitor": False,
        "rules": False,
        "dashboards": False,
    }
